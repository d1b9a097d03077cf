"""The picture of a tile set shows every stream, labelled, with one scale a quantity."""

import numpy as np
import xarray as xr
from made_scenes import amount_scene, dated_scene

from specdm.scenes.scene import Scene
from specdm.tiles.tiling import tile_scenes


def pictures(figure):
    return [ax.images[0].get_array() for ax in figure.axes if ax.images]


def row_labels(figure):
    return [ax.get_ylabel().replace("\n", " ") for ax in figure.axes if ax.images and ax.get_ylabel()]


def bars(figure):
    return [ax for ax in figure.axes if ax.get_label() == "<colorbar>"]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_change_sets_show_both_dates_and_the_mask(tmp_path):
    scene = dated_scene(layers=["change"], dates=["2000", "2003"], note="semi-synthetic")
    scene.dataset.attrs["citation"] = "Somebody 2020"
    figure = tile_scenes(scene, size=8).plot(3, path=tmp_path / "p.png")
    assert row_labels(figure) == ["2000", "2003", "change"]
    assert len(pictures(figure)) == 9
    assert figure.get_suptitle() == "semi-synthetic\nSomebody 2020"
    assert legend(figure) == ["meadow", "roof", "unlabelled"]


def test_a_mask_a_date_shows_the_derived_change_too():
    tiles = tile_scenes(dated_scene(layers=["before", "after"]), size=8)
    figure = tiles.plot(2)
    assert row_labels(figure) == ["before", "after", "mask before", "mask after", "change (derived)"]
    assert legend(figure) == ["meadow", "roof", "unchanged", "changed", "unlabelled"]
    picks = [0, len(tiles) - 1]
    change = pictures(figure)[8:]
    for shown, derived in zip(change, tiles.change_masks(picks), strict=True):
        colours = [np.unique(shown[derived == value], axis=0) for value in (-1, 0, 1)]
        assert all(len(colour) == 1 for colour in colours)
        assert len(np.unique(np.concatenate(colours), axis=0)) == 3


def test_amounts_are_maps_with_one_bar_a_quantity():
    figure = tile_scenes(amount_scene(sum_to_one=True), size=8).plot(4)
    assert row_labels(figure) == ["image", "part 1", "part 2", "part 3"]
    assert [bar.get_ylim() for bar in bars(figure)] == [(0, 1)] * 3
    assert not figure.legends

    tiles = tile_scenes(amount_scene(16, 24), size=8, stride=8, split="none")
    figure = tiles.plot(6)
    known = tiles.amounts()
    assert [bar.get_ylabel() for bar in bars(figure)] == ["m"] * 3
    for i, bar in enumerate(bars(figure)):
        assert np.allclose(bar.get_ylim(), np.nanpercentile(known[:, i].astype(float), (2, 98)))


def test_dates_of_one_sensor_share_a_stretch_and_those_of_two_do_not():
    scene = dated_scene(layers=["change"])
    image = scene.dataset["image"].values.copy()
    image[1] = image[0] + 3.0
    scene.dataset["image"] = (scene.dataset["image"].dims, image)
    first, second = (np.mean(row) for row in np.split(np.array(pictures(tile_scenes(scene, size=8).plot(1)))[:2], 2))
    assert second > first + 0.2

    both = np.full((2, 6, 32, 32), np.nan, np.float32)
    both[0, :3], both[1, 3:] = image
    apart = Scene.create(
        image=xr.DataArray(both, dims=("date", "band", "y", "x")),
        date_sensor=[0, 1],
        band_sensor=[0, 0, 0, 1, 1, 1],
        name="apart",
    )
    shown = pictures(tile_scenes(apart, size=8).plot(1))
    assert np.allclose(shown[0], shown[1], atol=1e-5)


def test_long_series_and_many_quantities_say_what_they_leave_out():
    dates = [str(2000 + i) for i in range(9)]
    figure = tile_scenes(dated_scene(layers=["class"], dates=dates), size=16).plot(1)
    assert row_labels(figure)[0] == "2000" and row_labels(figure)[5] == "2008"
    assert "6 of 9 dates shown" in figure.get_suptitle()
    figure = tile_scenes(amount_scene(quantities=14), size=16).plot(1)
    assert len(bars(figure)) == 12
    assert "the first 12 of 14 quantities shown" in figure.get_suptitle()
