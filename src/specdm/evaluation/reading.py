"""How much the judges read of a tile set: bounded batches, evenly spread or seeded parts."""

from __future__ import annotations

import numpy as np

from specdm.tiles.tileset import TileSet

BATCH_VALUES = 8_000_000
"""Most image values loaded at a time (32 MB)."""


def evenly(n: int, most: int) -> np.ndarray:
    """At most `most` of `n` positions, evenly spread, int64."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.int64)


def most_tiles(tiles: TileSet, *, tile_limit: int, pixel_limit: int) -> int:
    """How many tiles keep within both limits; at least 8 however large a tile is."""
    return min(tile_limit, max(8, pixel_limit // tiles.size**2))


def some(n: int, most: int, *, random: np.random.Generator) -> np.ndarray:
    """At most `most` of `n` positions, drawn at random, in rising order, int64.

    Windows of a scene come row by row, so every so-manieth would be a column of it; a draw keeps the mix.
    """
    return np.arange(n) if n <= most else np.sort(random.choice(n, most, replace=False))
