"""Tiling of the real data sets."""

import numpy as np
import pytest
from made_scenes import pixels_of

from specdm.tiles.tiling import tile_scenes


@pytest.fixture(scope="module")
def scene():
    pytest.importorskip("tensorly")
    from specdm.scenes.samples import indian_pines

    return indian_pines()


@pytest.mark.parametrize("seed", [0, 1])
def test_indian_pines_blocks_leave_most_windows(scene, seed):
    tiles = tile_scenes(scene.__class__(scene.dataset.isel(band=slice(0, 3))), size=32, stride=4, seed=seed)
    windows = tiles.provenance["training_windows"]
    assert windows["possible"] == 900
    assert windows["used"] >= 0.6 * 900
    assert len(tiles.test) == 3
    assert len(tiles.val) == 1
    assert (tiles.test.label_counts() > 0).sum() >= 7
    assert (tiles.val.label_counts() > 0).sum() >= 2
    train = pixels_of(tiles.train)
    truth = scene.dataset["mask"].values[0]
    for value in scene.classes.values:
        rows, columns = np.nonzero(truth == value)
        kept = sum((scene.name, int(y), int(x)) in train for y, x in zip(rows, columns, strict=True))
        assert kept >= len(rows) / 2, value


def test_indian_pines_with_its_disjoint_map(scene, shared_data):
    from scipy.io import loadmat

    content = loadmat(shared_data / "indian_pines" / "indianpines_disjoint_dset.mat")
    given = next(value for key, value in content.items() if not key.startswith("__"))
    truth = scene.dataset["mask"].values[0]
    ground = np.where(given > 0, 1, np.where(truth >= 0, 2, 0)).astype(np.int8)
    small = scene.__class__(scene.dataset.isel(band=slice(0, 3)).assign(split_map=(("y", "x"), ground)))
    tiles = tile_scenes(small, size=16, split="map")
    assert tiles.pixel_policy == "spectra_seen"
    assert tiles.test.label_counts().sum() == (ground == 2).sum()
    assert not pixels_of(tiles.train) & pixels_of(tiles.val)
    out = tile_scenes(small, size=16, split="map", pixel_policy="left_out")
    assert 0 < len(out.train) < len(tiles.train)
    test_ground = {(scene.name, int(y), int(x)) for y, x in np.argwhere(ground == 2)}
    assert not pixels_of(out.train) & test_ground


def test_enmap_folder_of_single_tiles(shared_data):
    from specdm.scenes import open_scene

    folder = shared_data / "enmap_potsdam"
    tiles = tile_scenes(open_scene(folder / "images", mask=folder / "labels", unlabelled=0), size=32)
    assert (len(tiles.train), len(tiles.val), len(tiles.test)) == (14, 1, 3)
    assert tiles.n_bands == 218
    assert (tiles.train.label_counts() > 0).all()
