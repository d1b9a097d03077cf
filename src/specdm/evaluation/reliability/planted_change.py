"""Errors planted in masks of what changed: a change that is missed, one that is invented."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specdm.evaluation.change_map import has_layer_a_date, unchanged_positions
from specdm.evaluation.reliability.mask_shapes import compact_region, regions
from specdm.scenes.task import derived_change
from specdm.tiles.tileset import TileSet

CHANGE_KINDS = ("change_missed", "change_invented")
INVENTED_PIXELS = (12, 80)
"""Least and most pixels of an invented change."""

LEAST_REGION = 8


def change_planter(tiles: TileSet, kind: str) -> Callable[[np.ndarray, np.random.Generator], np.ndarray]:
    """What makes one tile's labels `(layer, y, x)` wrong; with a mask a date it is the last that is.

    Args:
        tiles: whose masks say what changed.
        kind: one of `CHANGE_KINDS`.
    """
    counts = tiles.label_counts_of(len(tiles.layers) - 1)
    known = np.flatnonzero(counts)
    a_date = has_layer_a_date(tiles)
    assert tiles.classes is not None
    unchanged = unchanged_positions(tiles.classes)

    def missed(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
        labels = labels.copy()
        changed = _changed(labels) == 1
        numbered = regions(np.where(changed, labels[-1], -1))
        sizes = np.bincount(numbered[numbered >= 0])
        if not len(sizes):
            return labels
        region = numbered == random.choice(np.flatnonzero(sizes >= min(LEAST_REGION, sizes.max())))
        labels[-1][region] = labels[0][region] if a_date else unchanged[np.argmax(counts[unchanged])]
        return labels

    def invented(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
        labels = labels.copy()
        pixels = int(random.integers(INVENTED_PIXELS[0], INVENTED_PIXELS[1] + 1))
        region = compact_region(_changed(labels) == 0, pixels=pixels, random=random)
        if not region.any():
            return labels
        said = np.bincount(labels[-1][region]).argmax()
        others = np.setdiff1d(known, [said] if a_date else unchanged)
        if len(others):
            to = random.choice(others)
            labels[-1][region & (labels[-1] != to)] = to
        return labels

    def _changed(labels: np.ndarray) -> np.ndarray:
        if a_date:
            return derived_change(labels)
        return np.where(labels[0] < 0, -1, ~np.isin(labels[0], unchanged))

    return missed if kind == "change_missed" else invented
