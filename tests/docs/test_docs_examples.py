"""The example that makes labels dense runs; those for PyTorch are run by tests/torch_data."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from docs_pages import ROOT
from docs_runner import little_training
from little_scenes import make_little_scene
from scene_files import write_date, write_mask


def test_labels_are_made_dense(
    tmp_path: Path,
    little_settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    scene = make_little_scene(height=96, width=80)
    image, mask = write_date(tmp_path, scene), write_mask(tmp_path, scene)
    script = ROOT / "examples" / "densify_labels.py"
    options = ["--image", image, "--mask", mask, "--steps", "10", "--min-confidence", "0.4"]
    little_training(monkeypatch, little_settings)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [str(script), *map(str, options)])
    runpy.run_path(str(script), run_name="__main__")
    found = re.search(r"all of the labels kept back: (\d+) pixels, (0\.\d+|1\.000)", capsys.readouterr().out)
    assert found and int(found[1]) > 500
    dense, before = np.load(tmp_path / "dense.npy"), scene.dataset["mask"].values
    assert dense.shape == before.shape and dense.dtype == np.int16
    assert np.array_equal(dense[before >= 0], before[before >= 0]), "labels that were given stay"
    assert (dense >= 0).sum() > (before >= 0).sum()


def test_every_example_is_run_by_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*examples.py"))
    assert all(script.name in tests for script in (ROOT / "examples").glob("*.py"))
