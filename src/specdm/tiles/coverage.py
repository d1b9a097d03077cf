"""Ground that overlapping tiles show: each pixel counted once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from specdm.tiles.tileset import COUNT_BATCH, TileSet


class GroundSeen:
    """Tells, tile after tile, which pixels show ground that no tile before has shown."""

    def __init__(self, tiles: TileSet) -> None:
        self._size = tiles.size
        self._rows, self._columns = (tiles.dataset[key].values for key in ("window_y", "window_x"))
        self._sources = tiles.dataset["source"].values.astype(str)
        self._seen: dict[str, np.ndarray] = {}

    def fresh(self, index: np.ndarray) -> np.ndarray:
        """Bool `(n, y, x)` for the tiles at these positions, which are then seen.

        All true where a tile has no window, as synthetic ones.
        """
        fresh = np.ones((len(index), self._size, self._size), bool)
        for place, at in enumerate(index):
            row, column = int(self._rows[at]), int(self._columns[at])
            if row < 0 or column < 0:
                continue
            ground = self._ground(str(self._sources[at]))
            window = ground[row : row + self._size, column : column + self._size]
            fresh[place] = ~window
            window[:] = True
        return fresh

    def _ground(self, source: str) -> np.ndarray:
        if source not in self._seen:
            own = self._sources == source
            extent = (self._rows[own].max() + self._size, self._columns[own].max() + self._size)
            self._seen[source] = np.zeros(extent, bool)
        return self._seen[source]


def class_shares(tiles: TileSet) -> np.ndarray:
    """Share of each class over the labelled ground of the first mask layer, float64 `(classes,)`, summing to one.

    A pixel that several windows show counts once; all zero where nothing is labelled. Empty without classes.
    """
    return layer_shares(tiles)[0] if tiles.classes is not None else np.zeros(0)


def layer_shares(tiles: TileSet) -> np.ndarray:
    """`class_shares` of every mask layer, float64 `(layers, classes)`."""
    counts = layer_counts(tiles)
    return counts / np.maximum(1, counts.sum(axis=1, keepdims=True))


def layer_counts(tiles: TileSet) -> np.ndarray:
    """Labelled pixels of each mask layer and class, each of ground counted once, int64 `(layers, classes)`."""
    classes = tiles.classes
    if classes is None:
        return np.zeros((len(tiles.layers), 0), np.int64)
    counts = np.zeros((len(tiles.layers), len(classes)), np.int64)
    for part, fresh in _fresh_parts(tiles):
        index = np.where(fresh[:, None], classes.index_of(tiles.masks(part)), -1)
        for layer, seen in enumerate(np.moveaxis(index, 1, 0)):
            counts[layer] += np.bincount(seen[seen >= 0], minlength=len(classes))
    return counts


def ground_pixels(tiles: TileSet) -> int:
    """Pixels of ground that the tiles show, each counted once."""
    return sum(int(fresh.sum()) for _, fresh in _fresh_parts(tiles))


def mean_amounts(tiles: TileSet) -> np.ndarray:
    """Mean of each quantity over the ground where it is known, in its unit, float64 `(quantities,)`.

    A pixel that several windows show counts once; NaN where nothing is known.
    """
    n = len(tiles.quantities) if tiles.quantities is not None else 0
    sums, counts = np.zeros(n), np.zeros(n, np.int64)
    if n:
        for part, fresh in _fresh_parts(tiles):
            amounts = tiles.amounts(part)
            known = np.isfinite(amounts) & fresh[:, None]
            sums += np.sum(amounts, axis=(0, 2, 3), where=known, dtype=np.float64)
            counts += known.sum(axis=(0, 2, 3))
    return np.divide(sums, counts, out=np.full(n, np.nan), where=counts > 0)


def _fresh_parts(tiles: TileSet) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Positions of some tiles after the other `(n,)`, and which of their pixels no tile before has shown."""
    ground = GroundSeen(tiles)
    for start in range(0, len(tiles), COUNT_BATCH):
        part = np.arange(start, min(start + COUNT_BATCH, len(tiles)))
        yield part, ground.fresh(part)
