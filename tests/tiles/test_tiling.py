"""Tiles hold what the scene holds, read only what they need, and bad input gets one clear line."""

import numpy as np
import pytest
from made_scenes import made_scene, pixels_of

from specdm.errors import TileError
from specdm.tiles.store import open_tiles
from specdm.tiles.tiling import tile_scenes


def test_tiles_hold_their_window_of_the_scene():
    scene = made_scene(40, 36)
    tiles = tile_scenes(scene, size=8, stride=4)
    assert tiles.image_units == "reflectance"
    assert np.array_equal(tiles.wavelength, scene.wavelength)
    assert tiles.classes == scene.classes
    where = zip(tiles.dataset["window_y"].values, tiles.dataset["window_x"].values, strict=True)
    for image, mask, (y, x) in zip(tiles.images(), tiles.masks(), where, strict=True):
        expected_image, expected_mask = scene.window(int(y), int(x), 8, 8)
        assert np.array_equal(image, expected_image)
        assert np.array_equal(mask, expected_mask)


def test_store_and_memory_agree(tmp_path):
    scene = made_scene(40, 36)
    memory = tile_scenes(scene, size=8, seed=3)
    stored = tile_scenes(scene, size=8, seed=3, path=tmp_path / "tiles.zarr")
    assert np.array_equal(memory.images(), stored.images())
    assert np.array_equal(memory.masks(), stored.masks())
    for key in ("split", "source", "window_y", "window_x", "seed", "index", "tile_name"):
        assert np.array_equal(memory.dataset[key].values, stored.dataset[key].values)
    assert memory.provenance == stored.provenance
    assert memory.problems == stored.problems


def test_missing_values_are_unlabelled_and_empty_windows_left_out(tmp_path):
    scene = made_scene(40, 40)
    image = scene.dataset["image"].values.copy()
    image[:, :, :20] = np.nan
    image[0, 1, 25, 25] = np.nan
    image[0, 2, 30, 30] = np.inf
    scene.dataset["image"] = (scene.dataset["image"].dims, image)
    for path in (None, tmp_path / "tiles.zarr"):
        tiles = tile_scenes(scene, size=8, stride=8, split="none", max_nodata=0.4, path=path)
        assert len(tiles) == 10  # rows of windows at 24 and 32; those at 16 have half of their pixels
        assert set(tiles.dataset["window_y"].values) == {24, 32}
        gaps = ~np.isfinite(tiles.images()).all(axis=(1, 2))
        assert gaps.sum() == 2
        assert (tiles.masks()[:, 0][gaps] == -1).all()
        assert not np.isinf(tiles.images()).any()
        assert any("15 of 25 windows have too few data" in line for line in tiles.problems)


def test_nothing_but_no_data_is_an_error_and_leaves_nothing(tmp_path):
    scene = made_scene(20, 20)
    scene.dataset["image"] = scene.dataset["image"] * np.nan
    with pytest.raises(TileError, match="no training window has enough data"):
        tile_scenes(scene, size=8, path=tmp_path / "tiles.zarr")
    assert not list(tmp_path.iterdir())


def lazy_scene(touched, side=64):
    """A scene whose image notes which 8 x 8 piece was computed."""
    import dask.array as da

    def piece(block_info=None):
        (_, _, (y0, y1), (x0, x1)) = block_info[None]["array-location"]
        touched.add((y0, x0))
        return np.ones((1, 2, y1 - y0, x1 - x0), np.float32)

    scene = made_scene(side, side, bands=2)
    touched.clear()
    eights = (8,) * (side // 8)
    image = da.map_blocks(piece, chunks=((1,), (2,), eights, eights), dtype=np.float32, meta=np.float32(0))
    scene.dataset["image"] = (scene.dataset["image"].dims, image)
    return scene


def test_only_the_windows_are_read(monkeypatch, tmp_path):
    monkeypatch.setattr("specdm.tiles.cutting.WHOLE_SCENE_BYTES", 0)
    touched = set()
    scene = lazy_scene(touched)
    tiles = tile_scenes(scene, size=8, stride=8, split="none", max_train_tiles=3, path=tmp_path / "t.zarr")
    windows = zip(tiles.dataset["window_y"].values, tiles.dataset["window_x"].values, strict=True)
    assert touched == {(int(y), int(x)) for y, x in windows}
    assert len(touched) == 3


def test_writing_holds_one_batch_at_a_time(monkeypatch, tmp_path):
    from specdm.tiles.writer import TileStoreWriter

    monkeypatch.setattr("specdm.tiles.cutting.WHOLE_SCENE_BYTES", 0)
    # a store chunk of two tiles, a batch of four
    monkeypatch.setattr("specdm.tiles.writer.CHUNK_BYTES", 2 * 4 * 2 * 64)
    monkeypatch.setattr("specdm.tiles.writer.BATCH_BYTES", 5 * 4 * 2 * 64)
    touched = set()
    scene = lazy_scene(touched)
    batches = []
    read_when_writing = []
    write = TileStoreWriter.write

    def noted(self, start, images, *rest):
        batches.append((start, len(images)))
        read_when_writing.append(len(touched))
        write(self, start, images, *rest)

    monkeypatch.setattr(TileStoreWriter, "write", noted)
    tiles = tile_scenes(scene, size=8, stride=8, split="none", path=tmp_path / "t.zarr")
    assert len(tiles) == 64
    assert batches == [(i, 4) for i in range(0, 64, 4)]
    assert read_when_writing == list(range(4, 65, 4))


def test_an_interrupted_write_leaves_nothing(monkeypatch, tmp_path):
    from specdm.scenes.scene import Scene

    monkeypatch.setattr("specdm.tiles.cutting.WHOLE_SCENE_BYTES", 0)
    calls = []

    def failing(self, *window):
        calls.append(window)
        if len(calls) > 70:  # after the first batch is on disk
            raise KeyboardInterrupt
        return np.ones((1, 3, 4, 4), np.float32), np.zeros((1, 4, 4), np.int16)

    monkeypatch.setattr(Scene, "window", failing)
    with pytest.raises(KeyboardInterrupt):
        tile_scenes(made_scene(), size=4, stride=2, path=tmp_path / "tiles.zarr")
    assert not list(tmp_path.iterdir())


def test_default_stride_keeps_the_number_of_windows_usual():
    small = tile_scenes(made_scene(40, 40), size=16, split="none")
    assert small.provenance["tiling"]["stride"] == 2
    medium = tile_scenes(made_scene(150, 150, bands=1), size=8, split="none")
    # 30 x 30 windows; a stride of 4 would give 37 x 37
    assert medium.provenance["tiling"]["stride"] == 5
    large = tile_scenes(made_scene(300, 300, bands=1), size=8, split="none")
    assert large.provenance["tiling"]["stride"] == 8
    assert len(pixels_of(large)) == 300 * 300


def test_max_train_tiles_is_kept_to_and_seeded():
    first, again, other = (
        tile_scenes(made_scene(), size=8, stride=2, max_train_tiles=20, seed=seed) for seed in (1, 1, 2)
    )
    assert len(first.train) == 20
    assert list(first.dataset["tile_name"].values) == list(again.dataset["tile_name"].values)
    assert list(first.dataset["tile_name"].values) != list(other.dataset["tile_name"].values)


def test_problems_are_noted_not_raised():
    single = made_scene(32, 32, mask=np.zeros((32, 32), np.int16))
    assert any("a single class" in line for line in tile_scenes(single, size=8).problems)
    bare = made_scene(32, 32, mask=np.full((32, 32), -1, np.int16))
    tiles = tile_scenes(bare, size=8)
    assert any("no labelled pixel in the training tiles" in line for line in tiles.problems)
    assert tiles.label_counts().sum() == 0


def test_a_scene_without_a_mask_gives_unlabelled_tiles(tmp_path):
    scene = made_scene(32, 32)
    scene.dataset = scene.dataset.drop_vars(["mask", "layer"])
    scene.__dict__.pop("classes", None)
    tiles = tile_scenes(scene, size=8, path=tmp_path / "t.zarr")
    assert tiles.classes is None
    assert (tiles.masks() == -1).all()
    assert len(tiles.test) >= 1
    assert tiles.problems == ["no mask: no tile has a labelled pixel"]


def test_several_scenes_keep_their_names_and_common_classes():
    scenes = [made_scene(24, 24, classes=n, name="same", seed=n) for n in (2, 4)]
    tiles = tile_scenes(scenes, size=8)
    assert len(set(tiles.dataset["source"].values)) == 2
    assert len(tiles.classes) == 4


@pytest.mark.parametrize("bands", [1, 426])
def test_any_number_of_bands(bands, tmp_path):
    tiles = tile_scenes(made_scene(16, 16, bands=bands), size=8, path=tmp_path / "t.zarr")
    assert tiles.n_bands == bands
    assert tiles.images([0]).shape == (1, 1, bands, 8, 8)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": 64}, "made has 48 x 40 px, less than a tile of 64 x 64; use tiles of at most 40 px"),
        ({"size": 0}, "size is 0"),
        ({"size": 8, "stride": 9}, "stride is 9"),
        ({"size": 8, "split": "rows"}, "'rows'"),
        ({"size": 8, "test_share": 0.7, "val_share": 0.3}, "nothing for training"),
        ({"size": 8, "test_share": -0.1}, "test_share"),
        ({"size": 8, "max_nodata": 2}, "max_nodata"),
        ({"size": 8, "max_train_tiles": 0}, "max_train_tiles"),
        ({"size": 8, "pixel_policy": "seen"}, "'seen'"),
        ({"size": 8, "pixel_policy": "spectra_seen"}, "split='map' only"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(TileError, match=words):
        tile_scenes(made_scene(), **options)


def test_more_tiles_than_memory_need_a_path(monkeypatch):
    monkeypatch.setattr("specdm.tiles.memory._machine_memory", lambda: 10_000)
    with pytest.raises(TileError, match="give path="):
        tile_scenes(made_scene(), size=8)


def test_an_existing_path_is_respected(tmp_path):
    path = tmp_path / "tiles.zarr"
    tile_scenes(made_scene(), size=8, path=path)
    with pytest.raises(TileError, match="exists already"):
        tile_scenes(made_scene(), size=16, path=path)
    assert open_tiles(path).size == 8
    tile_scenes(made_scene(), size=16, path=path, overwrite=True)
    assert open_tiles(path).size == 16
    assert [entry.name for entry in tmp_path.iterdir()] == ["tiles.zarr"]
