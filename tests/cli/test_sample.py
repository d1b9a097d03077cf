"""`specdm sample`: what is written and what is refused; a stand-in takes the model's place."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

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
    assert "(seed 0, not 4); add --overwrite" in refused("sample", run, "-n", 3, "--seed", 4)
    assert "(steps 8, not 5); add --overwrite" in refused("sample", run, "-n", 2, "--steps", 5)
    assert "(tiles 2, not 1); add --overwrite" in refused("sample", run, "-n", 1)
    assert specdm_command("sample", run, "-n", 3, "--seed", 4, "--overwrite").code == 0
    assert open_tiles(run / "synthetic" / "tiles.zarr").dataset["seed"].values.tolist() == [4] * 3


def test_the_same_again_draws_nothing_and_more_only_what_is_missing(specdm_command, trained) -> None:
    run, calls = trained
    assert specdm_command("sample", run, "-n", 2).code == 0
    again = specdm_command("sample", run, "-n", 2)
    assert again.code == 0 and "is there already" in again.out and len(calls) == 1
    more = specdm_command("sample", run, "-n", 5, "--batch-size", 2)
    assert more.code == 0 and "has 2 of 5 tiles already" in more.out
    assert [(call["first"], call["n"]) for call in calls[1:]] == [(2, 2), (4, 1)]
    tiles = open_tiles(run / "synthetic" / "tiles.zarr")
    assert tiles.images()[:, 0, 0, 0, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert tiles.dataset["index"].values.tolist() == [0, 1, 2, 3, 4]


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


def test_what_is_about_given_files_is_refused_without_them(refused, trained, files, tmp_path: Path) -> None:
    run, calls = trained
    for arguments in (["--nodata", 0], ["--class-names", "1=x"], ["--unlabelled-value", 7], ["--no-paste"]):
        told = refused("sample", run, "-n", 2, *arguments)
        assert f"{arguments[0]} is about what is given; name it with --from FILE" in told
    (tmp_path / "set.zarr").mkdir()
    (tmp_path / "set.zarr" / "zarr.json").write_text('{"attributes": {"specdm_version": "0"}}')
    told = refused("sample", run, "--from", tmp_path / "set.zarr", "--known", "image", "--scale", 0.0001)
    assert "--scale is about how images are read" in told
    assert calls == []


def test_a_class_has_one_share(refused, trained) -> None:
    assert "grass is there twice" in refused("sample", trained[0], "--composition", "grass=0.1,grass=0.9")


@pytest.mark.parametrize("arguments", [["-n", 0], ["--batch-size", 0], ["--steps", 0], ["--seed", 10**20]])
def test_numbers_out_of_range(refused, trained, arguments) -> None:
    assert arguments[0] in refused("sample", trained[0], *arguments)


def test_a_device_that_is_not_there(refused, trained) -> None:
    run, calls = trained
    assert "expected auto, cpu or cuda" in refused("sample", run, "-n", 2, "--device", "tpu")
    if not torch.cuda.is_available():
        assert "torch finds no GPU here" in refused("sample", run, "-n", 2, "--device", "cuda")
    assert not calls
