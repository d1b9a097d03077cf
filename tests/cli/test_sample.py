"""`specdm sample`: what is written and what is refused; a stand-in takes the model's place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from specdm.tiles.store import open_tiles


def test_tiles_are_written_batch_by_batch(specdm_command, trained) -> None:
    run, calls = trained
    outcome = specdm_command("sample", run, "-n", 11, "--seed", 3, "--batch-size", 4, "--steps", 5)
    assert outcome.code == 0, outcome.err
    tiles = open_tiles(run / "synthetic" / "tiles.zarr")
    assert tiles.dataset["index"].values.tolist() == list(range(11))
    assert tiles.dataset["seed"].values.tolist() == [3] * 11
    assert tiles.images()[:, 0, 0, 0, 0].tolist() == [3000.0 + i for i in range(11)]
    assert (tiles.masks() == 2).all() and (tiles.split == "synthetic").all()
    assert [(call["first"], call["n"]) for call in calls] == [(0, 4), (4, 4), (8, 3)]
    assert all(call["steps"] == 5 for call in calls)


def test_composition_reaches_the_model(specdm_command, trained) -> None:
    run, calls = trained
    assert specdm_command("sample", run, "-n", 1, "--composition", "class 2=0.5").code == 0
    assert calls[0]["composition"] == {"class 2": 0.5}


def test_an_existing_set_is_kept_unless_told(refused, specdm_command, trained) -> None:
    run, _ = trained
    assert specdm_command("sample", run, "-n", 2).code == 0
    assert "--overwrite" in refused("sample", run, "-n", 3)
    assert specdm_command("sample", run, "-n", 3, "--overwrite").code == 0
    assert len(open_tiles(run / "synthetic" / "tiles.zarr")) == 3


def test_overwriting_never_replaces_something_else(refused, trained, tmp_path: Path) -> None:
    run, _ = trained
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").write_bytes(b"cat")
    assert "photos" in refused("sample", run, "-n", 1, "-o", photos, "--overwrite")


def test_a_model_folder_will_do(refused, specdm_command, trained, tmp_path: Path) -> None:
    run, _ = trained
    model = shutil.copytree(run / "model", tmp_path / "model")
    assert "-o" in refused("sample", model, "-n", 2)
    assert specdm_command("sample", model, "-n", 2, "-o", tmp_path / "out.zarr").code == 0
    assert np.isfinite(open_tiles(tmp_path / "out.zarr").images()).all()


def test_refusals(refused, trained, files, tmp_path: Path) -> None:
    run, calls = trained
    assert "is a file" in refused("sample", run, "-o", files.image / "out.zarr")
    assert "nowhere" in refused("sample", tmp_path / "nowhere")
    assert "--composition" in refused("sample", run, "--composition", "much")
    shutil.rmtree(run / "model")
    assert "specdm train" in refused("sample", run)
    assert calls == []


@pytest.mark.parametrize("arguments", [["-n", 0], ["--batch-size", 0], ["--steps", 0]])
def test_numbers_out_of_range(refused, trained, arguments) -> None:
    assert arguments[0] in refused("sample", trained[0], *arguments)
