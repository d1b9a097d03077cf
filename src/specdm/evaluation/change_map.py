"""Which pixels changed between the first and the last date, as the masks say."""

from __future__ import annotations

import re

import numpy as np

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.task import CHANGE_LAYER
from specdm.tiles.tileset import TileSet

_SAYS_UNCHANGED = re.compile(r"\b(?:un|non?|not)[ _-]?chang", re.IGNORECASE)


def has_change_map(tiles: TileSet) -> bool:
    """Whether the masks say what changed: a layer of change, or a layer a date."""
    if tiles.n_dates < 2 or tiles.classes is None:
        return False
    return tiles.layers == (CHANGE_LAYER,) or len(tiles.layers) == tiles.n_dates


def has_layer_a_date(tiles: TileSet) -> bool:
    """Whether every date has a mask of its own."""
    return tiles.n_dates > 1 and len(tiles.layers) == tiles.n_dates


def unchanged_positions(classes: Classes) -> np.ndarray:
    """Positions of the classes of a change layer that say "unchanged".

    Those whose name says so ("unchanged", "no change", "non-changed" ...); if none does, the lowest value.
    """
    named = [i for i, name in enumerate(classes.names) if _SAYS_UNCHANGED.search(name)]
    return np.asarray(named or [int(np.argmin(classes.values))])


def change_map(tiles: TileSet, index: np.ndarray) -> np.ndarray:
    """What changed in the tiles at some positions.

    Returns:
        int8 `(n, y, x)`: 1 changed, 0 unchanged, -1 where unlabelled.
    """
    if has_layer_a_date(tiles) or tiles.classes is None:
        return tiles.change_masks(index)
    found = tiles.classes.index_of(tiles.masks(index)[:, 0])
    change = (~np.isin(found, unchanged_positions(tiles.classes))).astype(np.int8)
    change[found < 0] = -1
    return change


def count_contradictions(change: np.ndarray, masks: np.ndarray) -> int:
    """Pixels of a change map that say something else than two class masks do.

    Args:
        change: `(n, y, x)`, 1 changed, 0 unchanged, -1 where unlabelled.
        masks: class values `(n, layer, y, x)`, -1 where unlabelled; the first and the last layer count.
    """
    before, after = masks[:, 0], masks[:, -1]
    unknown = (before == UNLABELLED) | (after == UNLABELLED)
    said = np.where(unknown, -1, np.where(before == after, 0, 1))
    return int((change != said).sum())


def transitions(before: np.ndarray, after: np.ndarray, *, n_classes: int) -> np.ndarray:
    """How many pixels go from which class to which, int64 `(classes, classes)`.

    Args:
        before, after: class positions `(...)`; pixels with -1 in one of the two are left out.
        n_classes: number of classes.
    """
    both = (before >= 0) & (after >= 0)
    pairs = before[both] * n_classes + after[both]
    return np.bincount(pairs, minlength=n_classes**2).reshape(n_classes, n_classes)


def transition_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance of two tables of transitions, 0 (the same) to 1; NaN if one is empty."""
    if not one.sum() or not other.sum():
        return float("nan")
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)
