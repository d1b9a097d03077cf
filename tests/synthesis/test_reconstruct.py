"""`reconstruct`: tiles after both codecs."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import ModelError
from specdm.tiles.tileset import TileSet


def test_near_the_original_with_its_coordinates(pipeline, little_tiles: TileSet) -> None:
    found = pipeline.reconstruct(little_tiles, batch_size=7)
    original = little_tiles.images()
    error = np.nanstd(found.images() - original) / np.nanstd(original)
    assert error < 0.2
    assert list(found.dataset.coords) == list(little_tiles.dataset.coords)
    for name, coord in little_tiles.dataset.coords.items():
        np.testing.assert_array_equal(found.dataset[name].values, coord.values)


def test_nodata_and_unlabelled_stay(pipeline, little_tiles: TileSet) -> None:
    found = pipeline.reconstruct(little_tiles)
    np.testing.assert_array_equal(np.isnan(found.images()), np.isnan(little_tiles.images()))
    assert np.isnan(found.images()).any()
    np.testing.assert_array_equal(found.masks() == -1, little_tiles.masks() == -1)
    assert set(np.unique(found.masks())) <= {-1, 2, 5, 7}
    labelled = little_tiles.masks() >= 0
    assert (found.masks() == little_tiles.masks())[labelled].mean() > 0.6


def test_the_given_tiles_are_not_changed(pipeline, little_tiles: TileSet) -> None:
    before = little_tiles.images().copy(), little_tiles.masks().copy()
    pipeline.reconstruct(little_tiles)
    np.testing.assert_array_equal(little_tiles.images(), before[0])
    np.testing.assert_array_equal(little_tiles.masks(), before[1])


def test_tiles_of_other_bands(pipeline, little_tiles: TileSet) -> None:
    other = TileSet(little_tiles.dataset.isel(band=slice(0, 5)))
    with pytest.raises(ModelError, match="images of 5 bands, expected"):
        pipeline.reconstruct(other)
