"""`specdm export`: a tile set, a run, and what is refused in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from specdm.tiles.export.envi import EnviFiles
from specdm.tiles.tileset import TileSet


@pytest.fixture
def store(tmp_path: Path, little_tiles: TileSet) -> Path:
    little_tiles.select(slice(0, 4)).save(tmp_path / "tiles.zarr")
    return tmp_path / "tiles.zarr"


def test_a_tile_set(specdm_command, store: Path, tmp_path: Path, little_tiles: TileSet) -> None:
    outcome = specdm_command("export", store, "-f", "npz", "-o", tmp_path / "out")
    assert outcome.code == 0 and f"4 tiles in {tmp_path / 'out'}" in outcome.out
    found = np.load(tmp_path / "out" / "tile_00003.npz")
    np.testing.assert_array_equal(found["image"], little_tiles.images(3)[0, 0])


def test_the_synthetic_tiles_of_a_run(specdm_command, refused, store: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text("")
    line = refused("export", run, "-f", "npz", "-o", tmp_path / "out")
    assert "has no synthetic tiles; first run: specdm sample" in line
    shutil.copytree(store, run / "synthetic" / "tiles.zarr")
    assert specdm_command("export", run, "-f", "geotiff", "-o", run / "geotiff").code == 0
    assert len(list((run / "geotiff").glob("image_*.tif"))) == 4


def test_what_changes_is_said_before_it_is_written(
    specdm_command, tmp_path: Path, little_tiles: TileSet, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from specdm.scenes.classes import Classes

    classes = Classes.create([2, 5, 7], ["grass, dry", "soil", "water"])
    dataset = little_tiles.select(slice(0, 1)).dataset
    mask = dataset["mask"].copy()
    mask.attrs = classes.to_attrs()
    TileSet(dataset.assign(mask=mask)).save(tmp_path / "tiles.zarr")
    told: list[str] = []
    with monkeypatch.context() as patch:
        # what has been printed when the first tile is written
        def write(self, tile, written=EnviFiles.write):
            told.append(capsys.readouterr().out)
            return written(self, tile)

        patch.setattr(EnviFiles, "write", write)
        assert specdm_command("export", tmp_path / "tiles.zarr", "-f", "envi", "-o", tmp_path / "out").code == 0
    assert "note: names in ENVI headers hold no commas" in told[0]


def test_an_existing_folder(refused, specdm_command, store: Path, tmp_path: Path) -> None:
    assert specdm_command("export", store, "-f", "npz", "-o", tmp_path / "out").code == 0
    assert "exists already; add --overwrite" in refused("export", store, "-f", "npz", "-o", tmp_path / "out")
    assert specdm_command("export", store, "-f", "mat", "-o", tmp_path / "out", "--overwrite").code == 0


def test_an_unknown_format(refused, store: Path, tmp_path: Path) -> None:
    line = refused("export", store, "-f", "shapefile", "-o", tmp_path / "out")
    assert "no export format 'shapefile'; expected one of geotiff, envi, npz, mat, webdataset, hf" in line


def test_a_folder_that_is_neither(refused, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    line = refused("export", tmp_path / "photos", "-f", "npz", "-o", tmp_path / "out")
    assert "neither a tile set" in line and "nor a run folder" in line
    assert "does not exist" in refused("export", tmp_path / "nothing", "-f", "npz", "-o", tmp_path / "out")


def test_a_store_with_a_missing_chunk(refused, store: Path, tmp_path: Path) -> None:
    next(path for path in sorted((store / "image").rglob("*")) if path.is_file() and path.name != "zarr.json").unlink()
    assert "damaged" in refused("export", store, "-f", "npz", "-o", tmp_path / "out")


def test_a_store_with_a_broken_chunk(refused, store: Path, tmp_path: Path) -> None:
    chunk = next(path for path in (store / "mask").rglob("*") if path.is_file() and path.name != "zarr.json")
    chunk.write_bytes(b"not zstd")
    assert "the store is damaged" in refused("export", store, "-f", "npz", "-o", tmp_path / "out")


def test_an_output_within_the_tiles(refused, store: Path) -> None:
    for output in (store, store / "export", store.parent):
        assert "choose another folder" in refused("export", store, "-f", "npz", "-o", output, "--overwrite")


def test_a_place_below_a_file(refused, store: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "is a file" in refused("export", store, "-f", "npz", "-o", tmp_path / "file" / "out")


def test_too_little_space(refused, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: type("Usage", (), {"free": 1000})())
    assert "only 1 kB are free" in refused("export", store, "-f", "npz", "-o", tmp_path / "out")
