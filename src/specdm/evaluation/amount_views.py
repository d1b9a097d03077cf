"""Continuous masks of a tile set beside spectra: drawn pixels, values, and how alike neighbours are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.views import Reconstructs

PIXELS = 200_000
"""Most pixels of a tile set whose spectra are read."""


@dataclass(frozen=True)
class AmountPixels:
    """Drawn pixels.

    Attributes:
        spectra: `(m, channel)` without NaN.
        amounts: `(m, quantity)`, NaN where unknown, at least one known in each pixel.
        original: `(m, quantity)`: amounts before the codec, those above if there was none.
    """

    spectra: np.ndarray
    amounts: np.ndarray
    original: np.ndarray


def draw_pixels(
    looks: Looks, index: np.ndarray, *, seed: int, model: Reconstructs | None = None, most: int = PIXELS
) -> AmountPixels:
    """Pixels with data and with a known amount, each pixel of ground once, drawn evenly from some tiles.

    Args:
        looks: at all dates of a tile set, one look a tile.
        index: positions of the tiles.
        seed: of the draw.
        model: sends the tiles through its codecs first; none: the tiles as they are.
        most: about so many pixels.
    """
    random = np.random.default_rng(seed)
    ground = FreshLooks(looks)
    draw = min(1.0, most / max(1, len(index) * looks.tiles.size**2))
    spectra, amounts, original = [], [], []
    for part in looks.batches(index):
        tiles = looks.tiles.select(part)
        everything = np.arange(len(part))
        own, values = looks.of(tiles).spectra(everything), np.moveaxis(tiles.amounts(), 1, -1)
        chosen = ground.fresh(part) & np.isfinite(own).all(axis=-1) & np.isfinite(values).any(axis=-1)
        chosen &= random.random(chosen.shape) < draw
        original.append(values[chosen])
        if model is not None:
            tiles = model.reconstruct(tiles)
            own, values = looks.of(tiles).spectra(everything), np.moveaxis(tiles.amounts(), 1, -1)
        spectra.append(own[chosen])
        amounts.append(values[chosen])
    return AmountPixels(np.concatenate(spectra), np.concatenate(amounts), np.concatenate(original))


def rmse(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Root mean squared difference of each quantity, `(m, quantity)` to `(quantity,)`; NaN without known pixels."""
    squared = np.square(one.astype(np.float64) - other)
    known = np.isfinite(squared)
    count = known.sum(axis=0)
    total = np.where(known, squared, 0.0).sum(axis=0)
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)


def over_quantities(errors: np.ndarray, scale: np.ndarray) -> float:
    """Root mean square over the quantities of errors `(quantity,)` in units of `scale`; NaN if none is known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.square(errors / scale)
    known = np.isfinite(relative)
    return float(np.sqrt(relative[known].mean())) if known.any() else float("nan")


def correlation(amounts: np.ndarray, lag: int) -> np.ndarray:
    """Correlation of pixels `lag` apart along rows and columns, about the mean of the whole set.

    Args:
        amounts: `(n, quantity, y, x)`; pairs with a NaN are left out.
        lag: distance in pixels.

    Returns:
        -1..1 a quantity, `(quantity,)`; NaN where nothing varies or tiles are not wider than `lag`.
    """
    found = np.full(amounts.shape[1], np.nan)
    for i, values in enumerate(np.moveaxis(amounts, 1, 0)):
        known = np.isfinite(values)
        if not known.any():
            continue
        away = values.astype(np.float64) - values[known].mean(dtype=np.float64)
        products = np.concatenate(
            [(away[:, lag:] * away[:, :-lag]).ravel(), (away[:, :, lag:] * away[:, :, :-lag]).ravel()]
        )
        products = products[np.isfinite(products)]
        variance = float(np.square(away[known]).mean())
        if products.size and variance > 0:
            found[i] = products.mean() / variance
    return found
