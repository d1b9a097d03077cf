"""Tiles know where they lie as long as they are what was cut there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rioxarray  # noqa: F401
import xarray as xr
from little_scenes import make_little_scene
from placed_scenes import SHEARED, TURNED, expected_place, is_there, placed, placed_scenes, placed_tiles
from rasterio.transform import Affine

from specdm.scenes.georeference import georeference_of
from specdm.scenes.scene import Scene
from specdm.tiles.georeference import GEOREFERENCE, completed_ground, scene_places
from specdm.tiles.scores import with_scores
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes


@pytest.mark.parametrize("stored", [False, True])
def test_every_tile_lies_where_it_was_cut(tmp_path: Path, stored: bool) -> None:
    tiles = placed_tiles(tmp_path / "tiles.zarr" if stored else None)
    expected = [expected_place(tiles, i) for i in range(len(tiles))]
    assert len({found[0] for found in expected if found}) == 2 and None in expected
    assert all(is_there(tiles.place(i), expected[i]) for i in range(len(tiles)))


def test_plain_readers_find_it(tmp_path: Path) -> None:
    placed_tiles(tmp_path / "tiles.zarr")
    record = json.loads(xr.open_zarr(tmp_path / "tiles.zarr").attrs[GEOREFERENCE])
    assert sorted(record["scenes"]) == ["north", "turned"] and len(record["crs_wkt"]) == 2
    assert record["scenes"]["north"]["transform"] == [0.0001, 0.0, 11.5, 0.0, -0.0001, 48.25]


def test_it_stays_with_selected_saved_and_judged_tiles(tmp_path: Path) -> None:
    tiles = placed_tiles()
    order = np.random.default_rng(0).permutation(len(tiles))
    chosen = tiles.select(order).train.save(tmp_path / "chosen.zarr")
    maps = np.full((len(chosen), 1, 16, 16), 0.5, np.float32)
    judged = with_scores(chosen, maps, np.full(len(chosen), 0.5, np.float32)).save(tmp_path / "judged.zarr")
    for i, was in enumerate(order):
        assert is_there(chosen.place(i), expected_place(tiles, was))
        assert is_there(judged.place(i), expected_place(tiles, was))


@pytest.mark.parametrize("where", ["north", "nowhere"])
def test_imagery_without_labels_has_a_place_of_its_own(where: str) -> None:
    labelled = next(scene for scene in placed_scenes() if scene.name == where)
    more = next(scene for scene in placed_scenes() if scene.name == "turned")
    tiles = tile_scenes(labelled, size=16, stride=16, split="none", unlabelled=more)
    assert set(tiles.dataset["source"].values) == {where, "turned"}
    assert all(is_there(tiles.place(i), expected_place(tiles, i)) for i in range(len(tiles)))


def test_scenes_opened_together_keep_their_own_places() -> None:
    found = {scene.name: georeference_of(scene.dataset["image"]) for scene in placed_scenes()}
    assert found["nowhere"] is None
    assert found["turned"]["transform"] == list(TURNED)[:6] and "UTM zone 33N" in found["turned"]["crs"]


def test_a_part_of_a_raster_lies_where_that_part_lies() -> None:
    whole = placed(make_little_scene(), epsg=32633, transform=Affine(10.0, 0, 7e5, 0, -10.0, 5e6))
    part = Scene(whole.dataset.isel(y=slice(8, 40), x=slice(16, 40)))
    tiles = tile_scenes(part, size=16, stride=16, split="none")
    np.testing.assert_allclose(tiles.place(0).transform, (10.0, 0, 7e5 + 160, 0, -10.0, 5e6 - 80))


def test_a_transform_without_a_reference_system() -> None:
    tiles = tile_scenes(placed(make_little_scene(), epsg=None, transform=SHEARED), size=16, stride=16, split="none")
    assert tiles.place(0).crs_wkt is None and tiles.place(0).transform == tuple(SHEARED)[:6]


def test_sets_without_a_place_say_nothing_of_it(tmp_path: Path) -> None:
    tiles = tile_scenes(make_little_scene(), size=16, split="none", path=tmp_path / "tiles.zarr")
    assert GEOREFERENCE not in tiles.dataset.attrs and tiles.place(0) is None


@pytest.mark.parametrize("text", ['{"mask": {"crs": "EPSG:32633", "transform": [1, 0, 0, 0, -1, 0]}}', "{}", "no JSON"])
def test_what_other_versions_wrote_opens_without_a_place(tmp_path: Path, text: str) -> None:
    tiles = placed_tiles()
    tiles.dataset.attrs[GEOREFERENCE] = text
    assert scene_places(tiles.dataset.attrs) == {}
    assert tiles.save(tmp_path / "tiles.zarr").place(0) is None


def test_drawn_tiles_inherit_no_place() -> None:
    """Not even from attributes that a model's tiles were trained on, or by the name of a scene."""
    real = placed_tiles()
    attrs = {GEOREFERENCE: real.dataset.attrs[GEOREFERENCE]}
    drawn = TileSet.from_arrays(
        images=real.images(), masks=real.masks(), classes=real.classes, split="synthetic", source="north", seed=0,
        index=np.arange(len(real)), attrs=attrs,
    )  # fmt: skip
    assert all(drawn.place(i) is None for i in range(len(drawn)))


def test_completed_tiles_lie_where_the_given_ones_do(tmp_path: Path) -> None:
    given = placed_tiles()
    index = np.arange(3, 3 + 2 * len(given)) % len(given)
    drawn = TileSet.from_arrays(
        images=given.images(index), masks=given.masks(index), classes=given.classes, split="synthetic", source="model",
        seed=0, index=np.arange(len(index)), attrs={GEOREFERENCE: given.dataset.attrs[GEOREFERENCE]},
    )  # fmt: skip
    ground = {key: ("tile", values) for key, values in completed_ground(given.dataset, index).items()}
    saved = TileSet(drawn.dataset.assign_coords(ground)).save(tmp_path / "drawn.zarr")
    again = open_tiles(tmp_path / "drawn.zarr").select(slice(5, None)).save(tmp_path / "part.zarr")
    for i, was in enumerate(index):
        assert is_there(saved.place(i), expected_place(given, was))
        assert i < 5 or is_there(again.place(i - 5), expected_place(given, was))
    # given tiles that complete others themselves
    twice = completed_ground(saved.dataset, np.array([4, 0]))
    assert twice["scene"].tolist() == [str(given.dataset["source"].values[index[i]]) for i in (4, 0)]


def test_many_scenes_share_their_reference_systems() -> None:
    at = [Affine(10, 0, i, 0, -10, 5) for i in range(5)]
    scenes = [placed(make_little_scene(name=f"s{i}"), epsg=32633, transform=one) for i, one in enumerate(at)]
    tiles = tile_scenes(scenes, size=16, stride=16, split="none")
    assert len(json.loads(tiles.dataset.attrs[GEOREFERENCE])["crs_wkt"]) == 1
