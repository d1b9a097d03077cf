"""Labelled pixels of overlapping tiles, each counted once."""

from __future__ import annotations

import numpy as np

from specdm.tiles.tileset import COUNT_BATCH, TileSet


def class_shares(tiles: TileSet) -> np.ndarray:
    """Share of each class over the labelled ground of real tiles, float64 `(classes,)`, summing to one.

    A pixel that several windows show counts once; all zero where nothing is labelled.
    """
    classes = tiles.classes
    if classes is None:
        return np.zeros(0)
    rows, columns = tiles.dataset["window_y"].values, tiles.dataset["window_x"].values
    sources = tiles.dataset["source"].values.astype(str)
    seen: dict[str, np.ndarray] = {}
    for source in np.unique(sources):
        own = sources == source
        extent = (int(rows[own].max()) + tiles.size, int(columns[own].max()) + tiles.size)
        seen[source] = np.zeros(extent, bool)
    counts = np.zeros(len(classes), np.int64)
    for start in range(0, len(tiles), COUNT_BATCH):
        masks = tiles.masks(slice(start, start + COUNT_BATCH))
        for offset, mask in enumerate(classes.index_of(masks)):
            at = start + offset
            window = (slice(rows[at], rows[at] + tiles.size), slice(columns[at], columns[at] + tiles.size))
            new = ~seen[sources[at]][window]
            labelled = mask[(mask >= 0) & new]
            counts += np.bincount(labelled, minlength=len(classes))
            seen[sources[at]][window] = True
    return counts / max(1, counts.sum())
