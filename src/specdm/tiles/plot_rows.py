"""The rows of a tile set's picture: every date, mask, derived change and quantity, one picture a tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specdm.scenes.amount_plot import amount_limits, coloured_amount
from specdm.scenes.plot import coloured_change, coloured_mask, false_colour, stretch_of
from specdm.scenes.task import CHANGE_LAYER
from specdm.tiles.tileset import TileSet

MOST_DATES = 6
"""Dates shown of longer series, spread evenly from the first to the last."""

MOST_AMOUNTS = 12


@dataclass(frozen=True)
class Row:
    """What stands in one row.

    Attributes:
        label: written at its left.
        pictures: float32 `(h, w, 3)` in 0..1, one a tile.
        limits: `(2,)` values at the ends of its colour bar, if it has one.
        unit: written along the colour bar.
        clipped: whether values beyond `limits` occur.
    """

    label: str
    pictures: Sequence[np.ndarray]
    limits: np.ndarray | None = None
    unit: str = ""
    clipped: bool = False


def tile_rows(tiles: TileSet) -> list[Row]:
    """All rows for all tiles of a (small) set; dates of one sensor share one stretch."""
    return [*_date_rows(tiles), *_mask_rows(tiles), *_change_rows(tiles), *_amount_rows(tiles)]


def left_out(tiles: TileSet) -> str:
    """What the rows do not show, in words; "" if they show everything."""
    parts = []
    if tiles.n_dates > MOST_DATES:
        parts.append(f"{MOST_DATES} of {tiles.n_dates} dates shown")
    if tiles.quantities is not None and len(tiles.quantities) > MOST_AMOUNTS:
        parts.append(f"the first {MOST_AMOUNTS} of {len(tiles.quantities)} quantities shown")
    return ", ".join(parts)


def _shown_dates(tiles: TileSet) -> list[int]:
    count = min(tiles.n_dates, MOST_DATES)
    return np.linspace(0, tiles.n_dates - 1, count).round().astype(int).tolist()


def _one_a_date(tiles: TileSet) -> bool:
    return 1 < tiles.n_dates == len(tiles.layers)


def _date_title(tiles: TileSet, date: int) -> str:
    if tiles.n_dates == 1:
        return "image"
    # dates without labels are numbered from 0 in the data, from 1 for people
    unnamed = tiles.dates == tuple(range(tiles.n_dates))
    return f"date {date + 1}" if unnamed else str(tiles.dates[date])


def _date_rows(tiles: TileSet) -> list[Row]:
    images, wavelength, sensors = tiles.images(), tiles.wavelength, tiles.date_sensor
    rows = []
    for date in _shown_dates(tiles):
        own = tiles.bands_of(date)
        together = [d for d in range(tiles.n_dates) if sensors is None or sensors[d] == sensors[date]]
        nm = None if wavelength is None else wavelength[own]
        # two steps: numpy would move the axis of two index arrays
        stretch = stretch_of(images[:, together][:, :, own], nm)
        pictures = [false_colour(image[own], nm, stretch=stretch) for image in images[:, date]]
        rows.append(Row(_date_title(tiles, date), pictures))
    return rows


def _mask_rows(tiles: TileSet) -> list[Row]:
    classes, layers = tiles.classes, tiles.layers
    if classes is None:
        return []
    masks = tiles.masks()
    shown = _shown_dates(tiles) if _one_a_date(tiles) else range(len(layers))
    return [
        Row(_layer_title(tiles, layer), [coloured_mask(mask, classes) for mask in masks[:, layer]]) for layer in shown
    ]


def _layer_title(tiles: TileSet, layer: int) -> str:
    if _one_a_date(tiles):
        return f"mask {_date_title(tiles, layer)}"
    name = tiles.layers[layer]
    return "mask" if name == "class" else name


def _change_rows(tiles: TileSet) -> list[Row]:
    if not _one_a_date(tiles) or tiles.classes is None:
        return []
    return [Row(f"{CHANGE_LAYER}\n(derived)", [coloured_change(change) for change in tiles.change_masks()])]


def _amount_rows(tiles: TileSet) -> list[Row]:
    quantities = tiles.quantities
    if quantities is None:
        return []
    amounts = tiles.amounts()
    limits = amount_limits(amounts, quantities)
    return [
        Row(
            quantities.names[i],
            [coloured_amount(amount, limits[i]) for amount in amounts[:, i]],
            limits=limits[i],
            unit=quantities.units[i],
            clipped=not quantities.sum_to_one,
        )
        for i in range(min(len(quantities), MOST_AMOUNTS))
    ]
