"""Commands that write where another process is writing: one line, exit code 2, and nothing changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from lock_holder import held_by_another

from specdm.report.run_folder import RunFolder
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.unfinished import unfinished_folder
from specdm.training.run_lock import FOLDER


@pytest.fixture
def run(little_run: Path, little_tiles, tmp_path: Path) -> Path:
    """A finished run with real and synthetic tiles."""
    folder = RunFolder(shutil.copytree(little_run, tmp_path / "run"))
    little_tiles.save(folder.tiles)
    SpecDMPipeline.from_pretrained(folder.model).sample(4, seed=0).save(folder.synthetic)
    return folder.path


def test_train(files, no_training: list[dict], refused: Callable[..., str], tmp_path: Path) -> None:
    run = tmp_path / "new"
    with held_by_another(run / FOLDER, what="specdm train") as other:
        told = refused("train", files.image, "--mask", files.mask, "-o", run, "--tile-size", 16)
        assert told.startswith(f"specdm: {run}: another process (specdm train, process {other.pid} on ")
        assert "wait until it has ended or stop it, or choose another folder" in told
    assert not no_training


def test_train_frees_the_run(files, no_training: list[dict], specdm_command, tmp_path: Path) -> None:
    for _ in range(2):
        outcome = specdm_command("train", files.image, "--mask", files.mask, "-o", tmp_path / "new", "--tile-size", 16)
        assert outcome.code == 0, outcome.err


def test_distill(run: Path, refused: Callable[..., str]) -> None:
    with held_by_another(run / FOLDER, what="specdm train"):
        assert "another process (specdm train, process " in refused("distill", run, "-e", 2)


def test_reliability_of_tiles_that_are_being_drawn(run: Path, refused: Callable[..., str]) -> None:
    with held_by_another(unfinished_folder(RunFolder(run).synthetic)):
        assert "is writing this tile set; wait for it" in refused("reliability", run)


def test_reliability_into_a_copy_that_is_being_written(run: Path, refused: Callable[..., str]) -> None:
    output = RunFolder(run).synthetic.with_name("reliable.zarr")
    with held_by_another(unfinished_folder(output)):
        assert f"{output}: another process" in refused("reliability", run, "--drop-below", 0.1)


def test_sampling_over_tiles_that_are_being_judged(run: Path, refused: Callable[..., str]) -> None:
    with held_by_another(unfinished_folder(RunFolder(run).synthetic)):
        assert "is writing this tile set" in refused("sample", run, "-n", 2, "--overwrite")
