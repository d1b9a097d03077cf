"""Imagery that nobody labelled joins the training tiles, and changes nothing else."""

import numpy as np
import pytest
import xarray as xr
from made_scenes import amount_scene, dated_scene, made_scene

from specdm.errors import SceneError, TileError
from specdm.scenes.collection import SceneCollection
from specdm.scenes.scene import Scene
from specdm.tiles.store import open_tiles
from specdm.tiles.tiling import tile_scenes

SAME = ("split", "source", "window_y", "window_x", "tile_name")


def imagery(height=24, width=20, *, name="more", sources=(), bands=3, dates=1, **options):
    """A scene without a mask, band 0 of which holds row * 1000 + column."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([[y * 1000 + x + band for band in range(bands)]] * dates).astype(np.float32)
    options = {"wavelength": np.linspace(450.0, 2400.0, bands), "units": "reflectance"} | options
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x")), name=name, sources=sources, **options
    )


def same_labelled_tiles(with_more, alone):
    part = with_more.of_labelled_scenes()
    for key in SAME:
        assert np.array_equal(part.dataset[key].values, alone.dataset[key].values), key
    assert np.array_equal(part.images(), alone.images()) and np.array_equal(part.masks(), alone.masks())


@pytest.mark.parametrize("split", ["blocks", "none"])
@pytest.mark.parametrize("limits", [{}, {"max_train_tiles": 30}, {"stride": 4}])
def test_labelled_scenes_are_split_as_without_it(split, limits):
    scene, more = made_scene(), [imagery(name="one"), imagery(60, 60, name="two")]
    alone = tile_scenes(scene, size=8, split=split, **limits)
    tiles = scene.tile(size=8, split=split, unlabelled=more, **limits)
    same_labelled_tiles(tiles, alone)
    assert tiles.provenance["blocks"] == alone.provenance["blocks"]
    assert tiles.unlabelled_sources == ("one", "two")
    others = tiles.select(~tiles.annotated)
    assert set(others.split) == {"train"} and set(others.dataset["source"].values) == {"one", "two"}
    assert len(others) <= limits.get("max_train_tiles", 10_000)
    assert (others.masks() == -1).all()
    y, x = (others.dataset[key].values for key in ("window_y", "window_x"))
    assert np.array_equal(others.images()[:, 0, 0, 0, 0], y * 1000 + x)


def test_scenes_without_a_mask_among_the_others_are_such_imagery(tmp_path):
    """Also where a collection has given them an empty mask, in whatever order they come, and from a store."""
    scene, more = made_scene(), imagery()
    alone = tile_scenes(scene, size=8)
    assert alone.unlabelled_sources == () and alone.annotated.all() and alone.of_labelled_scenes() is alone
    together = SceneCollection.create([more, scene], name="both")
    assert [one.annotated for one in together] == [False, True]
    for scenes in ([scene, more], [more, scene], together):
        same_labelled_tiles(tile_scenes(scenes, size=8), alone)
    stored = tile_scenes([more, scene], size=8, path=tmp_path / "tiles.zarr")
    assert open_tiles(tmp_path / "tiles.zarr").unlabelled_sources == ("more",)
    assert not stored.train.annotated.all() and stored.test.annotated.all()
    assert any("without labels" in line and "more" in line for line in stored.problems)


def test_a_labelled_scene_without_a_label_is_no_such_imagery():
    """Somebody looked at it and left it all out."""
    empty = made_scene(24, 24, name="empty", mask=np.full((24, 24), -1, np.int16))
    tiles = tile_scenes([made_scene(), empty], size=8)
    assert tiles.annotated.all()


def test_nothing_labelled_at_all_is_split_as_ever():
    tiles = tile_scenes([imagery(48, 40, name="a"), imagery(48, 40, name="b")], size=8)
    assert tiles.annotated.all() and len(tiles.test)


def test_a_mask_of_further_imagery_is_not_looked_at():
    tiles = made_scene().tile(size=8, unlabelled=made_scene(24, 24, name="other", classes=3))
    assert tiles.unlabelled_sources == ("other",)
    assert (tiles.masks()[~tiles.annotated] == -1).all()


def test_amounts_are_unknown():
    scene = amount_scene(sum_to_one=True)
    more = imagery(bands=2, wavelength=None, units=None)
    tiles = scene.tile(size=8, unlabelled=more)
    assert np.isnan(tiles.amounts()[~tiles.annotated]).all()
    same = tiles.of_labelled_scenes()
    np.testing.assert_array_equal(same.amounts(), scene.tile(size=8).amounts())


def test_several_dates():
    scene = dated_scene(layers=("before", "after"))
    more = imagery(dates=2, wavelength=None, units=None)
    tiles = scene.tile(size=8, unlabelled=more)
    assert tiles.dates == ("before", "after") and tiles.layers == ("before", "after")
    same_labelled_tiles(tiles, scene.tile(size=8))
    with pytest.raises(SceneError, match=r"late\.tif: imagery without labels has 1 dates, made has 2"):
        scene.tile(size=8, unlabelled=imagery(sources=["late.tif"], wavelength=None, units=None))


def test_a_given_map_and_given_parts():
    ground = np.ones((48, 40), np.int8)
    ground[:, 24:] = 2
    scene, more = made_scene(split_map=ground), imagery()
    for policy in ("spectra_seen", "left_out"):
        options = {"size": 8, "split": "map", "pixel_policy": policy}
        same_labelled_tiles(tile_scenes([scene, more], **options), tile_scenes(scene, **options))
    parts = {"train": ["made"], "test": ["other"]}
    scenes = [made_scene(), made_scene(name="other", seed=1)]
    alone = tile_scenes(scenes, size=8, split=parts)
    same_labelled_tiles(tile_scenes([*scenes, more], size=8, split=parts), alone)
    same_labelled_tiles(tile_scenes([*scenes, more], size=8, split={**parts, "train": ["made", "more"]}), alone)
    held = tile_scenes([*scenes, more], size=8, split={**parts, "test": ["other", "more"]})
    assert held.annotated.all() and "more" in held.test.dataset["source"].values


def test_bands_that_differ_are_named():
    scene = made_scene()
    other = imagery(sources=["more/b.hdr"], wavelength=[450.0, 1500.0, 2400.0])
    with pytest.raises(SceneError, match=r"more/b\.hdr.*only it has 1500 nm, only made has 1425 nm") as error:
        scene.tile(size=8, unlabelled=other)
    assert "\n" not in str(error.value)
    near = imagery(wavelength=[450.3, 1425.2, 2399.8])
    assert scene.tile(size=8, unlabelled=near).wavelength.tolist() == [450.0, 1425.0, 2400.0]
    with pytest.raises(SceneError, match=r"more\.tif.*4 bands, made 3"):
        made = amount_scene(quantities=2, dates=1)
        assert made.n_bands == 2
        scene.tile(size=8, unlabelled=imagery(bands=4, wavelength=None, sources=["more.tif"], band_name=list("abcd")))
    with pytest.raises(SceneError, match=r"more\.tif.*'DN'.*'reflectance'"):
        scene.tile(size=8, unlabelled=imagery(units="DN", sources=["more.tif"]))


def test_bands_that_the_labelled_scene_left_out_are_left_out():
    scene = made_scene(left_out=[{"band": "x", "reason": "empty"}])
    more = imagery(bands=4, wavelength=[450.0, 1000.0, 1425.0, 2400.0])
    tiles = scene.tile(size=8, unlabelled=more)
    assert tiles.wavelength.tolist() == [450.0, 1425.0, 2400.0]
    others = tiles.select(~tiles.annotated)
    assert np.array_equal(others.images()[:, 0, 1] - others.images()[:, 0, 0], np.full((len(others), 8, 8), 2.0))


def test_imagery_smaller_than_a_tile_is_named():
    with pytest.raises(TileError, match=r"more/small\.tif has 7 x 20 px"):
        made_scene().tile(size=8, unlabelled=imagery(7, 20, sources=["more/small.tif"]))
