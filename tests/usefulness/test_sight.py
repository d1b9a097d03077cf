"""What a generator sees of test ground: nothing, or images without labels; and nothing else changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_tiles import amount_tiles, class_tiles, noise

from specdm.evaluation.usefulness.sight import TEST_GROUND, with_test_spectra, without_test_spectra
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet

SIZE = 4
SPLIT = ["train", "test", "val", "train", "test", "train"]
SOURCE = ["a", "a", "a", "b", "b", "a"]
Y, X = [0, 2, 3, 2, 2, 20], [0, 1, 3, 1, 3, 30]
POLICIES = ("left_out", "spectra_seen")


def tiles_of(task: str, *, policy: str = "spectra_seen", dates: int = 1, **attrs) -> TileSet:
    """Tiles of two scenes, whose test tiles lie across the others; some of the test pixels are not labelled."""
    n, random = len(SPLIT), np.random.default_rng(2)
    known = random.random((n, 1, SIZE, SIZE)) < 0.6
    facts = {
        "images": noise(n, dates, 3, SIZE, SIZE), "split": SPLIT, "source": SOURCE, "window_y": Y, "window_x": X,
        "attrs": {"pixel_policy": policy, **attrs},
    }  # fmt: skip
    if task == "regression":
        return amount_tiles(np.where(known, random.random(known.shape), np.nan), **facts)
    return class_tiles(np.where(known, random.choice([3, 7], known.shape), -1), **facts)


def same(one: TileSet, other: TileSet, *, but: tuple[str, ...] = ()) -> None:
    """All variables, coordinates and attributes but the time are the same."""
    for dataset in (one.dataset, other.dataset):
        assert dataset.sizes == one.dataset.sizes
    for name in {*one.dataset.variables, *other.dataset.variables} - set(but):
        np.testing.assert_array_equal(one.dataset[name].values, other.dataset[name].values, err_msg=name)
        assert one.dataset[name].attrs == other.dataset[name].attrs
        kinds = [dataset[name].dtype for dataset in (one.dataset, other.dataset)]
        assert kinds[0] == kinds[1] or {kind.kind for kind in kinds} <= set("OUT")
    if "attrs" not in but:
        said = [{**dataset.attrs, "created": ""} for dataset in (one.dataset, other.dataset)]
        assert said[0] == said[1]


def known_of(tiles: TileSet) -> np.ndarray:
    """Labelled pixels, bool `(tile, y, x)`."""
    return tiles.masks()[:, 0] >= 0 if tiles.layers else np.isfinite(tiles.amounts()[:, 0])


def labelled_test_ground(tiles: TileSet) -> set[tuple[str, int, int]]:
    """Labelled pixels of test tiles, by scene, row and column."""
    places = np.argwhere(known_of(tiles) & (np.array(SPLIT) == "test")[:, None, None])
    return {(SOURCE[i], Y[i] + y, X[i] + x) for i, y, x in places.tolist()}


@pytest.mark.parametrize("task", ["segmentation", "regression"])
@pytest.mark.parametrize("stored", [False, True])
def test_labelled_test_pixels_are_hidden(tmp_path: Path, task: str, stored: bool):
    tiles = tiles_of(task, dates=2)
    before, ground = tiles.images().copy(), labelled_test_ground(tiles)
    hidden = without_test_spectra(tiles.save(tmp_path / "tiles.zarr") if stored else tiles)
    same(hidden, tiles, but=("image",))
    counts = []
    for i, image in enumerate(hidden.images()):
        gone = np.isnan(image)
        expected = np.array([[(SOURCE[i], Y[i] + y, X[i] + x) in ground for x in range(SIZE)] for y in range(SIZE)])
        if SPLIT[i] == "test":
            expected[:] = False
        np.testing.assert_array_equal(gone, np.broadcast_to(expected, gone.shape))
        np.testing.assert_array_equal(image[~gone], before[i][~gone])
        counts.append(int(expected.sum()))
    # both training and validation tiles show some, those of another place none
    assert counts[0] and counts[2] and counts[3] and not counts[5]
    np.testing.assert_array_equal(tiles.images(), before)


def test_nothing_is_hidden_that_nobody_labelled():
    tiles = tiles_of("segmentation")
    nothing = tiles.dataset["mask"].copy(data=np.full((6, 1, SIZE, SIZE), -1, np.int16))
    blank = TileSet(tiles.dataset.assign(mask=nothing))
    same(without_test_spectra(blank), blank)


@pytest.mark.parametrize("task", ["segmentation", "regression"])
def test_where_test_ground_is_left_out_nothing_is_hidden(task: str):
    tiles = tiles_of(task, policy="left_out")
    same(without_test_spectra(tiles), tiles_of(task, policy="left_out"))


def test_without_test_tiles_nothing_changes():
    for policy in POLICIES:
        tiles = tiles_of("segmentation", policy=policy).train
        for change in (with_test_spectra, without_test_spectra):
            same(change(tiles), tiles)


@pytest.mark.parametrize("task", ["segmentation", "regression"])
def test_test_images_are_added_as_imagery(task: str):
    tiles = tiles_of(task, policy="left_out", dates=2)
    both = with_test_spectra(tiles)
    assert len(both) == 8
    same(both.select(np.arange(6)), tiles, but=("attrs",))
    same(tiles, tiles_of(task, policy="left_out", dates=2))
    more = both.select(np.arange(6, 8))
    same(more, tiles.test, but=("mask", "amount", "source", "split", "attrs"))
    assert list(more.split) == ["train", "train"] and not known_of(more).any()
    names = [TEST_GROUND.format(name) for name in ("a", "b")]
    assert more.dataset["source"].values.tolist() == names and both.unlabelled_sources == tuple(names)
    np.testing.assert_array_equal(both.annotated, [True] * 6 + [False] * 2)
    same(both.of_labelled_scenes(), tiles, but=("attrs",))
    others = set(both.dataset.attrs) - {"unlabelled_sources"}
    assert {key: both.dataset.attrs[key] for key in others} == tiles.dataset.attrs


def test_imagery_that_was_there_stays_unlabelled():
    tiles = tiles_of("segmentation", policy="left_out", unlabelled_sources='["b"]')
    both = with_test_spectra(tiles.select(np.array([0, 1, 2, 3])))
    assert both.unlabelled_sources == ("b", TEST_GROUND.format("a"))
    np.testing.assert_array_equal(both.annotated, [True, True, True, False, False])


def test_where_training_tiles_show_it_anyway_nothing_is_added():
    tiles = tiles_of("segmentation", policy="spectra_seen")
    same(with_test_spectra(tiles), tiles)


@pytest.mark.parametrize("task", ["segmentation", "regression"])
@pytest.mark.parametrize(
    ("change", "policy"), [(with_test_spectra, "left_out"), (without_test_spectra, "spectra_seen")]
)
@pytest.mark.parametrize("stored", [False, True])
def test_it_can_be_kept(tmp_path: Path, task: str, change, policy: str, stored: bool):
    tiles = tiles_of(task, policy=policy)
    changed = change(tiles.save(tmp_path / "before.zarr") if stored else tiles)
    changed.save(tmp_path / "after.zarr")
    again = open_tiles(tmp_path / "after.zarr")
    for name in ("image", "mask", "amount", "split", "source", "window_y", "window_x", "tile_name"):
        if name in changed.dataset:
            np.testing.assert_array_equal(again.dataset[name].values, changed.dataset[name].values)
    np.testing.assert_array_equal(again.annotated, changed.annotated)
    assert again.pixel_policy == policy and again.unlabelled_sources == changed.unlabelled_sources
