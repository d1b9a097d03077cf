"""Ground that overlapping tiles show: each pixel counted once."""

from __future__ import annotations

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
    """Share of each class over the labelled ground of real tiles, float64 `(classes,)`, summing to one.

    A pixel that several windows show counts once; all zero where nothing is labelled.
    """
    classes = tiles.classes
    if classes is None:
        return np.zeros(0)
    ground = GroundSeen(tiles)
    counts = np.zeros(len(classes), np.int64)
    for start in range(0, len(tiles), COUNT_BATCH):
        part = np.arange(start, min(start + COUNT_BATCH, len(tiles)))
        index = classes.index_of(tiles.masks(part)[:, 0])
        counts += np.bincount(index[(index >= 0) & ground.fresh(part)], minlength=len(classes))
    return counts / max(1, counts.sum())
