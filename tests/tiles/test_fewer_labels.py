"""Fewer labels: whole regions of ground stay or go, alike in all tiles, near the share that was asked for."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_scenes import amount_scene, dated_scene, made_scene
from scipy.ndimage import label as connected

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.tiles.fewer_labels import KNOWN_AMOUNTS, NESTED_SHARES, keep_labels, walk
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes

SHARES = st.sampled_from([0.02, 0.1, 0.25, 0.5, 0.9])


def windows_of(tiles):
    """Position, source and window of each training and validation tile."""
    keys = (tiles.dataset[key].values for key in ("source", "window_y", "window_x"))
    for at, (source, y, x) in enumerate(zip(*keys, strict=True)):
        if tiles.split[at] in ("train", "val"):
            yield at, str(source), (slice(None), slice(y, y + tiles.size), slice(x, x + tiles.size))


def ground_of(tiles, values):
    """The largest that tiles say of each pixel of ground: source -> (layer, row, column), -1 where no tile is."""
    found = {}
    for at, source, window in windows_of(tiles):
        ground = found.setdefault(source, np.full((values.shape[1], 60, 60), -1))
        np.maximum(ground[window], values[at], out=ground[window])
    return found


def fields(height, width, *, seed, coarse):
    """A mask of patches of `coarse` px of 3 classes and unlabelled gaps."""
    rng = np.random.default_rng(seed)
    patches = rng.choice([-1, 0, 1, 2], (height // coarse + 1, width // coarse + 1), p=[0.3, 0.3, 0.3, 0.1])
    return np.kron(patches, np.ones((coarse, coarse)))[:height, :width].astype(np.int16)


@st.composite
def tile_sets(draw):
    size, seed = draw(st.sampled_from([8, 10, 16])), draw(st.integers(0, 1000))
    coarse = draw(st.sampled_from([1, 3, 7, 40]))
    scenes = []
    for i in range(draw(st.integers(1, 2))):
        height, width = draw(st.integers(2 * size, 44)), draw(st.integers(2 * size, 44))
        mask = fields(height, width, seed=seed + i, coarse=coarse)
        mask[0, 0] = i
        scenes.append(made_scene(height, width, classes=3, bands=1, name=f"s{i}", mask=mask))
    stride = draw(st.integers(max(1, size // 3), size))
    tiles = tile_scenes(scenes, size=size, stride=stride, split="none")
    # splits that overlap are harder than those that tiling makes, and planning them would take longest here
    split = np.random.default_rng(seed).choice(["train", "val", "test"], len(tiles), p=[0.6, 0.2, 0.2])
    split[0] = "train"
    masks = tiles.masks().copy()
    masks[split == "train", :, : draw(st.integers(0, 3))] = -1  # some labels are shown by some tiles only
    assume((masks[split != "test"] >= 0).any())
    moved = {key: ("tile", tiles.dataset[key].values + draw(st.integers(0, 9))) for key in ("window_y", "window_x")}
    dataset = tiles.dataset.assign(mask=tiles.dataset["mask"].copy(data=masks))
    return TileSet(dataset.assign_coords(split=("tile", split), **moved))


@given(tile_sets(), SHARES, st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_ground_has_one_fate_in_all_tiles_and_every_class_stays(tiles, share, seed):
    fewer = keep_labels(tiles, share=share, seed=seed)
    before, after = (ground_of(tiles, one.masks()) for one in (tiles, fewer.tiles))
    for at, source, window in windows_of(tiles):
        kept = after[source][window] >= 0
        np.testing.assert_array_equal(fewer.tiles.masks(at)[0], np.where(kept, tiles.masks(at)[0], -1))
    pixels, kept_pixels = (
        sum(np.bincount(ground.ravel() + 1, minlength=4)[1:] for ground in grounds.values())
        for grounds in (before, after)
    )
    assert set(np.unique(fewer.tiles.train.masks())) - {-1} == set(np.unique(tiles.train.masks())) - {-1}
    for value, name in enumerate(tiles.classes.names):
        one = fewer.kept[name]
        assert (one.pixels, one.kept_pixels) == (pixels[value], kept_pixels[value])
        assert bool(one.kept_regions) == bool(one.kept_pixels) == bool(one.pixels)


@given(tile_sets(), SHARES, st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_pieces_stay_or_go_whole(tiles, share, seed):
    fewer = keep_labels(tiles, share=share, seed=seed)
    before, after = (ground_of(tiles, one.masks()) for one in (tiles, fewer.tiles))
    for source, ground in before.items():
        labels, stays = ground[0], after[source][0] >= 0
        seen = np.zeros(labels.shape, bool)
        for value, name in enumerate(tiles.classes.names):
            regions, _ = connected(labels == value)
            for _, _, _, y, x, pixels, cell in (one for one in fewer.regions if one[0] == source and one[2] == name):
                whole = regions == regions[y, x]
                piece = whole
                if cell:
                    piece = np.zeros_like(whole)
                    inside = cell_of(y, tiles.size, cell), cell_of(x, tiles.size, cell)
                    piece[inside] = whole[inside]
                    assert whole.sum() > share * fewer.kept[name].pixels
                assert regions[y, x] > 0
                assert piece.sum() == pixels
                assert np.argwhere(piece)[0].tolist() == [y, x]
                assert stays[piece].all()
                assert not seen[piece].any()
                seen |= piece
        np.testing.assert_array_equal(seen, stays)


def cell_of(at, size, cell):
    """The part of an axis that the cell of this side around a pixel covers."""
    low, high = 0, max(4, size // 2)
    low, high = (at // high) * high, (at // high + 1) * high
    side = high - low
    while side > cell:
        middle, side = (low + high) // 2, side // 2
        low, high = (low, middle) if at < middle else (middle, high)
    return slice(low, high)


@given(SHARES, st.integers(0, 50), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_fine_masks_come_near_the_share(share, scene_seed, seed):
    mask = fields(48, 48, seed=scene_seed, coarse=1)
    tiles = tile_scenes(made_scene(48, 48, classes=3, mask=mask), size=8, stride=8, split="none")
    fewer = keep_labels(tiles, share=share, seed=seed)
    for one in fewer.kept.values():
        assert abs(one.kept_pixels - share * one.pixels) <= 1
    assert fewer.share_kept == pytest.approx(
        sum(one.kept_pixels for one in fewer.kept.values()) / sum(one.pixels for one in fewer.kept.values())
    )


@pytest.mark.parametrize("share", [0.05, 0.1, 0.25, 0.5])
def test_dense_masks_are_cut_and_come_near_the_share(share):
    mask = np.repeat(np.array([[0, 1]], np.int16), 32, axis=1).repeat(64, axis=0)
    tiles = tile_scenes(made_scene(64, 64, classes=2, mask=mask), size=16, stride=4, split="none")
    fewer = keep_labels(tiles, share=share, seed=3)
    assert fewer.share_kept == pytest.approx(share, abs=0.02)
    assert {region[-1] for region in fewer.regions} == {8}
    assert fewer.kept["class 0"].regions == 32


@given(tile_sets(), st.integers(0, 20), st.floats(0.011, 0.99))
@settings(max_examples=15, deadline=None)
def test_less_is_contained_in_more(tiles, seed, share):
    kept = {one: keep_labels(tiles, share=one, seed=seed).tiles.masks() >= 0 for one in (*NESTED_SHARES, share)}
    for more, less in (*pairwise(NESTED_SHARES), *((one, share) for one in NESTED_SHARES if one >= share)):
        assert not (kept[less] & ~kept[more]).any()


def test_same_seed_same_labels_other_seed_others():
    tiles = tile_scenes(made_scene(48, 40, seed=2), size=8)
    one, same, other = (keep_labels(tiles, share=0.25, seed=seed) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.tiles.masks(), same.tiles.masks())
    assert one.to_record() == same.to_record()
    assert (one.tiles.masks() != other.tiles.masks()).any()
    assert one.digest != other.digest
    # what the order of tiles is must not matter
    turned = keep_labels(tiles.select(np.arange(len(tiles))[::-1]), share=0.25, seed=4)
    assert turned.to_record() == one.to_record()
    record = json.loads(json.dumps(one.to_record()))
    assert record["digest"] == one.digest and len(record["regions"]) == len(one.regions)


def test_test_tiles_and_images_are_untouched(tmp_path):
    tiles = tile_scenes(made_scene(48, 40, seed=2), size=8, path=tmp_path / "tiles.zarr")
    before = tiles.masks().copy()
    fewer = keep_labels(tiles, share=0.1, seed=0)
    np.testing.assert_array_equal(fewer.tiles.test.masks(), tiles.test.masks())
    np.testing.assert_array_equal(tiles.masks(), before)
    assert not fewer.tiles.dataset["image"].variable._in_memory  # still in the store
    np.testing.assert_array_equal(fewer.tiles.images(), tiles.images())
    assert fewer.tiles.dataset["mask"].attrs == tiles.dataset["mask"].attrs
    saved = fewer.tiles.save(tmp_path / "fewer.zarr")
    np.testing.assert_array_equal(saved.masks(), fewer.tiles.masks())


def test_all_labels_are_the_tiles_themselves():
    tiles = tile_scenes(made_scene(), size=8)
    fewer = keep_labels(tiles, share=1, seed=0)
    assert fewer.tiles is tiles
    assert fewer.share_kept == 1
    assert all(one.kept_regions == one.regions for one in fewer.kept.values())


def test_each_date_is_thinned_by_itself():
    scene = dated_scene(32, 32, layers=["before", "after"])
    fewer = keep_labels(tile_scenes(scene, size=8, split="none"), share=0.25, seed=0)
    layers = {region[1] for region in fewer.regions}
    assert layers == {"before", "after"}
    for layer in layers:
        own = sum(region[5] for region in fewer.regions if region[1] == layer)
        assert own == pytest.approx(0.25 * (scene.dataset["mask"].sel(layer=layer) >= 0).sum().item(), rel=0.03)
    kept = fewer.tiles.masks() >= 0
    assert (kept[:, 0] != kept[:, 1]).any()


@given(SHARES, st.integers(0, 20), st.booleans())
@settings(max_examples=10, deadline=None)
def test_amounts_become_unknown_by_cells(share, seed, sum_to_one):
    scene = amount_scene(48, 48, sum_to_one=sum_to_one)
    amounts = scene.dataset["amount"].values.copy()
    amounts[0, 20, 20], amounts[1:, 20, 20] = np.nan, 0.5
    scene.dataset["amount"].values[:] = amounts
    tiles = tile_scenes(scene, size=16, stride=8, split="none")
    fewer = keep_labels(tiles, share=share, seed=seed)
    known = np.isfinite(fewer.tiles.amounts())
    assert (known.all(axis=1) == known.any(axis=1)).all()  # what is known in part goes
    before = np.isfinite(tiles.amounts()).all(axis=1)
    np.testing.assert_array_equal(fewer.tiles.amounts()[known], tiles.amounts()[known])
    assert not known.any(axis=1)[~before].any()
    (ground,) = ground_of(tiles, known[:, :1].astype(int)).values()
    for at, _, window in windows_of(tiles):
        np.testing.assert_array_equal(known[at, 0], ground[window][0] == 1)
    assert fewer.share_kept == pytest.approx(share, abs=0.02)
    assert list(fewer.kept) == [KNOWN_AMOUNTS]
    assert {region[-1] for region in fewer.regions} <= {8, 4}


def test_what_stays_is_not_validation_ground_alone():
    """A class with a large region in training and many small ones in validation ground."""
    mask = np.full((4, 16, 16), -1, np.int16)
    mask[0, :12, :12] = 1
    mask[1, ::4, ::4] = 1
    mask[2] = 0
    mask[3, ::2, ::2] = 1  # test ground does not count
    tiles = TileSet.from_arrays(
        images=np.zeros((4, 1, 1, 16, 16), np.float32), masks=mask[:, None], classes=Classes.create([0, 1]),
        split=["train", "val", "val", "test"], source="s", window_y=[0, 16, 32, 48], window_x=0,
    )  # fmt: skip
    for seed in range(10):
        fewer = keep_labels(tiles, share=0.05, seed=seed)
        assert (fewer.tiles.train.masks() == 1).any()
        assert (fewer.tiles.val.masks() == 0).any()  # no training tile has the class, so validation ground does
        assert fewer.kept["class 1"].pixels == 144 + 16


def test_tiles_without_windows_are_ground_of_their_own():
    masks = fields(40, 8, seed=0, coarse=1).reshape(5, 1, 8, 8)
    tiles = TileSet.from_arrays(
        images=np.zeros((5, 1, 1, 8, 8), np.float32), masks=masks, classes=Classes.create([0, 1, 2]),
        split=["train"] * 4 + ["synthetic"], source="s",
    )  # fmt: skip
    fewer = keep_labels(tiles, share=0.5, seed=0)
    assert {region[0] for region in fewer.regions} == {f"s, tile {i}" for i in range(4)}
    np.testing.assert_array_equal(fewer.tiles.synthetic.masks(), masks[4:])
    assert sum(one.pixels for one in fewer.kept.values()) == (masks[:4] >= 0).sum()


@given(st.lists(st.integers(1, 60), min_size=1, max_size=30), st.floats(0.02, 1), st.data())
def test_the_walk_stops_where_nothing_brings_it_nearer(pixels, share, data):
    pixels = np.array(pixels)
    trained = np.array(data.draw(st.lists(st.booleans(), min_size=len(pixels), max_size=len(pixels))))
    target = share * pixels.sum()
    kept = walk(pixels, trained, target=target)
    assert kept.any() and (kept & trained).any() == trained.any()
    miss = target - pixels[kept].sum()
    if miss > 0:
        assert (np.abs(miss - pixels[~kept]) >= miss - 1e-9).all()
    if kept.sum() == 1:
        able = pixels[trained] if trained.any() else pixels
        assert abs(miss) == pytest.approx(np.abs(target - able).min())
    # beyond the target only by a piece that makes up for it, or by the one that must stay
    assert kept.sum() == 1 or -miss <= pixels[kept].max() / 2 + 1e-9 or -miss <= pixels[kept & trained].min()


def test_requests_that_cannot_be_met_say_why():
    tiles = tile_scenes(made_scene(), size=8)
    for share in (0, -0.1, 1.5, float("nan")):
        with pytest.raises(TileError, match="expected above 0"):
            keep_labels(tiles, share=share, seed=0)
    with pytest.raises(TileError, match="no labels in training"):
        keep_labels(tiles.test, share=0.5, seed=0)
    nothing = made_scene()
    nothing.dataset["mask"].values[:] = -1
    with pytest.raises(TileError, match="no labels in training"):
        keep_labels(tile_scenes(nothing, size=8), share=0.5, seed=0)
