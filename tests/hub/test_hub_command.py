"""`specdm push`, and commands that take a model of the Hub: by hand what a stranger would type."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

NAME = "me/fields"


@pytest.fixture
def command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Run `specdm ARGUMENTS` in an empty folder; its exit code and what it wrote."""
    from specdm.cli.main import run

    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run([str(argument) for argument in arguments])
        written = capsys.readouterr()
        return int(end.value.code or 0), written.out, written.err

    return call


@pytest.fixture
def refused(command: Callable[..., tuple[int, str, str]]) -> Callable[..., str]:
    """Run what must be refused in one line; returns it."""

    def call(*arguments: object) -> str:
        code, _, err = command(*arguments)
        assert code == 2 and err.startswith("specdm: ") and err.count("\n") == 1, err
        return err

    return call


@pytest.fixture
def run(little_run: Path, little_tiles: TileSet, tmp_path: Path) -> Path:
    """A finished run with tiles and all that it can have found out."""
    folder = shutil.copytree(little_run, tmp_path / "run")
    little_tiles.save(folder / "tiles" / "tiles.zarr")
    SpecDMPipeline.from_pretrained(folder / "model").sample(4).save(folder / "synthetic" / "tiles.zarr")
    evaluation = {
        "synthetic.lda_ratio": 0.5, "synthetic.tiles": 4.0, "real.training_tiles": 20.0, "authenticity.flagged": 1.0,
        "authenticity.flagged_share": 0.25, "authenticity.tiles": 4.0, "authenticity.copies": 1.0,
        "authenticity.beyond_chance": 0.04, "authenticity.chance_share": 0.01,
    }  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(evaluation))
    planted = {
        "tiles": 6, "auroc": {"shift_1": 0.71}, "auroc_all": 0.83, "ece": 0.052, "score": [], "right": [], "share": [],
    }  # fmt: skip
    reliability = {
        "tiles": "tiles.zarr", "n_tiles": 4, "mean_score": 0.815, "evidences": ["spectra"], "planted": planted,
        "filtered": None, "notes": [],
    }  # fmt: skip
    (folder / "reliability.json").write_text(json.dumps(reliability))
    records = folder / "usefulness" / "records"
    records.mkdir(parents=True)
    for arm, score in (("real", 0.4), ("real+sure", 0.5)):
        for seed in (0, 1):
            record = {
                "arm": arm, "network": "unet", "test_spectra": "run", "share": 1.0, "share_kept": 1.0, "seed": seed,
                "scores": {"task": "segmentation", "main": score + 0.01 * seed},
                "settings": {"steps": 20, "batch_tiles": 4, "learning_rate": 0.001, "synthetic_tiles": 16},
            }  # fmt: skip
            (records / f"{arm}-{seed}.json").write_text(json.dumps(record))
    return folder


def test_a_run_is_sent_and_sampled_from(hub, command, run: Path, tmp_path: Path) -> None:
    code, out, _ = command("push", run, NAME, "--private", "-m", "first", "--licence", "mit")
    assert code == 0 and "model sent to hf://me/fields" in out and "specdm sample hf://me/fields" in out
    assert hub.model(NAME).private and hub.model(NAME).messages[-1] == "first"
    assert command("sample", NAME, "-n", 3, "-o", "a.zarr")[0] == 0
    assert command("sample", run, "-n", 3, "-o", "b.zarr")[0] == 0
    found, expected = open_tiles(tmp_path / "a.zarr"), open_tiles(tmp_path / "b.zarr")
    np.testing.assert_array_equal(found.images(), expected.images())
    np.testing.assert_array_equal(found.masks(), expected.masks())


def test_the_card_of_a_run(hub, command, run: Path) -> None:
    assert command("push", run, NAME)[0] == 0
    card = hub.model(NAME).files()["README.md"].decode()
    for said in (
        "| Masks fit images | 0.50 | at least 0.88 | missed |",
        "Measured on 4 synthetic tiles against 20 real training tiles.",
        "1 of 4 synthetic tiles are as near to a training tile",
        "Nearer than any real tile: 1.",
        "Mean score of the labels of 4 synthetic tiles, which is the probability that a label is right: 0.815.",
        "AUROC 0.830, calibration error 0.052",
        "mask shifted by 1 px, AUROC 0.710",
        "Synthetic tiles help: +0.100",
        "Trained on 20 tiles of 1,920 pixels of ground",
    ):
        assert said in card, said
    assert "ot judged" not in card


def test_labels_are_counted_once(hub, command, run: Path, little_tiles: TileSet) -> None:
    from specdm.tiles.coverage import ground_pixels, layer_counts

    assert ground_pixels(little_tiles) == 48 * 40 < len(little_tiles) * 16 * 16
    command("push", run, NAME)
    card = hub.model(NAME).files()["README.md"].decode()
    for name, count in zip(little_tiles.classes.names, layer_counts(little_tiles)[0], strict=True):
        assert f" {name} |" in card and f"| {count:,} |" in card


def test_figures_of_another_model_are_left_out(hub, command, run: Path) -> None:
    import zarr

    group = zarr.open_group(run / "synthetic" / "tiles.zarr")
    group.attrs["provenance"] = json.dumps({"model": "specdm-other"})
    zarr.consolidate_metadata(str(run / "synthetic" / "tiles.zarr"))
    command("push", run, NAME)
    card = hub.model(NAME).files()["README.md"].decode()
    assert "synthetic tiles are of another model, `specdm-other`" in card and "Masks fit images" not in card


def test_damaged_records_are_left_out(hub, command, run: Path) -> None:
    for name in ("evaluation.json", "reliability.json", "usefulness/records/real-0.json"):
        (run / name).write_text("{")
    shutil.rmtree(run / "tiles")
    assert command("push", run, NAME)[0] == 0
    card = hub.model(NAME).files()["README.md"].decode()
    assert card.count("Not judged before") == 4 and "none was recorded" in card


def test_tiles_are_sent(hub, command, run: Path) -> None:
    pytest.importorskip("datasets")
    code, out, _ = command("push", run / "synthetic" / "tiles.zarr", NAME, "--revision", "v1")
    assert code == 0 and 'specdm.open_tiles("hf://datasets/me/fields@v1")' in out
    found = open_tiles("hf://datasets/me/fields@v1")
    np.testing.assert_array_equal(found.images(), open_tiles(run / "synthetic" / "tiles.zarr").images())


def test_tiles_and_models_as_own_files(hub, command, refused, run: Path, tmp_path: Path) -> None:
    pytest.importorskip("datasets")
    store = run / "synthetic" / "tiles.zarr"
    command("push", store, NAME)
    command("push", run, NAME, "--revision", "v2")
    assert command("pull", "hf://datasets/me/fields", "-o", "tiles.zarr")[1] == "tile set in tiles.zarr\n"
    np.testing.assert_array_equal(open_tiles("tiles.zarr").masks(), open_tiles(store).masks())
    assert command("pull", f"{NAME}@v2", "-o", "model")[1] == "model in model\n"
    assert not any(path.is_symlink() for path in Path("model").rglob("*"))
    loaded, own = (SpecDMPipeline.from_pretrained(folder) for folder in ("model", run / "model"))
    assert loaded.model_id == own.model_id
    assert "exists already" in refused("pull", NAME, "-o", "model")
    assert "no model of SpecDM: it has no model_index.json" in refused("pull", NAME, "-o", "new")
    assert "no such tile set" in refused("pull", "hf://datasets/me/other", "-o", "new")
    assert not Path("new").exists()


def test_refusals(hub, refused, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "does not exist" in refused("push", "./nowhere", NAME)
    assert "cannot be a name" in refused("push", run, "fields")
    assert "to write a folder, use save_pretrained" in refused("push", run, "./fields")
    assert "it has no model_index.json" in refused("sample", _other(hub), "-o", "a.zarr") 
    hub.asked.clear()
    assert "no usual place" in refused("sample", NAME) and hub.asked == [], "nothing is fetched for nothing"
    line = refused("sample", NAME, "-o", "a.zarr")
    assert "there is no folder me/fields; on the Hub, hf://me/fields: no such model" in line
    assert "no such model" in refused("annotate", "hf://me/fields", "image.npy", "-o", "mask.tif")
    Path("me").mkdir()
    hub.asked.clear()
    assert "me/fields does not exist" in refused("sample", NAME, "-o", "a.zarr") and hub.asked == []
    monkeypatch.delenv("HF_TOKEN")
    assert "hf auth login" in refused("push", run, NAME)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in refused("push", run, NAME)
    shutil.rmtree(run / "model")
    assert "specdm train" in refused("push", run, NAME)
    assert not Path("a.zarr").exists() and ("model", NAME) not in hub.repositories


def _other(hub) -> str:
    hub.add("model", "them/text", {"README.md": b"hello"})
    return "them/text"


def test_in_processes_of_their_own(hub, run: Path, hub_home: Path, tmp_path: Path) -> None:
    """As on two machines: the environment alone says where the Hub is."""
    pytest.importorskip("datasets")
    environment = os.environ | {"HF_HOME": str(hub_home), "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"}
    code = (
        "import sys; from specdm.report import push_run; import specdm\n"
        "run = sys.argv[1]\n"
        "push_run(run, 'me/fields'); push_run(run + '/synthetic/tiles.zarr', 'me/tiles')\n"
        "model = specdm.SpecDMPipeline.from_pretrained('me/fields')\n"
        "tiles = specdm.open_tiles('hf://datasets/me/tiles')\n"
        "again = model.sample(4).images()\n"
        "assert abs(again - tiles.images()).max() < 1e-4 * abs(again).max()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(run)], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    # read by a process that has never heard of the types of datasets
    code = (
        "import sys, specdm; specdm.open_tiles('hf://datasets/me/tiles', cache_dir='other').images();"
        "assert 'datasets' not in sys.modules and 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
