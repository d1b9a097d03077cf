"""What `specdm usefulness` refuses: one line, exit code 2, and nothing made."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from little_grid import ASKED
from little_scenes import make_little_scene

from specdm.report.run_folder import RunFolder
from specdm.training.config import read_config


@pytest.fixture
def refused(specdm_command, tmp_path: Path):
    """Run a command that must end with exit code 2, one line, and no file made; returns the line."""

    def call(*arguments: object) -> str:
        before = sorted(tmp_path.rglob("*"))
        outcome = specdm_command("usefulness", *arguments)
        assert outcome.code == 2 and outcome.err.startswith("specdm: ") and outcome.err.count("\n") == 1, outcome
        assert [path for path in sorted(tmp_path.rglob("*")) if "__pycache__" not in path.parts] == before
        return outcome.err

    return call


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--arms", "real,reel"], "there is no arm 'reel'; choose from real, "),
        (["--arms", "real,real"], "arms is real, real; expected at least one, each once"),
        (["--model", "unet", "--model", "vgg"], "there is no network 'vgg'"),
        (["--models", "unet,vgg"], "there is no network 'vgg'"),
        (["--model", "siamese"], "compares two dates"),
        (["--model", "no_such_package.module:build"], "cannot import no_such_package.module"),
        (["--model", "pixelwise_net:wrong"], "gives (2, 4, 16, 16) for tiles (2, 12, 16, 16)"),
        (["--shares", "2"], "a share of the labels is 2; expected above 0, to 1"),
        (["--shares", "1,0"], "a share of the labels is 0"),
        (["--shares", "half"], "--shares half: expected numbers"),
        (["--test-spectra", "hidden"], "test spectra are 'hidden'; expected some of run, seen, unseen"),
        (["--device", "tpu"], "device is 'tpu'; expected auto, cpu or cuda"),
        (["--seeds", 0], "--help"),
        (["--jobs", 0], "--help"),
    ],
)
def test_what_cannot_be(refused, run: Path, own_network: str, arguments: list, told: str) -> None:
    assert told in refused(run, *arguments)


def test_no_run_and_no_tiles(refused, run: Path, tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no run folder" in refused(tmp_path / "empty")
    shutil.rmtree(run / "tiles")
    assert "specdm train" in refused(run)


def test_nothing_to_judge_on(refused, run: Path) -> None:
    tiles = RunFolder(run).tiles
    shutil.rmtree(tiles)
    make_little_scene().tile(size=16, stride=8, split="none").save(tiles)
    assert "has no labelled test tile, so nothing can be judged" in refused(run)


@pytest.mark.parametrize(("option", "value"), [("--steps", 5), ("--tiles", 8)])
def test_other_settings_than_those_of_the_records(refused, done: Path, option: str, value: int) -> None:
    asked = [*ASKED, option, value]
    line = refused(done, *asked)
    name, there = option.removeprefix("--"), {"--steps": 3, "--tiles": 4}[option]
    assert f"has records of other settings: {name} {there} there, {value} now" in line
    assert f"remove {done / 'usefulness' / 'records'} to begin anew" in line


def test_records_of_other_tiles(refused, done: Path) -> None:
    tiles = RunFolder(done).tiles
    shutil.rmtree(tiles)
    make_little_scene(height=96).tile(size=16, stride=8, test_share=0.4).save(tiles)
    assert "held-out tiles 1 there" in refused(done, *ASKED)


def test_a_damaged_record_is_named(refused, done: Path) -> None:
    (done / "usefulness" / "records" / "svm-spectra-100pc-seed0-run.json").write_text("{")
    assert "svm-spectra-100pc-seed0-run.json is damaged" in refused(done, *ASKED)


def test_the_baseline_reads_no_masks(refused, run: Path) -> None:
    config = RunFolder(run).config
    there = read_config(config)
    config.write_text(there.model_copy(update={"codec": there.codec.model_copy(update={"together": True})}).to_yaml())
    assert "preset ldm, whose model reads no masks off images, as dense, pretrained would need" in refused(
        run, "--arms", "real,real+drawn,dense,pretrained,svm"
    )


def test_no_gpu(refused, run: Path, monkeypatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert "torch finds no GPU" in refused(run, "--device", "cuda")
