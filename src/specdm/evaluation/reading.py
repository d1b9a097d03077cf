"""What the judges read of a tile set: bounded batches, class positions, seeded parts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specdm.tiles.tileset import TileSet

BATCH_VALUES = 8_000_000
"""Most image values loaded at a time (32 MB)."""


def channels(images: np.ndarray) -> np.ndarray:
    """Images `(n, date, band, y, x)` with the dates after each other as bands: `(n, date * band, y, x)`."""
    n, _, _, height, width = images.shape
    return images.reshape(n, -1, height, width)


def positions(tiles: TileSet, masks: np.ndarray) -> np.ndarray:
    """Class positions int64 `(n, y, x)` of the masks' first layer, -1 where unlabelled."""
    if tiles.classes is None:
        return np.full((len(masks), *masks.shape[2:]), -1, np.int64)
    return tiles.classes.index_of(masks[:, 0])


def batches(tiles: TileSet, index: np.ndarray) -> Iterator[np.ndarray]:
    """Parts of `index` so small that their images take `BATCH_VALUES` at most (one tile at least)."""
    size = max(1, BATCH_VALUES // (tiles.n_dates * tiles.n_bands * tiles.size**2))
    for start in range(0, len(index), size):
        yield index[start : start + size]


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

