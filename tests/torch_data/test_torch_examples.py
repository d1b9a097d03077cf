"""The examples run as they stand: on the embedded scene, and on a run folder with synthetic tiles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from torch_tiles import numbered_tiles, scored

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def output_of(name: str, *options: object, folder: Path) -> str:
    command = [sys.executable, str(EXAMPLES / name), "--steps", "5", *map(str, options)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("examples") / "run"
    numbered_tiles(18, split=np.repeat(["train", "test"], 9)).save(folder / "tiles" / "tiles.zarr")
    scored(numbered_tiles(30, start=100, split="synthetic")).save(folder / "synthetic" / "tiles.zarr")
    return folder


def test_plain_loop_on_the_embedded_scene(tmp_path):
    said = output_of("train_segmentation.py", folder=tmp_path)
    assert "step 5: loss" in said
    accuracy = re.search(r"overall accuracy on (\d+) test pixels: (0\.\d+)", said)
    assert accuracy and int(accuracy[1]) > 500 and float(accuracy[2]) > 0.1


def test_lightning_on_the_embedded_scene(tmp_path):
    said = output_of("train_lightning.py", folder=tmp_path)
    assert "trained 5 steps, loss" in said and "test_accuracy" in said
    assert not list(tmp_path.iterdir())


def test_plain_loop_on_a_run(run_folder):
    assert "50% of the batch synthetic" in output_of(
        "train_segmentation.py", "--run", run_folder, "--ratio", 0.5, folder=run_folder
    )


def test_lightning_on_a_run(run_folder):
    options = ("--run", run_folder, "--ratio", 0.5, "--weights", "reliability")
    assert "trained 5 steps" in output_of("train_lightning.py", *options, folder=run_folder)
