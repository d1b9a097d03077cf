"""Tiles as colour pictures that an image network can look at; what is black and what is white is fixed by real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specdm.evaluation.reading import evenly
from specdm.scenes.classes import default_color
from specdm.scenes.plot import NODATA_GREY, coloured_mask, composite_bands, composite_picture, composite_stretch, rgb
from specdm.tiles.tileset import TileSet

STRETCH_TILES = 32
"""Real training tiles that black and white of images are taken from; the report's pictures use the same."""

LIMIT_TILES = 256
"""Real training tiles that the least and the largest value of a quantity are taken from."""

MOST_DATES = 6
MOST_QUANTITIES = 8


@dataclass(frozen=True)
class Pictures:
    """How tiles are drawn, once or several times each.

    Attributes:
        names: what each drawing is about: a date, a layer or a quantity.
        words: how they are drawn, for the record.
        draw: tiles and positions `(n,)` to float32 `(drawing, n, 3, y, x)`, values 0..1.
    """

    names: tuple[str, ...]
    words: str
    draw: Callable[[TileSet, np.ndarray], np.ndarray]


def image_pictures(train: TileSet) -> Pictures:
    """Images in false colour, a drawing a date (at most `MOST_DATES`, evenly spread), grey where no data.

    Args:
        train: real training tiles, which the stretch is taken from.
    """
    dates = [int(date) for date in evenly(train.n_dates, MOST_DATES)]
    images = train.images(evenly(len(train), STRETCH_TILES))
    own = [train.bands_of(date) for date in range(train.n_dates)]
    shown = {date: own[date][list(composite_bands(wavelength_of(train, date), len(own[date])))] for date in dates}
    stretches = {}
    for date in dates:
        # the dates of one sensor are stretched alike, so that a season that is too bright looks too bright
        alike = [other for other in range(train.n_dates) if np.array_equal(own[other], own[date])]
        stretches[date] = composite_stretch(images[:, alike][:, :, shown[date]])

    def draw(tiles: TileSet, index: np.ndarray) -> np.ndarray:
        images = tiles.images(index)
        return np.stack(
            [_channels_first(_composites(images[:, date][:, shown[date]], stretches[date])) for date in dates]
        )

    names = [", ".join(train.band_name[band] for band in shown[date]) for date in dates]
    return Pictures(
        tuple(str(train.dates[date]) for date in dates),
        f"false colour of {'; '.join(dict.fromkeys(names))}, 2nd to 98th percentile of real training tiles",
        draw,
    )


def mask_pictures(train: TileSet) -> Pictures | None:
    """Masks in the colours of their classes, a drawing a layer; abundances, if there are no classes, as a mixture of
    fixed colours; other quantities in grey, a drawing each (the first `MOST_QUANTITIES`).

    Args:
        train: real training tiles, which black and white of a quantity are taken from.

    Returns:
        None if the tiles have neither classes nor quantities.
    """
    if train.classes is not None and train.layers:
        return _class_pictures(train)
    if train.quantities is None:
        return None
    return _abundance_pictures(train) if train.quantities.sum_to_one else _grey_pictures(train)


def _class_pictures(train: TileSet) -> Pictures:
    classes = train.classes

    def draw(tiles: TileSet, index: np.ndarray) -> np.ndarray:
        return _channels_first(coloured_mask(np.moveaxis(tiles.masks(index), 1, 0), classes))  # type: ignore[arg-type]

    return Pictures(train.layers, "masks in class colours", draw)


def _abundance_pictures(train: TileSet) -> Pictures:
    quantities = train.quantities
    palette = np.array([rgb(default_color(i)) for i in range(len(quantities or ()))], np.float32)

    def draw(tiles: TileSet, index: np.ndarray) -> np.ndarray:
        amounts = tiles.amounts(index)
        mixed = np.clip(np.einsum("nqyx,qc->nyxc", np.nan_to_num(amounts), palette), 0.0, 1.0)
        mixed[~np.isfinite(amounts).all(axis=1)] = NODATA_GREY
        return _channels_first(mixed)[None]

    return Pictures(("abundances",), "abundances as mixtures of a fixed colour a material", draw)


def _grey_pictures(train: TileSet) -> Pictures:
    names = (train.quantities.names if train.quantities else ())[:MOST_QUANTITIES]
    low, high = np.full(len(names), np.inf), np.full(len(names), -np.inf)
    for part in np.array_split(evenly(len(train), LIMIT_TILES), LIMIT_TILES // STRETCH_TILES):
        amounts = np.moveaxis(train.amounts(part)[:, : len(names)], 1, 0).reshape(len(names), -1)
        known = np.isfinite(amounts)
        low = np.minimum(low, np.where(known, amounts, np.inf).min(axis=1, initial=np.inf))
        high = np.maximum(high, np.where(known, amounts, -np.inf).max(axis=1, initial=-np.inf))
    # a quantity of one value, or of none, gets a scale around it
    middle = np.where(np.isfinite(low), low, 0.0)
    low, high = np.where(high > low, low, middle - 0.5), np.where(high > low, high, middle + 0.5)
    low, high = (end[:, None, None].astype(np.float32) for end in (low, high))

    def draw(tiles: TileSet, index: np.ndarray) -> np.ndarray:
        amounts = tiles.amounts(index)[:, : len(names)]
        share = np.clip((amounts - low) / (high - low), 0.0, 1.0)
        share[~np.isfinite(amounts)] = NODATA_GREY
        return np.repeat(np.moveaxis(share, 1, 0)[:, :, None], 3, axis=2).astype(np.float32)

    return Pictures(tuple(names), "quantities in grey, least to largest value of real training tiles", draw)


def _composites(shown: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Bands `(n, 3, y, x)` as pictures `(n, y, x, 3)`."""
    n, _, height, width = shown.shape
    # one picture of all tiles below each other: the same values, one call
    rows = np.moveaxis(shown, 1, 0).reshape(3, n * height, width)
    return composite_picture(rows, stretch=stretch).reshape(n, height, width, 3)


def _channels_first(pictures: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(pictures, -1, -3), np.float32)


def wavelength_of(tiles: TileSet, date: int) -> np.ndarray | None:
    """Band centres in nm of one date's own bands, or None if unknown."""
    if tiles.wavelength is None:
        return None
    found = tiles.wavelength[tiles.bands_of(date)]
    return found if np.isfinite(found).all() else None
