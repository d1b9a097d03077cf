"""Tiles of several dates: labels, layers, derived change, and sensors with bands of their own."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_scenes import dated_scene

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.scenes.scene import Scene
from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.store import TileStoreWriter, open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes

SENSORS = {"date_sensor": [0, 1], "band_sensor": [0, 0, 0, 1, 1]}


def sensor_scene(seed=0, *, gaps=0.05):
    """Date 1 with three bands, date 2 with two others; about `gaps` of each date's own values are missing."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(2, 5, 24, 24)).astype(np.float32)
    image[rng.random(image.shape) < gaps] = np.nan
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x"), coords={"date": ["optical", "radar"]}),
        mask=xr.DataArray(np.ones((1, 24, 24), np.int16), dims=("layer", "y", "x"), coords={"layer": ["change"]}),
        classes=Classes.create([1], ["changed"]),
        amounts=xr.DataArray(np.ones((1, 24, 24)), dims=("quantity", "y", "x")),
        name="two sensors",
        **SENSORS,
    )


def some_dates(*, layers, n=3, dates=("before", "after"), classes=None, seed=0, **options):
    rng = np.random.default_rng(seed)
    classes = classes or Classes.create([-7, 2, 5], ["a", "b", "c"])
    return TileSet.from_arrays(
        images=rng.normal(size=(n, len(dates), 2, 4, 4)).astype(np.float32),
        masks=rng.choice(np.array([-1, *classes.values], np.int16), (n, len(layers), 4, 4)),
        classes=classes,
        dates=dates,
        layers=layers,
        split="train",
        source="s",
        **options,
    )


def test_change_sets_carry_both_dates(tmp_path):
    scene = dated_scene(layers=["change"], dates=["2000-03-17", "2003-02-06"])
    tiles = tile_scenes(scene, size=8, path=tmp_path / "t.zarr")
    assert tiles.dates == ("2000-03-17", "2003-02-06")
    assert tiles.layers == ("change",)
    assert tiles.task == tiles.dataset.attrs["task"] == "change"
    assert tiles.images().shape[1] == 2
    with pytest.raises(TileError, match="use masks"):
        tiles.change_masks()


def test_dates_named_by_number_stay_numbers(tmp_path):
    tiles = some_dates(layers=["change"], dates=[2017, 2019]).save(tmp_path / "t.zarr")
    assert tiles.dates == (2017, 2019)
    assert all(type(date) is int for date in tiles.dates)


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(max_examples=15, deadline=None)
def test_derived_change_agrees_with_the_masks(seed, n_dates):
    names = [f"d{i}" for i in range(n_dates)]
    tiles = some_dates(layers=names, dates=names, seed=seed)
    masks, change = tiles.masks(), tiles.change_masks()
    assert change.dtype == np.int8 and change.shape == (3, 4, 4)
    unknown = (masks[:, 0] == -1) | (masks[:, -1] == -1)
    assert np.array_equal(change == -1, unknown)
    assert np.array_equal(change == 1, ~unknown & (masks[:, 0] != masks[:, -1]))
    assert np.array_equal(tiles.change_masks([2]), change[2:])
    assert tiles.task == "semantic_change"


def test_layers_of_scenes_with_other_dates_go_by_the_shared_names():
    scenes = [
        dated_scene(layers=dates, dates=dates, name=name, seed=i)
        for i, (name, dates) in enumerate([("rome", ("2016", "2018")), ("oslo", ("2017", "2019"))])
    ]
    tiles = tile_scenes(scenes, size=8)
    assert tiles.layers == tuple(str(date) for date in tiles.dates) == ("date 1", "date 2")
    assert tiles.task == "semantic_change"


def test_label_counts_of_layers():
    tiles = some_dates(layers=["before", "after"])
    masks = tiles.masks()
    for layer, name in enumerate(tiles.layers):
        expected = [(masks[:, layer] == value).sum() for value in tiles.classes.values]
        assert list(tiles.label_counts_of(layer)) == list(tiles.label_counts_of(name)) == expected
    assert np.array_equal(tiles.label_counts_of(0) + tiles.label_counts_of(1), tiles.label_counts())
    for wrong in (2, -1, "now"):
        with pytest.raises(TileError, match="before, after"):
            tiles.label_counts_of(wrong)


def test_an_unlabelled_layer_is_named_in_the_problems():
    scene = dated_scene(layers=["before", "after"])
    scene.dataset["mask"][1] = -1
    lines = tile_scenes(scene, size=8).problems
    assert "mask layers without a labelled pixel in the training tiles: after" in lines


# -- two sensors on one grid -------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=10, deadline=None)
def test_no_data_is_judged_on_a_dates_own_bands(tmp_path_factory, seed, stored):
    scene = sensor_scene(seed)
    path = tmp_path_factory.mktemp("t") / "t.zarr" if stored else None
    tiles = tile_scenes(scene, size=8, stride=8, split="none", max_nodata=1.0, path=path)
    images = tiles.images()
    gaps = np.isnan(images[:, 0, :3]).any(axis=1) | np.isnan(images[:, 1, 3:]).any(axis=1)
    assert np.isnan(images[:, 0, 3:]).all() and np.isnan(images[:, 1, :3]).all()
    assert gaps.any() and not gaps.all()
    assert np.array_equal(tiles.masks()[:, 0] == -1, gaps)
    assert np.array_equal(np.isnan(tiles.amounts()[:, 0]), gaps)


def test_sensors_come_back_from_the_store(tmp_path):
    tiles = tile_scenes(sensor_scene(), size=8, path=tmp_path / "t.zarr")
    assert tiles.date_sensor == (0, 1) and tiles.band_sensor == (0, 0, 0, 1, 1)
    assert [list(tiles.bands_of(date)) for date in range(2)] == [[0, 1, 2], [3, 4]]
    assert list(tiles.train.select([0]).bands_of(1)) == [3, 4]
    again = tiles.save(tmp_path / "u.zarr")
    xr.testing.assert_identical(again.dataset.load(), open_tiles(tmp_path / "t.zarr").dataset.load())


def test_one_sensor_needs_no_numbers():
    tiles = some_dates(layers=["change"], date_sensor=[3, 3], band_sensor=[3, 3])
    assert tiles.date_sensor is None and "band_sensor" not in tiles.dataset.coords
    assert list(tiles.bands_of(1)) == [0, 1]


def test_values_in_bands_of_the_other_sensor_are_refused(tmp_path):
    tiles = tile_scenes(sensor_scene(), size=8)
    layout, coords = TileLayout.of(tiles.dataset), tile_coords(1, split="train", source="s")
    image = tiles.images(0)
    image[0, 1, 0, 2, 2] = 1.0
    with pytest.raises(TileError, match="date radar has values"), TileStoreWriter(tmp_path / "t", layout, 1) as writer:
        writer.write(0, image, tiles.masks(0), coords, tiles.amounts(0))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"date_sensor": [0, 1]}, "go together"),
        ({"date_sensor": [0, 1], "band_sensor": [0, 0]}, "expected the same"),
        ({"date_sensor": [0, 1, 1], "band_sensor": [0, 1]}, "give one each"),
        ({"dates": ("now", "now")}, "same label"),
        ({"layers": ("x", "x")}, "same label"),
        ({"layers": ("x", "y", "z"), "masks": np.full((3, 1, 4, 4), -1, np.int16)}, r"expected int16 of shape \(3, 3"),
    ],
)
def test_dates_and_sensors_that_do_not_fit(change, words):
    known = {
        "images": np.full((3, 2, 2, 4, 4), np.nan, np.float32),
        "masks": np.full((3, 2, 4, 4), -1, np.int16),
        "split": "train",
        "source": "s",
    }
    with pytest.raises(TileError, match=words):
        TileSet.from_arrays(**{**known, **change})
