"""How far the class of a labelled pixel holds: large for fields, small for roofs, paths and mixed ground."""

from __future__ import annotations

import numpy as np

from specdm.tiles.tileset import TileSet

MOST_REACH = 3
MOST_TILES = 256


def label_constancy(tiles: TileSet, *, layer: int, most_reach: int = MOST_REACH) -> np.ndarray:
    """Share of pairs of labelled pixels at most 0, 1, ... pixels apart, in rows and columns, that have one class.

    Args:
        tiles: of which at most `MOST_TILES`, evenly spread, are looked at.
        layer: position of the mask layer.
        most_reach: the last of the distances.

    Returns:
        float64 `(most_reach + 1,)`, 1 at first; 0 where there is no pair.
    """
    same, pairs = np.zeros(most_reach + 1), np.zeros(most_reach + 1)
    if tiles.classes is not None and len(tiles):
        chosen = np.unique(np.linspace(0, len(tiles) - 1, min(len(tiles), MOST_TILES)).astype(int))
        same, pairs = _pairs(tiles.classes.index_of(tiles.masks(chosen)[:, layer]), most_reach)
    found = np.divide(same, pairs, out=np.zeros_like(same), where=pairs > 0)
    found[0] = 1.0
    return found


def _pairs(labels: np.ndarray, most_reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of one class, and all, of positions `(n, y, x)`, at most 0, 1, ... pixels apart."""
    same, pairs = np.zeros(most_reach + 1), np.zeros(most_reach + 1)
    size = labels.shape[-1]
    reach = min(most_reach, size - 1)
    for y in range(reach + 1):
        for x in range(-reach, reach + 1):
            if y == 0 and x <= 0:
                continue
            one = labels[:, y:, max(0, x) : size + min(0, x)]
            other = labels[:, : size - y, max(0, -x) : size + min(0, -x)]
            both = (one >= 0) & (other >= 0)
            apart = max(y, abs(x))
            pairs[apart] += both.sum()
            same[apart] += (both & (one == other)).sum()
    return np.cumsum(same), np.cumsum(pairs)
