"""The promise of the split: what is tested on was not trained on."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from made_scenes import made_scene, pixels_of

from specdm.errors import TileError
from specdm.tiles.tiling import tile_scenes


@st.composite
def tilings(draw):
    size = draw(st.sampled_from([4, 5, 8]))
    sides = st.integers(size, 44)
    shapes = draw(st.lists(st.tuples(sides, sides), min_size=1, max_size=3))
    return shapes, size, draw(st.integers(1, size)), draw(st.integers(0, 1000))


def overlap_free(tiles):
    return len(pixels_of(tiles)) == len(tiles) * tiles.size**2


@given(tilings(), st.sampled_from([1, 90_000]))
@settings(max_examples=25, deadline=None)
def test_blocks_share_no_pixel(tiling, cells):
    shapes, size, stride, seed = tiling
    scenes = [made_scene(h, w, seed=seed + i, name=f"s{i}") for i, (h, w) in enumerate(shapes)]
    with pytest.MonkeyPatch.context() as patch:
        # coarse planning, as for huge scenes, must keep the promise too
        patch.setattr("specdm.tiles.scene_ground.CELLS_PER_SCENE", (cells, cells))
        tiles = tile_scenes(scenes, size=size, stride=stride, seed=seed)
    assert len(tiles.train) >= 1
    train, val, test = pixels_of(tiles.train), pixels_of(tiles.val), pixels_of(tiles.test)
    assert not train & val
    assert not train & test
    assert not val & test
    assert overlap_free(tiles.val)
    assert overlap_free(tiles.test)


@given(tilings(), st.sampled_from(["spectra_seen", "left_out"]))
@settings(max_examples=25, deadline=None)
def test_map_hides_test_labels_from_all_that_trains(tiling, policy):
    shapes, size, stride, seed = tiling
    height, width = shapes[0]
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.choice(3, (8, 8), p=[0.3, 0.6, 0.1]), np.ones((6, 6)))[:height, :width].astype(
        np.int8
    )
    scene = made_scene(height, width, seed=seed, split_map=ground)
    try:
        tiles = tile_scenes(
            scene, size=size, stride=stride, seed=seed, split="map", pixel_policy=policy, val_share=0.1
        )
    except TileError as error:
        assert policy == "left_out"
        assert "touches test ground" in str(error)
        assume(False)
    truth = scene.dataset["mask"].values[0]
    assert tiles.pixel_policy == policy
    assert not pixels_of(tiles.train) & pixels_of(tiles.val)
    assert overlap_free(tiles.test)
    assert overlap_free(tiles.val)
    for part, own in ((tiles.train, 1), (tiles.val, 1), (tiles.test, 2)):
        where = zip(part.dataset["window_y"].values, part.dataset["window_x"].values, strict=True)
        for mask, (y, x) in zip(part.masks()[:, 0], where, strict=True):
            window = (slice(y, y + size), slice(x, x + size))
            assert np.array_equal(mask, np.where(ground[window] == own, truth[window], -1))
            if policy == "left_out" and own == 1:
                assert not (ground[window] == 2).any()


def test_every_class_keeps_half_of_its_labels_where_blocks_allow_it():
    mask = np.full((64, 64), -1, np.int16)
    mask[:32, :32] = 0
    mask[4:10, 4:10] = 1  # sits in one corner only, which must therefore not be reserved
    mask[32:, :] = 2
    mask[:32, 40:] = 3
    for seed in range(4):
        tiles = tile_scenes(made_scene(64, 64, mask=mask), size=16, stride=4, seed=seed)
        train = pixels_of(tiles.train)
        for value in range(4):
            rows, columns = np.nonzero(mask == value)
            kept = sum(("made", int(y), int(x)) in train for y, x in zip(rows, columns, strict=True))
            assert kept >= len(rows) / 2, (seed, value)
        assert len(tiles.test) >= 1
        assert tiles.test.label_counts().sum() > 0
        assert tiles.val.label_counts().sum() > 0


def test_single_tile_scenes_are_assigned_whole():
    scenes = [made_scene(16, 16, seed=i, name=f"s{i}") for i in range(20)]
    tiles = tile_scenes(scenes, size=16)
    assert (len(tiles.train), len(tiles.val), len(tiles.test)) == (16, 1, 3)
    assert len(set(tiles.dataset["source"].values)) == 20


def test_same_seed_same_split_and_seeds_differ():
    scene = made_scene(100, 100)

    def blocks(seed):
        return tile_scenes(scene, size=16, seed=seed).provenance["blocks"]

    assert blocks(0) == blocks(0)
    assert any(blocks(seed) != blocks(0) for seed in range(1, 6))


def test_split_by_name():
    scenes = [made_scene(20, 20, name=name) for name in "abc"]
    tiles = tile_scenes(scenes, size=8, stride=4, split={"train": ["a"], "val": ["b"], "test": ["c"]})
    for part, name in ((tiles.train, "a"), (tiles.val, "b"), (tiles.test, "c")):
        assert set(part.dataset["source"].values) == {name}
    assert overlap_free(tiles.test)


@pytest.mark.parametrize(
    ("split", "words"),
    [
        ({"train": ["a"], "test": ["z"]}, "'z'"),
        ({"train": ["a"]}, "leaves out b"),
        ({"train": ["a", "b"], "test": ["a"]}, "name it once"),
        ({"training": ["a", "b"]}, "'training'"),
    ],
)
def test_split_by_name_says_what_is_wrong(split, words):
    with pytest.raises(TileError, match=words):
        tile_scenes([made_scene(20, 20, name=name) for name in "ab"], size=8, split=split)


def test_none_makes_everything_training_ground():
    tiles = tile_scenes(made_scene(), size=8, split="none")
    assert len(tiles) == len(tiles.train)
    assert len(pixels_of(tiles)) == 48 * 40


def test_map_needs_a_map():
    with pytest.raises(TileError, match="no train/test map"):
        tile_scenes(made_scene(), size=8, split="map")


def test_a_scene_of_one_tile_is_trained_on_and_says_so():
    tiles = tile_scenes(made_scene(16, 16), size=16)
    assert len(tiles) == len(tiles.train) == 1
    assert any("no test tiles" in line for line in tiles.problems)
    assert any("no val tiles" in line for line in tiles.problems)


def test_a_very_large_scene_is_planned_without_its_image():
    import dask.array as da
    import xarray as xr

    from specdm.scenes.classes import Classes
    from specdm.scenes.scene import Scene
    from specdm.tiles.splits import plan_blocks

    side = 10_000

    def unread(block):
        raise AssertionError("planning read the image")

    patches = np.random.default_rng(0).integers(-1, 5, (100, 100)).astype(np.int16)
    mask = da.from_array(patches, chunks=20).map_blocks(
        lambda block: np.kron(block, np.ones((100, 100), np.int16)),
        dtype=np.int16,
        chunks=(2000, 2000),
        meta=np.zeros((0, 0), np.int16),
    )
    image = da.map_blocks(
        unread, da.zeros((1, 2, side, side), chunks=(1, 2, 2000, 2000), dtype=np.float32), meta=np.float32(0)
    )
    dataset = xr.Dataset(
        {
            "image": (("date", "band", "y", "x"), image),
            "mask": (("layer", "y", "x"), mask[None], Classes.create(range(5)).to_attrs()),
        },
        coords={"band_name": ("band", ["a", "b"]), "date": [0], "layer": ["class"]},
        attrs={"name": "big"},
    )
    plan = plan_blocks(
        [Scene(dataset)], size=32, stride=32, test_share=0.15, val_share=0.05, rng=np.random.default_rng(0)
    )
    counts = {split: int((plan.split == split).sum()) for split in ("train", "val", "test")}
    whole = (side // 32) ** 2
    assert 0.12 < counts["test"] / whole < 0.18
    assert 0.03 < counts["val"] / whole < 0.07
    assert counts["train"] / whole > 0.7
