"""Regions of a mask, and what can be done to their borders."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

DISC_SLACK = 1e-6


def regions(labels: np.ndarray) -> np.ndarray:
    """Number the connected regions of one class (pixels that share a side).

    Args:
        labels: class positions `(y, x)`, -1 where unlabelled.

    Returns:
        int64 `(y, x)`, from 0 on, by class and then by place; -1 where unlabelled.
    """
    found = np.full(labels.shape, -1, np.int64)
    count = 0
    for position in np.unique(labels[labels >= 0]):
        numbered, n = ndimage.label(labels == position)
        own = numbered > 0
        found[own] = numbered[own] - 1 + count
        count += n
    return found


def shifted(values: np.ndarray, dy: int, dx: int, *, fill: float) -> np.ndarray:
    """Move the last two axes `(..., y, x)` down by `dy` and right by `dx` px; what comes in is `fill`."""
    moved = np.full_like(values, fill)
    height, width = values.shape[-2:]
    to_y, to_x = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    from_y, from_x = slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0))
    moved[..., to_y, to_x] = values[..., from_y, from_x]
    return moved


def dilated(labels: np.ndarray, position: int, *, radius: int) -> np.ndarray:
    """Grow a class by `radius` px over whatever lies around it, labelled or not."""
    own = labels == position
    if not own.any():
        return labels.copy()
    distance = ndimage.distance_transform_edt(~own)
    return np.where(distance <= radius + DISC_SLACK, position, labels)


def eroded(labels: np.ndarray, position: int, *, radius: int) -> np.ndarray:
    """Give the pixels of a class that are within `radius` px of another class to that class."""
    own, other = labels == position, (labels >= 0) & (labels != position)
    if not own.any() or not other.any():
        return labels.copy()
    distance, (rows, columns) = ndimage.distance_transform_edt(~other, return_indices=True)
    lost = own & (distance <= radius + DISC_SLACK)
    return np.where(lost, labels[rows, columns], labels)


def compact_region(allowed: np.ndarray, *, pixels: int, random: np.random.Generator) -> np.ndarray:
    """About `pixels` connected pixels around a drawn one, bool `(y, x)`; none where nothing is allowed.

    Args:
        allowed: pixels it may hold, bool `(y, x)`.
        pixels: size it should have.
        random: draws where it is.
    """
    region = np.zeros_like(allowed)
    places = np.flatnonzero(allowed)
    if not len(places):
        return region
    row, column = np.unravel_index(random.choice(places), allowed.shape)
    numbered, _ = ndimage.label(allowed)
    own = np.flatnonzero(numbered == numbered[row, column])
    rows, columns = np.unravel_index(own, allowed.shape)
    nearest = np.argsort(np.hypot(rows - row, columns - column), kind="stable")[:pixels]
    region.flat[own[nearest]] = True
    return region
