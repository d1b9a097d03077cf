"""Which tiles the report shows, and how: false colour and mask of each, one stretch for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.reading import evenly
from specdm.report.pictures import png_data
from specdm.scenes.plot import coloured_mask, false_colour, stretch_of
from specdm.tiles.tileset import TileSet

SHOWN = 12
LOOKED_THROUGH = 256
STRETCH_TILES = 32
LARGEST = 128
"""Larger tiles are thinned to this many pixels, so that the file stays small."""


@dataclass(frozen=True)
class Shown:
    """One tile: its name and the addresses of its pictures (None without a mask)."""

    name: str
    image: str
    mask: str | None


@dataclass(frozen=True)
class Gallery:
    """Real and synthetic tiles side by side."""

    real: list[Shown]
    synthetic: list[Shown]
    size: int


def gallery(real: TileSet, synthetic: TileSet) -> Gallery:
    """Real training tiles and synthetic ones, each evenly spread over its set, none picked by its looks.

    Of the real tiles those with the most labels are preferred, since a mask without labels shows nothing.
    The stretch of both comes from the real tiles.
    """
    train = real.train if len(real.train) else real
    spread = evenly(len(train), LOOKED_THROUGH)
    labelled = (train.masks(spread)[:, 0] != -1).mean(axis=(1, 2))
    # the better labelled half of the tiles looked through, then evenly over what is left
    good = spread[labelled >= np.median(labelled)]
    chosen_real = good[evenly(len(good), SHOWN)]
    chosen_synthetic = evenly(len(synthetic), SHOWN)
    stretch = stretch_of(train.images(evenly(len(train), STRETCH_TILES))[:, 0], train.wavelength)
    return Gallery(
        real=_shown(train, chosen_real, stretch),
        synthetic=_shown(synthetic, chosen_synthetic, stretch),
        size=train.size,
    )


def _shown(tiles: TileSet, index: np.ndarray, stretch: np.ndarray) -> list[Shown]:
    step = max(1, tiles.size // LARGEST)
    names = tiles.dataset["tile_name"].values[index]
    found = []
    for position, name in zip(index, names, strict=True):
        image = tiles.images(int(position))[0, 0, :, ::step, ::step]
        mask = tiles.masks(int(position))[0, 0, ::step, ::step]
        found.append(
            Shown(
                name=str(name),
                image=png_data(false_colour(image, tiles.wavelength, stretch=stretch)),
                mask=png_data(coloured_mask(mask, tiles.classes)) if tiles.classes else None,
            )
        )
    return found
