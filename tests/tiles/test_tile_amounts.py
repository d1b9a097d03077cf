"""Continuous masks in tile sets: what comes back from the store, what counts as unknown, what is refused."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_scenes import amount_scene, pixels_of

from specdm.errors import MaskError, TileError
from specdm.scenes.quantities import Quantities
from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.memory import MemoryWriter
from specdm.tiles.store import TileStoreWriter, open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes


def amount_tiles(n=5, *, n_quantities=3, size=4, seed=0, sum_to_one=False, masked=False, **options):
    """Tiles with amounts, a tenth of them unknown; `masked`: with a mask that is unlabelled everywhere too."""
    rng = np.random.default_rng(seed)
    amounts = rng.uniform(0.01, 30.0, (n, n_quantities, size, size))
    if sum_to_one:
        amounts /= amounts.sum(axis=1, keepdims=True)
    amounts[rng.random((n, 1, size, size)).repeat(n_quantities, axis=1) < 0.1] = np.nan
    names = [f"Größe {i}" for i in range(n_quantities)]
    known = {
        "images": rng.normal(size=(n, 1, 2, size, size)).astype(np.float32),
        "masks": np.full((n, 1, size, size), -1, np.int16) if masked else None,
        "amounts": amounts.astype(np.float32),
        "quantities": Quantities.create(names, units=None if sum_to_one else "µg/cm²", sum_to_one=sum_to_one),
        "split": "train",
        "source": "s",
    }
    return TileSet.from_arrays(**{**known, **options})


@given(
    n=st.integers(1, 7),
    quantities=st.integers(1, 4),
    size=st.integers(1, 5),
    sum_to_one=st.booleans(),
    masked=st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_amounts_come_back_from_the_store(tmp_path_factory, n, quantities, size, sum_to_one, masked):
    sum_to_one = sum_to_one and quantities > 1
    tiles = amount_tiles(n, n_quantities=quantities, size=size, sum_to_one=sum_to_one, masked=masked, seed=n)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specdm.tiles.writer.CHUNK_TILES", 2)
        back = tiles.save(tmp_path_factory.mktemp("store") / "tiles.zarr")
    assert np.array_equal(back.amounts(), tiles.amounts(), equal_nan=True)
    assert back.amounts(0).shape == (1, quantities, size, size)
    assert back.quantities == tiles.quantities
    assert back.task == back.dataset.attrs["task"] == "regression"
    assert ("mask" in back.dataset) == ("layer" in back.dataset.coords) == masked
    assert back.masks().shape == (n, int(masked), size, size)
    xr.testing.assert_identical(back.dataset.load(), tiles.dataset)


def test_plain_xarray_sees_amounts(tmp_path):
    amount_tiles().save(tmp_path / "t.zarr")
    dataset = xr.open_zarr(tmp_path / "t.zarr")
    assert dataset["amount"].dims == ("tile", "quantity", "y", "x")
    assert dataset["amount"].dtype == np.float32
    assert list(dataset["quantity"].values) == ["Größe 0", "Größe 1", "Größe 2"]
    assert dataset["amount"].attrs["quantity_units"] == ["µg/cm²"] * 3


def test_sets_with_a_mask_only_have_no_amounts():
    tiles = TileSet.from_arrays(
        images=np.zeros((2, 1, 3, 4, 4), np.float32),
        masks=np.full((2, 1, 4, 4), -1, np.int16),
        split="train",
        source="s",
    )
    assert tiles.quantities is None
    assert tiles.amounts().shape == (2, 0, 4, 4) and tiles.amounts([1]).shape == (1, 0, 4, 4)
    assert tiles.amounts(np.array([False, True])).dtype == np.float32
    assert "amount" not in tiles.dataset and "quantity" not in tiles.dataset.coords


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=10, deadline=None)
def test_amounts_are_unknown_where_the_image_has_no_data(tmp_path_factory, seed, stored):
    scene = amount_scene(24, 24, seed=seed, sum_to_one=bool(seed % 2))
    rng = np.random.default_rng(seed)
    image = scene.dataset["image"].values.copy()
    gaps = rng.random((24, 24)) < 0.1
    image[0, rng.integers(0, 2, gaps.sum()), *np.nonzero(gaps)] = np.nan
    scene.dataset["image"] = (scene.dataset["image"].dims, image)
    path = tmp_path_factory.mktemp("t") / "t.zarr" if stored else None
    tiles = tile_scenes(scene, size=8, stride=8, split="none", path=path)
    for values, y, x in zip(
        tiles.amounts(), tiles.dataset["window_y"].values, tiles.dataset["window_x"].values, strict=True
    ):
        part = (slice(y, y + 8), slice(x, x + 8))
        expected = np.where(gaps[part], np.nan, scene.dataset["amount"].values[:, *part])
        assert np.array_equal(values, expected, equal_nan=True)


@given(
    st.lists(st.tuples(st.integers(8, 28), st.integers(8, 28)), min_size=1, max_size=2),
    st.integers(4, 8),
    st.integers(1, 8),
    st.booleans(),
    st.integers(0, 99),
)
@settings(max_examples=15, deadline=None)
def test_blocks_of_amount_scenes_share_no_pixel(shapes, size, stride, sum_to_one, seed):
    scenes = [
        amount_scene(h, w, seed=i, name=f"scene {i}", sum_to_one=sum_to_one) for i, (h, w) in enumerate(shapes)
    ]
    tiles = tile_scenes(scenes, size=size, stride=min(stride, size), seed=seed)
    train, val, test = (pixels_of(part) for part in (tiles.train, tiles.val, tiles.test))
    assert train
    assert not train & test and not train & val and not val & test
    assert tiles.task == "regression" and tiles.layers == ()


def test_blocks_leave_each_dominant_part_in_training():
    """A part that fills one corner alone must not all go to the test tiles."""
    parts = np.zeros((3, 40, 40), np.float32)
    parts[0], parts[1, :12, :12] = 1.0, 1.0
    parts[0, :12, :12] = 0.0
    for seed in range(3):
        scene = amount_scene(40, 40, sum_to_one=True)
        scene.dataset["amount"] = scene.dataset["amount"].copy(data=parts)
        train = tile_scenes(scene, size=4, stride=2, test_share=0.3, seed=seed).train
        assert (train.amounts()[:, 1] == 1).any(), seed


def test_a_map_hides_the_amounts_of_the_other_side():
    ground = np.ones((24, 24), np.int8)
    ground[:, 16:] = 2
    tiles = tile_scenes(amount_scene(24, 24, split_map=ground), size=8, stride=4, split="map", val_share=0)
    columns = tiles.dataset["window_x"].values[:, None] + np.arange(8)
    known = np.isfinite(tiles.amounts()).any(axis=(1, 2))
    test = tiles.split == "test"
    assert known[test].any() and known[~test].any()
    assert not known[test][columns[test] < 16].any()
    assert not known[~test][columns[~test] >= 16].any()


def test_problems_name_what_is_unknown():
    scene = amount_scene(24, 24)
    scene.dataset["amount"][1] = np.nan
    assert tile_scenes(scene, size=8, split="none").problems == []
    scene.dataset["amount"][:] = np.nan
    assert "no known amount in the training tiles" in tile_scenes(scene, size=8, split="none").problems


def test_note_and_citation_go_with_the_tiles(tmp_path):
    scenes = [amount_scene(24, 24, name=name, note="simulated") for name in "ab"]
    scenes[0].dataset.attrs["citation"] = "Somebody 2020"
    tiles = tile_scenes(scenes, size=8, path=tmp_path / "t.zarr")
    assert (tiles.note, tiles.citation) == ("simulated", "Somebody 2020")
    bare = amount_tiles()
    assert (bare.note, bare.citation) == (None, None)


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amounts": None}, "go together"),
        ({"quantities": None}, "go together"),
        ({"amounts": np.ones((5, 3, 4, 4))}, "float64"),
        ({"amounts": np.ones((5, 2, 4, 4), np.float32)}, r"\(5, 3, 4, 4\)"),
        ({"amounts": np.ones((4, 3, 4, 4), np.float32)}, "do not fit"),
        ({"amounts": np.ones((3, 4, 4), np.float32)}, "4 dimensions"),
        ({"amounts": np.full((5, 3, 4, 4), np.inf, np.float32)}, "infinite"),
        ({"amounts": None, "quantities": None}, "without a mask and without amounts"),
    ],
)
def test_amounts_that_do_not_fit(change, words):
    with pytest.raises(TileError, match=words):
        amount_tiles(**change)


def test_abundances_that_do_not_sum_to_one_are_refused(tmp_path):
    tiles = amount_tiles(2, sum_to_one=True)
    layout, coords = TileLayout.of(tiles.dataset), tile_coords(2, split="synthetic", source="m")
    wrong = tiles.amounts() * np.float32(0.9)
    with pytest.raises(MaskError, match="sum to one"):
        amount_tiles(2, sum_to_one=True, amounts=wrong)
    with pytest.raises(MaskError, match="sum to one"):
        MemoryWriter(layout, 2).write(0, tiles.images(), None, coords, wrong)
    with pytest.raises(MaskError, match="sum to one"), TileStoreWriter(tmp_path / "t.zarr", layout, 2) as writer:
        writer.write(0, tiles.images(), None, coords, wrong)
    assert not list(tmp_path.iterdir())


def test_a_writer_must_be_given_the_amounts(tmp_path):
    tiles = amount_tiles(2)
    coords = tile_coords(2, split="synthetic", source="m")
    with (
        pytest.raises(TileError, match="no amounts are given"),
        TileStoreWriter(tmp_path / "t.zarr", TileLayout.of(tiles.dataset), 2) as writer,
    ):
        writer.write(0, tiles.images(), None, coords)


def test_a_lost_chunk_of_amounts_is_found(tmp_path):
    amount_tiles().save(tmp_path / "t.zarr")
    next((tmp_path / "t.zarr" / "amount").glob("c.*")).unlink()
    with pytest.raises(TileError, match="amount chunks are missing"):
        open_tiles(tmp_path / "t.zarr")


def test_amounts_without_names_are_refused(tmp_path):
    dataset = amount_tiles().dataset.copy()
    dataset["amount"].attrs = {}
    with pytest.raises(MaskError, match=r"here: .*quantity_names"):
        TileSet(dataset, where="here")
