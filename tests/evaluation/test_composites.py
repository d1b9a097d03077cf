"""Tiles drawn as pictures: stretched by real ones, masks in class colours."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.composites import image_pictures, mask_pictures
from specdm.scenes.plot import NODATA_GREY, rgb
from specdm.tiles.tileset import TileSet

SIZE, WOODS, UNLABELLED = 32, 14, -1


def test_pictures_keep_the_stretch_of_real_tiles_and_show_holes(pines):
    real, _, shared = pines
    images = real.images()
    images[0, :, :, 3, 4] = np.nan
    holes = TileSet.from_arrays(
        images=images * 1.1, masks=real.masks(), split="synthetic", source="model", **shared
    )
    pictures = image_pictures(real)
    plain, drawn = (pictures.draw(tiles, np.arange(4)) for tiles in (real, holes))
    assert plain.shape == (1, 4, 3, SIZE, SIZE)
    assert plain.dtype == np.float32
    assert 0 <= plain.min() < plain.max() <= 1
    assert drawn.mean() > plain.mean() + 0.05
    np.testing.assert_array_equal(drawn[0, 0, :, 3, 4], np.float32(NODATA_GREY))


def test_masks_are_drawn_in_class_colours(pines):
    real, _, _ = pines
    drawn = mask_pictures(real).draw(real, np.arange(8))
    masks = real.masks(np.arange(8))[:, 0]
    for value in (WOODS, 11):
        colour = rgb(real.classes.colors[value - 1])
        np.testing.assert_allclose(np.moveaxis(drawn[0], 1, -1)[masks == value], [colour] * (masks == value).sum())
    assert len(np.unique(np.moveaxis(drawn[0], 1, -1)[masks == UNLABELLED], axis=0)) == 1
