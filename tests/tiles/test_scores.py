"""Scores of reliability in tile sets: kept by whatever keeps tiles, added to a store whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.score_writer import ScoreWriter
from specdm.tiles.scores import with_scores
from specdm.tiles.store import TileStoreWriter, open_tiles
from specdm.tiles.tileset import TileSet

N, SIZE = 70, 4
KINDS = {"masks": (2, 0), "amounts": (0, 3), "both": (1, 2)}


def some_tiles(kind: str = "masks") -> TileSet:
    layers, quantities = KINDS[kind]
    random = np.random.default_rng(0)
    masks = random.choice(np.array([-1, 3, 7], np.int16), (N, layers, SIZE, SIZE))
    return TileSet.from_arrays(
        images=random.normal(size=(N, 1, 5, SIZE, SIZE)).astype(np.float32),
        masks=masks if layers else None,
        classes=Classes.create([3, 7], ["wood", "road"]) if layers else None,
        amounts=random.random((N, quantities, SIZE, SIZE)).astype(np.float32) if quantities else None,
        quantities=Quantities.create(["a", "b", "c"][:quantities]) if quantities else None,
        split="synthetic",
        source="m",
        seed=3,
        index=np.arange(N),
    )


def some_scores(tiles: TileSet, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    layers = len(tiles.layers) + (tiles.quantities is not None)
    pixel = random.random((len(tiles), layers, SIZE, SIZE)).astype(np.float32)
    pixel[random.random(pixel.shape) < 0.2] = np.nan
    return pixel, np.nanmean(pixel, axis=(1, 2, 3))


def put_in(path: Path, tiles: TileSet, pixel: np.ndarray, tile: np.ndarray) -> None:
    with ScoreWriter(path, tiles.layout, len(tiles)) as writer:
        for start in range(0, len(tiles), 32):
            writer.write(start, pixel[start : start + 32], tile[start : start + 32])


def check_has(tiles: TileSet, pixel: np.ndarray, tile: np.ndarray) -> None:
    assert tiles.scored
    np.testing.assert_array_equal(tiles.reliability(), pixel)
    np.testing.assert_array_equal(tiles.dataset["tile_reliability"].values, tile)
    assert tiles.reliability().dtype == np.float32 and tiles.dataset["tile_reliability"].dtype == np.float32


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_is_given_scores(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "t.zarr"
    tiles = some_tiles(kind).save(path)
    assert not tiles.scored
    before = (path / "zarr.json").stat().st_mtime_ns
    pixel, tile = some_scores(tiles)
    put_in(path, tiles, pixel, tile)
    back = open_tiles(path)
    check_has(back, pixel, tile)
    assert (path / "zarr.json").stat().st_mtime_ns == before, "an evaluation of these tiles would look outdated"
    assert np.array_equal(back.images(), tiles.images())
    assert np.array_equal(back.masks(), tiles.masks()) and np.array_equal(back.amounts(), tiles.amounts())
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.zarr"]
    # again, with others
    put_in(path, back, *some_scores(tiles, seed=2))
    check_has(open_tiles(path), *some_scores(tiles, seed=2))
    # by anybody's xarray, whether or not metadata are consolidated
    for consolidated in (True, False):
        plain = xr.open_zarr(path, consolidated=consolidated)
        assert plain["tile_reliability"].dims == ("tile",) and "tile_reliability" in plain.coords
        assert TileSet(plain).scored


@pytest.mark.parametrize("kind", KINDS)
def test_what_keeps_tiles_keeps_scores(tmp_path: Path, kind: str) -> None:
    tiles = some_tiles(kind)
    pixel, tile = some_scores(tiles)
    scored = with_scores(tiles, pixel, tile)
    check_has(scored, pixel, tile)
    saved = scored.save(tmp_path / "a.zarr")
    check_has(saved, pixel, tile)
    xr.testing.assert_identical(saved.dataset.load(), scored.dataset)
    index = np.array([66, 2, 30])
    chosen = open_tiles(tmp_path / "a.zarr").select(index)
    check_has(chosen, pixel[index], tile[index])
    np.testing.assert_array_equal(scored.reliability(5), pixel[5:6])
    check_has(chosen.save(tmp_path / "b.zarr"), pixel[index], tile[index])
    check_has(with_scores(scored, pixel[::-1].copy(), tile[::-1].copy()), pixel[::-1], tile[::-1])


def test_without_scores_says_so(tmp_path: Path) -> None:
    with pytest.raises(TileError, match="no scores of reliability"):
        some_tiles().reliability()
    assert not some_tiles().save(tmp_path / "t.zarr").scored


def test_a_writer_killed_half_way_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    tiles = some_tiles().save(path)
    pixel, tile = some_scores(tiles)
    put_in(path, tiles, pixel, tile)
    killed = ScoreWriter(path, tiles.layout, len(tiles)).__enter__()
    killed.write(0, pixel[:32], tile[:32])  # and no __exit__
    check_has(open_tiles(path), pixel, tile)
    with pytest.raises(KeyboardInterrupt), ScoreWriter(path, tiles.layout, len(tiles)) as writer:
        writer.write(0, pixel[:32], tile[:32])
        raise KeyboardInterrupt
    check_has(open_tiles(path), pixel, tile)
    with (
        pytest.raises(TileError, match="38 of 70 tiles were never written"),
        ScoreWriter(path, tiles.layout, len(tiles)) as writer,
    ):
        writer.write(0, pixel[:32], tile[:32])
    check_has(open_tiles(path), pixel, tile)


@pytest.mark.parametrize("by_writer", [True, False])
def test_tile_scores_that_are_gone_are_no_scores(tmp_path: Path, by_writer: bool) -> None:
    path = tmp_path / "t.zarr"
    tiles = some_tiles()
    scores = some_scores(tiles)
    if by_writer:
        put_in(path, tiles.save(path), *scores)
    else:
        with_scores(tiles, *scores).save(path)
    assert open_tiles(path).scored
    for chunk in (path / "tile_reliability").glob("c*"):
        shutil.rmtree(chunk) if chunk.is_dir() else chunk.unlink()
    assert not open_tiles(path).scored


@pytest.mark.parametrize("moved", [("reliability",), ("reliability", "tile_reliability")])
@pytest.mark.parametrize("consolidated", [True, False])
def test_killed_while_moving_in_it_opens_as_one_without(tmp_path: Path, moved, consolidated: bool) -> None:
    """The store names them last."""
    path, other = tmp_path / "t.zarr", tmp_path / "other.zarr"
    tiles = some_tiles().save(path)
    with_scores(tiles, *some_scores(tiles)).save(other)
    for name in moved:
        shutil.copytree(other / name, path / name)
    if not consolidated:
        record = json.loads((path / "zarr.json").read_text())
        del record["consolidated_metadata"]
        (path / "zarr.json").write_text(json.dumps(record))
    back = open_tiles(path)
    assert not back.scored and "reliability" not in back.dataset
    assert np.array_equal(back.masks(), tiles.masks())
    put_in(path, tiles, *some_scores(tiles, seed=2))
    check_has(open_tiles(path), *some_scores(tiles, seed=2))


def test_a_map_with_a_missing_chunk_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    tiles = some_tiles()
    with_scores(tiles, *some_scores(tiles)).save(path)
    next((path / "reliability").glob("c.*")).unlink()
    back = open_tiles(path)
    assert not back.scored and "reliability" not in back.dataset
    assert np.array_equal(back.masks(), tiles.masks())


def test_scores_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "t.zarr"
    tiles = some_tiles().save(path)
    pixel, tile = some_scores(tiles)
    with pytest.raises(TileError, match="float64"):
        with_scores(tiles, pixel.astype(np.float64), tile)
    with pytest.raises(TileError, match="shape"):
        with_scores(tiles, pixel[:, :1], tile)
    with pytest.raises(TileError, match="expected 0 to 1"), ScoreWriter(path, tiles.layout, N) as writer:
        writer.write(0, pixel + 1, tile)
    with pytest.raises(TileError, match="for a set of 70"), ScoreWriter(path, tiles.layout, N) as writer:
        writer.write(40, pixel, tile)
    with (
        pytest.raises(TileError, match="scores are given with every tile"),
        TileStoreWriter(tmp_path / "new.zarr", tiles.layout, N, scored=True) as writer,
    ):
        coords = {key: tiles.dataset[key].values for key in ("split", "source", "tile_name", "seed", "index")}
        writer.write(0, tiles.images(), tiles.masks(), coords)
    assert not open_tiles(path).scored and [entry.name for entry in tmp_path.iterdir()] == ["t.zarr"]
