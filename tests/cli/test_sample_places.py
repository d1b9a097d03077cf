"""`specdm sample`: completed tiles lie where the given ones do, also from shards and as filtered copies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from little_scenes import make_little_scene
from placed_scenes import PLACES, expected_place, is_same, is_there, placed_tiles
from scene_files import write_mask

from specdm.synthesis.facts import TileFacts
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.store import open_tiles


@pytest.fixture
def ask(specdm_command):
    """A command that must work."""

    def call(*arguments: object) -> None:
        outcome = specdm_command(*arguments)
        assert outcome.code == 0, outcome.err

    return call


def test_tiles_of_several_scenes(ask, little_run: Path, tmp_path: Path) -> None:
    given = placed_tiles(tmp_path / "real.zarr")
    n = len(given) + 5
    question = ("--from", tmp_path / "real.zarr", "--known", "mask", "-n", n, "--steps", 1)
    ask("sample", little_run, *question, "-o", tmp_path / "out.zarr")
    tiles = open_tiles(tmp_path / "out.zarr")
    for i in range(n):
        assert is_there(tiles.place(i), expected_place(given, i % len(given)))
    # in Python alike
    drawn = SpecDMPipeline.from_pretrained(little_run / "model").sample(
        3, first=n - 3, given=given, known=["mask"], steps=1
    )
    assert [drawn.place(i) for i in range(3)] == [tiles.place(n - 3 + i) for i in range(3)]
    for number in (1, 2, 3):
        ask("sample", little_run, *question, "-o", tmp_path / "merged.zarr", "--shard", f"{number}/3")
    ask("merge", tmp_path / "merged.zarr")
    merged = open_tiles(tmp_path / "merged.zarr")
    assert [merged.place(i) for i in range(n)] == [tiles.place(i) for i in range(n)]
    ask("reliability", tmp_path / "out.zarr", "--real", tmp_path / "real.zarr", "--unlabel-share", 0.1,
        "-o", tmp_path / "good.zarr")  # fmt: skip
    good = open_tiles(tmp_path / "good.zarr")
    assert [good.place(i) for i in range(n)] == [tiles.place(i) for i in range(n)]


def test_files_of_two_places(ask, little_run: Path, tmp_path: Path) -> None:
    scene = make_little_scene()
    masks = [write_mask(tmp_path, scene, name=f"{name}.tif") for name in PLACES]
    for (epsg, at), mask in zip(PLACES.values(), masks, strict=True):
        with rasterio.open(mask, "r+") as file:
            file.crs, file.transform = rasterio.crs.CRS.from_epsg(epsg), at
    ask("sample", little_run, "--from", masks[0], "--from", masks[1], "-o", tmp_path / "out.zarr", "--steps", 1)
    tiles = open_tiles(tmp_path / "out.zarr")
    scenes = tiles.dataset["scene"].values.astype(str)
    assert sorted(set(scenes)) == ["north", "turned"]
    last = {name: int(np.flatnonzero(scenes == name)[-1]) for name in PLACES}
    ask("export", tmp_path / "out.zarr", "-f", "geotiff", "-o", tmp_path / "tif")
    for name, i in last.items():
        row, column = (int(tiles.dataset[key].values[i]) for key in ("window_y", "window_x"))
        with rasterio.open(tmp_path / "tif" / f"image_{i:05d}.tif") as file:
            assert is_same(file.transform, PLACES[name][1] @ rasterio.Affine.translation(column, row))
            assert file.crs.to_epsg() == PLACES[name][0]


def test_drawn_tiles_of_a_model_of_placed_scenes_lie_nowhere() -> None:
    facts = TileFacts.of(placed_tiles())
    assert "georeference" not in facts.drawn_attrs(source="model")
