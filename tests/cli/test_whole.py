"""Real training, sampling, evaluation and report through the command line, as small as can be."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from specdm.cli import main, texts
from specdm.report.demo import demo_run
from specdm.tiles.store import open_tiles
from specdm.training import config

SMALL = [
    "codec.minutes=null", "codec.steps=2", "codec.components=4", "codec.latent_channels=4", "codec.width=8",
    "codec.mask_width=8", "denoiser.minutes=null", "denoiser.steps=2", "denoiser.widths=[16,16]",
    "denoiser.head_channels=8", "sampling.steps=2",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with model and synthetic tiles, made by the commands."""
    folder = tmp_path_factory.mktemp("whole")
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:48, :48]
    mask = ((rows // 8 + columns // 12) % 3 + 1).astype(np.uint8)
    image = np.array([100.0, 200.0, 300.0])[mask - 1][..., None] + 10.0 * np.arange(6) * mask[..., None]
    np.save(folder / "image.npy", (image + random.normal(0, 3, image.shape)).astype(np.float32))
    np.save(folder / "mask.npy", mask)
    run = folder / "run"
    settings = [part for setting in SMALL for part in ("--set", setting)]
    image_options = [
        "--mask",
        folder / "mask.npy",
        "--wavelengths",
        "450,550,650,750,850,950",
        "--tile-size",
        16,
    ]
    for arguments in (
        ["train", folder / "image.npy", *image_options, "-o", run, *settings],
        ["sample", run, "-n", 12, "--batch-size", 5],
    ):
        with pytest.raises(SystemExit) as end:
            main.run([str(argument) for argument in arguments])
        assert not end.value.code
    return run


@pytest.fixture
def run(whole_run: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return shutil.copytree(whole_run, tmp_path / "run")


def test_synthetic_tiles_are_like_real_ones(run: Path) -> None:
    real, synthetic = (open_tiles(run / part / "tiles.zarr") for part in ("tiles", "synthetic"))
    assert len(synthetic) == 12
    assert synthetic.classes == real.classes
    assert synthetic.wavelength.tolist() == real.wavelength.tolist()
    assert np.isfinite(synthetic.images()).all()


def test_evaluate_and_report(specdm_command, run: Path) -> None:
    outcome = specdm_command("evaluate", run)
    assert outcome.code == 0, outcome.err
    figures = json.loads((run / "evaluation.json").read_text())
    assert 0 <= figures["synthetic.lda_agreement"] <= 1
    assert figures["codec.spectral_angle_deg"] > 0
    assert "Masks fit images" in outcome.out and "evaluation.json" in outcome.out
    assert specdm_command("report", run).code == 0
    page = (run / "report.html").read_text()
    assert "<html" in page and "specdm train" in page


def test_the_evaluation_of_these_tiles_is_told_by_the_tiles(specdm_command, run: Path, tmp_path: Path) -> None:
    assert specdm_command("evaluate", run, "--network", "none", "--seed", 5).code == 0
    written = (run / "evaluation.json").read_bytes()
    # in a copy files may have any age
    os.utime(run / "evaluation.json", (0, 0))
    outcome = specdm_command("report", run)
    assert outcome.code == 0 and "note:" not in outcome.out
    assert (run / "evaluation.json").read_bytes() == written
    # as old as they may be, these are other tiles
    store = run / "synthetic" / "tiles.zarr"
    fewer = open_tiles(store).select(slice(0, 7))
    shutil.rmtree(store)
    fewer.save(store)
    os.utime(store / "zarr.json", (0, 0))
    outcome = specdm_command("report", run)
    assert outcome.code == 0 and "evaluated anew" in outcome.out
    found = json.loads((run / "evaluation.json").read_text())
    assert found["synthetic.tiles"] == 7 and found["_details"]["settings"]["seed"] == 5


def test_folders_of_outputs_are_made(specdm_command, run: Path, tmp_path: Path) -> None:
    sets = [run / part / "tiles.zarr" for part in ("tiles", "synthetic")]
    figures, page = tmp_path / "new" / "a" / "figures.json", tmp_path / "new" / "b" / "report.html"
    assert specdm_command("evaluate", *sets, "--network", "none", "--json", figures).code == 0
    assert specdm_command("evaluate", run, "--network", "none").code == 0
    assert specdm_command("report", run, "-o", page).code == 0
    assert figures.is_file() and page.is_file()


def test_two_tile_sets_are_evaluated_without_a_model(specdm_command, run: Path, tmp_path: Path) -> None:
    sets = [run / part / "tiles.zarr" for part in ("tiles", "synthetic")]
    outcome = specdm_command("evaluate", *sets, "--json", tmp_path / "figures.json")
    assert outcome.code == 0, outcome.err
    assert "synthetic.lda_agreement" in json.loads((tmp_path / "figures.json").read_text())


def test_a_report_needs_synthetic_tiles(refused, run: Path) -> None:
    shutil.rmtree(run / "synthetic")
    assert "specdm sample" in refused("evaluate", run)
    assert "specdm sample" in refused("report", run)


def test_outputs_that_cannot_be_written(refused, run: Path) -> None:
    a_file = run / "config.yaml"
    for arguments in (
        ["evaluate", run, "--json", a_file / "figures.json"],
        ["report", run, "-o", a_file / "report.html"],
        ["sample", run, "-n", 1, "-o", a_file / "tiles.zarr"],
    ):
        assert "is a file" in refused(*arguments)


def test_too_many_inputs(refused, run: Path) -> None:
    assert "two tile sets" in refused("evaluate", run, run, run)


@pytest.mark.parametrize("part", ["denoiser", "image_codec", "mask_codec"])
def test_a_missing_weight_file(refused, run: Path, part: str) -> None:
    weights = next((run / "model" / part).glob("*.safetensors"))
    weights.unlink()
    assert weights.name in refused("sample", run, "-n", 1, "--overwrite")


@pytest.mark.parametrize("part", ["denoiser", "image_codec"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_truncated_weight_file(refused, run: Path, part: str, share: float) -> None:
    weights = next((run / "model" / part).glob("*.safetensors"))
    content = weights.read_bytes()
    weights.write_bytes(content[: int(len(content) * share)])
    assert weights.name in refused("sample", run, "-n", 1, "--overwrite")


def test_a_class_that_is_not_there(refused, run: Path) -> None:
    assert "trees" in refused("sample", run, "-n", 1, "--overwrite", "--composition", "trees=0.5")


def test_a_finished_run_takes_no_other_budget(refused, run: Path) -> None:
    assert "finished run of another configuration (codec.minutes" in refused("train", run, "--minutes", 3)


def test_the_demonstration(little_scene, monkeypatch, tmp_path: Path) -> None:
    small = config.load_config(overrides=texts.settings(SMALL))
    monkeypatch.setattr("specdm.scenes.samples.indian_pines", lambda: little_scene)
    monkeypatch.setattr("specdm.training.config.load_config", lambda **_: small)
    lines: list[str] = []
    steps: list[tuple[int, int]] = []

    @contextmanager
    def bar(what: str):
        yield lambda done, total: steps.append((done, total))

    result = demo_run(tmp_path / "demo", n=8, say=lines.append, bar=bar)
    assert [line[:3] for line in lines if line[1:3] == "/5"] == [f"{i}/5" for i in range(1, 6)]
    assert steps[-1] == (8, 8)
    written = json.loads((tmp_path / "demo" / "evaluation.json").read_text())
    for key in ("sampling.seconds_for_64", "training.seconds", "memory.peak_gb"):
        assert written[key] > 0
        assert result.metrics[key] == written[key]
    assert all(place.exists() for place in result.places.values())
