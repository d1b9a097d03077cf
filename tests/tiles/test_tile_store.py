"""Tile sets on disk: what comes back, what plain xarray sees, and what is refused."""

import shutil
import warnings

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from made_scenes import made_scene

from specdm.errors import MaskError, TileError
from specdm.scenes.classes import Classes
from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.store import TileStoreWriter, open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.tiling import tile_scenes
from specdm.version import __version__


def some_tiles(n=5, *, dates=1, bands=3, layers=1, size=4, seed=0, **options):
    rng = np.random.default_rng(seed)
    images = rng.normal(size=(n, dates, bands, size, size)).astype(np.float32)
    images[rng.random(images.shape) < 0.05] = np.nan
    masks = rng.choice(np.array([-1, 3, 7], np.int16), (n, layers, size, size))
    known = {
        "classes": Classes.create([3, 7], ["Wald, nass", "Straße"], ["#112233", "#445566"]),
        "wavelength": np.linspace(400, 900, bands),
        "fwhm": np.full(bands, 9.5),
        "split": "synthetic",
        "source": "model-1",
        "seed": 5,
        "index": np.arange(n),
        "image_units": "1",
        "attrs": {"provenance": {"steps": 12}},
    }
    return TileSet.from_arrays(images=images, masks=masks, **{**known, **options})


@given(
    st.integers(1, 9),
    st.integers(1, 2),
    st.integers(1, 5),
    st.integers(1, 2),
    st.integers(1, 6),
    st.booleans(),
)
@settings(max_examples=15, deadline=None)
def test_what_is_saved_comes_back(tmp_path_factory, n, dates, bands, layers, size, known):
    unknown = {} if known else {"wavelength": None, "fwhm": None, "image_units": None}
    tiles = some_tiles(n, dates=dates, bands=bands, layers=layers, size=size, seed=n, **unknown)
    path = tmp_path_factory.mktemp("store") / "deep" / "tiles.zarr"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specdm.tiles.writer.CHUNK_TILES", 2)
        back = tiles.save(path)
    assert np.array_equal(back.images(), tiles.images(), equal_nan=True)
    assert np.array_equal(back.masks(), tiles.masks())
    xr.testing.assert_identical(back.dataset.load(), tiles.dataset)


def test_plain_xarray_opens_it_with_the_right_types(tmp_path):
    some_tiles(70).save(tmp_path / "tiles.zarr")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        dataset = xr.open_zarr(tmp_path / "tiles.zarr")
    assert dataset["image"].dims == ("tile", "date", "band", "y", "x")
    assert dataset["image"].dtype == np.float32
    assert dataset["mask"].dtype == np.int16
    assert dataset["mask"].values.min() == -1
    assert list(dataset["mask"].attrs["flag_values"]) == [3, 7]
    assert dataset["mask"].attrs["flag_meanings"] == "Wald__nass Straße"
    assert dataset["mask"].attrs["unlabelled_value"] == -1
    assert set(dataset["split"].values) == {"synthetic"}
    assert {"wavelength", "fwhm", "band_name", "window_y", "tile_name"} <= set(dataset.coords)
    assert dataset["wavelength"].attrs["units"] == "nm"
    assert 1 < dataset["image"].chunks[0][0] <= 64
    assert TileSet(dataset).synthetic.label_counts().sum() > 0


def test_it_is_zarr_v3_compressed_with_zstd(tmp_path):
    import zarr

    path = tmp_path / "tiles.zarr"
    some_tiles().save(path)
    array = zarr.open_array(str(path / "image"), mode="r")
    assert array.metadata.zarr_format == 3
    assert "zstd" in str(array.compressors).lower()


def test_selecting_from_a_store_stays_lazy(tmp_path):
    tiles = tile_scenes(made_scene(), size=8, stride=4, path=tmp_path / "t.zarr")
    train = tiles.train.select([4, 0, 2])
    assert train.dataset["image"].variable._in_memory is False
    expected = tiles.images()[np.flatnonzero(tiles.split == "train")[[4, 0, 2]]]
    assert np.array_equal(train.images(), expected)
    assert train.images(1).shape == (1, 1, 3, 8, 8)
    assert train.masks(np.array([True, False, False])).shape == (1, 1, 8, 8)
    batches = list(tiles.batches(50))
    assert np.array_equal(np.concatenate([images for images, _ in batches]), tiles.images())
    assert np.array_equal(np.concatenate([masks for _, masks in batches]), tiles.masks())


def test_label_counts():
    tiles = some_tiles(6)
    assert list(tiles.label_counts()) == [(tiles.masks() == 3).sum(), (tiles.masks() == 7).sum()]


def test_a_store_from_before_tasks_were_derived_opens(tmp_path):
    """Neither dates, sensors, quantities nor a task said what such a store held: a mask was all there was."""
    old = some_tiles(3).dataset
    old.attrs = {"specdm_version": "0.0.1", "task": "regression"}
    text = {name: old[name].astype(object) for name, coord in old.coords.items() if coord.dtype.kind == "U"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old.assign_coords(text).to_zarr(tmp_path / "old.zarr", zarr_format=3)
    tiles = open_tiles(tmp_path / "old.zarr")
    assert np.array_equal(tiles.images(), old["image"].values, equal_nan=True)
    assert (tiles.task, tiles.layers, tiles.dates) == ("segmentation", ("class",), (0,))
    assert tiles.quantities is None and tiles.date_sensor is None
    assert tiles.save(tmp_path / "new.zarr").dataset.attrs["task"] == "segmentation"


# -- the writer --------------------------------------------------------------------------------------------


def write_all(writer, tiles, order):
    for i in order:
        coords = tile_coords(1, split="synthetic", source="m", seed=1, index=[i])
        writer.write(i, tiles.images(i), tiles.masks(i), coords)


def test_parts_may_come_in_any_order(tmp_path):
    tiles = some_tiles(4)
    with TileStoreWriter(tmp_path / "t.zarr", TileLayout.of(tiles.dataset), 4) as writer:
        write_all(writer, tiles, [2, 0, 3, 1])
        assert not (tmp_path / "t.zarr").exists()
    back = open_tiles(tmp_path / "t.zarr")
    assert np.array_equal(back.images(), tiles.images(), equal_nan=True)
    assert list(back.dataset["index"].values) == [0, 1, 2, 3]


def test_interruption_leaves_no_store_and_keeps_the_old_one(tmp_path):
    old = some_tiles(3).save(tmp_path / "t.zarr").images()
    new = some_tiles(4, seed=9)
    with (
        pytest.raises(KeyboardInterrupt),
        TileStoreWriter(tmp_path / "t.zarr", TileLayout.of(new.dataset), 4, overwrite=True) as writer,
    ):
        write_all(writer, new, [0, 1])
        raise KeyboardInterrupt
    assert np.array_equal(open_tiles(tmp_path / "t.zarr").images(), old, equal_nan=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.zarr"]


def test_tiles_never_written_are_an_error(tmp_path):
    tiles = some_tiles(4)
    with (
        pytest.raises(TileError, match="1 of 4 tiles were never written"),
        TileStoreWriter(tmp_path / "t.zarr", TileLayout.of(tiles.dataset), 4) as writer,
    ):
        write_all(writer, tiles, [0, 1, 3])
    assert not list(tmp_path.iterdir())


def test_the_writer_refuses_what_does_not_fit(tmp_path):
    tiles = some_tiles(2)
    coords = tile_coords(2, split="synthetic", source="m")
    with (
        pytest.raises(MaskError, match="9"),
        TileStoreWriter(tmp_path / "a.zarr", TileLayout.of(tiles.dataset), 2) as writer,
    ):
        with pytest.raises(TileError, match="float64"):
            writer.write(0, tiles.images().astype(np.float64), tiles.masks(), coords)
        with pytest.raises(TileError, match="do not fit"):
            writer.write(1, tiles.images(), tiles.masks(), coords)
        writer.write(0, tiles.images(), np.full_like(tiles.masks(), 9), coords)


def test_places_that_cannot_be_written(tmp_path):
    tiles = some_tiles()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(TileError, match="cannot write the tile set"):
        tiles.save(tmp_path / "file" / "tiles.zarr")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("mine")
    with pytest.raises(TileError, match="exists already"):
        tiles.save(tmp_path / "folder")
    with pytest.raises(TileError, match="is no tile set, so it is not overwritten"):
        tiles.save(tmp_path / "folder", overwrite=True)
    assert (tmp_path / "folder" / "thesis.txt").read_text() == "mine"
    with pytest.raises(TileError, match="at least one tile"):
        tiles.val.save(tmp_path / "none.zarr")


# -- what is no tile set -----------------------------------------------------------------------------------


def test_what_is_no_tile_set(tmp_path):
    with pytest.raises(TileError, match="does not exist"):
        open_tiles(tmp_path / "nothing.zarr")
    with pytest.raises(TileError, match=r"no zarr\.json"):
        open_tiles(tmp_path)
    xr.Dataset({"image": ("x", [1.0])}).to_zarr(tmp_path / "other.zarr", zarr_format=3, consolidated=False)
    with pytest.raises(TileError, match="dimensions"):
        open_tiles(tmp_path / "other.zarr")


def damage_metadata(path):
    (path / "zarr.json").write_text('{"zarr_format": 3, "node')


def damage_missing_chunk(path):
    next((path / "image").glob("c.*")).unlink()


def damage_emptied_chunk(path):
    next((path / "mask").glob("c.*")).write_bytes(b"")


def damage_missing_coordinate(path):
    shutil.rmtree(path / "split" / "c")


def damage_missing_variable(path):
    shutil.rmtree(path / "mask")


@pytest.mark.parametrize(
    "damage",
    [
        damage_metadata,
        damage_missing_chunk,
        damage_emptied_chunk,
        damage_missing_coordinate,
        damage_missing_variable,
    ],
)
def test_a_damaged_store_is_refused(tmp_path, damage):
    path = tmp_path / "t.zarr"
    some_tiles(70).save(path)
    damage(path)
    with pytest.raises(TileError, match="damaged"):
        open_tiles(path)


@pytest.mark.parametrize(
    "name", ["window_y", "index", "source", "tile_name", "wavelength", "fwhm", "band_name", "date"]
)
def test_a_coordinate_that_is_gone_is_no_coordinate_of_fill_values(tmp_path, name):
    path = tmp_path / "t.zarr"
    some_tiles(70).save(path)
    shutil.rmtree(path / name / "c")
    with pytest.raises(TileError, match=rf"damaged, parts of {name} are missing; copy it anew"):
        open_tiles(path)


def test_coordinates_of_zeros_are_there(tmp_path):
    """Of arrays that are all fill value, Zarr writes nothing."""
    tiles = some_tiles(5, seed=0, window_y=0, window_x=np.zeros(5, int), index=0, wavelength=[0.0, 0.0, 0.0])
    back = tiles.save(tmp_path / "t.zarr")
    xr.testing.assert_identical(back.dataset.load(), tiles.dataset)
    # another program leaves such chunks out, and says what they are by its own fill value
    kept = back.dataset.drop_encoding()
    text = {name: kept[name].astype(object) for name, coord in kept.coords.items() if coord.dtype.kind == "U"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept.assign_coords(text).to_zarr(tmp_path / "again.zarr", zarr_format=3)
    assert not (tmp_path / "again.zarr" / "window_y" / "c").exists()
    assert np.array_equal(open_tiles(tmp_path / "again.zarr").dataset["window_y"], np.zeros(5))


def test_a_store_of_a_newer_version_is_refused(tmp_path):
    path = tmp_path / "t.zarr"
    some_tiles(3).save(path)
    text = (path / "zarr.json").read_text()
    assert f'"specdm_version": "{__version__}"' in text
    (path / "zarr.json").write_text(text.replace(__version__, "9.0.0"))
    with pytest.raises(TileError, match=r"written by SpecDM 9\.0\.0, .*pip install -U specdm"):
        open_tiles(path)


def test_an_argument_that_does_nothing_any_more_says_so():
    with pytest.warns(DeprecationWarning, match=r"task=.*will go with 0\.3.*leave it out") as told:
        tiles = some_tiles(2, task="change")
    assert tiles.task == "segmentation"
    assert told[0].filename == __file__


def test_a_truncated_chunk_is_found_when_read(tmp_path):
    path = tmp_path / "t.zarr"
    some_tiles(70).save(path)
    chunk = next((path / "image").glob("c.*"))
    chunk.write_bytes(chunk.read_bytes()[:50])
    with pytest.raises(TileError, match="damaged"):
        open_tiles(path).images()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": np.zeros((2, 1, 3, 4, 4))}, "float64"),
        ({"images": np.zeros((2, 3, 4, 4), np.float32)}, "5 dimensions"),
        ({"masks": np.zeros((3, 1, 4, 4), np.int16)}, "do not fit"),
        (
            {"images": np.zeros((2, 1, 3, 4, 5), np.float32), "masks": np.full((2, 1, 4, 5), -1, np.int16)},
            "squares",
        ),
        ({"wavelength": [1.0, 2.0]}, "2 wavelengths"),
        ({"wavelength": [1.0, np.nan, 2.0]}, "not a number"),
        ({"split": "training"}, "'training'"),
        ({"source": ["a", "b", "c"]}, "source"),
        ({"attrs": {"pixel_policy": "maybe"}}, "'maybe'"),
    ],
)
def test_arrays_that_make_no_tile_set(change, words):
    known = {
        "images": np.zeros((2, 1, 3, 4, 4), np.float32),
        "masks": np.full((2, 1, 4, 4), -1, np.int16),
        "classes": Classes.create([1]),
        "split": "train",
        "source": "s",
    }
    with pytest.raises(TileError, match=words):
        TileSet.from_arrays(**{**known, **change})


def test_a_mask_value_without_a_class_is_refused():
    with pytest.raises(MaskError, match="4"):
        some_tiles(classes=Classes.create([3, 4], ["a", "b"]))


def test_plot_draws_image_and_mask(tmp_path):
    figure = some_tiles(5).plot(3, path=tmp_path / "tiles.png")
    assert sum(bool(ax.images) for ax in figure.axes) == 6
    assert (tmp_path / "tiles.png").stat().st_size > 1000
    with pytest.raises(TileError, match="at least one"):
        some_tiles().val.plot()
