"""What the pixels around a pixel say: means over windows, over pixels alike, over regions and along borders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import ndimage

from specdm.evaluation.reliability.mask_shapes import regions

NEAREST_PAIRS = ((0, 1), (1, 0))


def moves(radius: int) -> Iterator[tuple[int, int]]:
    """All steps within a square window, the middle left out."""
    steps = range(-radius, radius + 1)
    return ((dy, dx) for dy in steps for dx in steps if dy or dx)


def moved(values: np.ndarray, dy: int, dx: int, *, fill: float) -> np.ndarray:
    """Of `(tile, y, x, ...)` what lies `dy` below and `dx` right of each pixel; `fill` beyond the edge."""
    height, width = values.shape[1:3]
    found = np.full_like(values, fill)
    to = slice(max(-dy, 0), height - max(dy, 0)), slice(max(-dx, 0), width - max(dx, 0))
    at = slice(max(dy, 0), height + min(dy, 0)), slice(max(dx, 0), width + min(dx, 0))
    found[:, *to] = values[:, *at]
    return found


def neighbour_scale(spectra: np.ndarray) -> float:
    """Median mean squared difference of neighbouring spectra `(tile, y, x, component)`; 1 where there is none."""
    found = []
    for dy, dx in NEAREST_PAIRS:
        apart = np.square(moved(spectra, dy, dx, fill=np.nan) - spectra).mean(axis=-1)
        found.append(apart[np.isfinite(apart)])
    apart = np.concatenate(found)
    return max(float(np.median(apart)), 1e-12) if len(apart) else 1.0


def alike_mean(values: np.ndarray, spectra: np.ndarray, *, radius: int, scale: float) -> np.ndarray:
    """Mean over a window in which pixels count by how alike their spectra are, so that borders stay.

    Tomasi and Manduchi (1998), "Bilateral filtering for gray and color images", eq. 3, with a Gaussian of the mean
    squared difference of spectra and a flat window.

    Args:
        values: `(tile, y, x, channel)`, finite.
        spectra: `(tile, y, x, component)`; pixels with a NaN count for none but themselves.
        radius: of the window in px.
        scale: mean squared difference at which a neighbour counts exp(-1).
    """
    total, weight = values.astype(np.float32).copy(), np.ones(values.shape[:-1], np.float32)
    for dy, dx in moves(radius):
        apart = np.square(moved(spectra, dy, dx, fill=np.nan) - spectra).mean(axis=-1)
        w = np.where(np.isfinite(apart), np.exp(-np.nan_to_num(apart) / scale), 0.0).astype(np.float32)
        total += w[..., None] * moved(values, dy, dx, fill=0.0)
        weight += w
    return total / weight[..., None]


def window_sum(values: np.ndarray, *, radius: int) -> np.ndarray:
    """Sum over square windows of `(tile, y, x, ...)`; beyond the edge is nothing."""
    side = 2 * radius + 1
    found = values.astype(np.float64)
    for axis in (1, 2):
        found = ndimage.uniform_filter1d(found, side, axis=axis, mode="constant") * side
    return found


def same_label_mean(values: np.ndarray, labels: np.ndarray, *, radius: int) -> np.ndarray:
    """Mean of `(tile, y, x, channel)` over the pixels of a window that have the same label; NaN where unlabelled."""
    found = np.full(values.shape, np.nan)
    for position in np.unique(labels[labels >= 0]):
        own = labels == position
        at = np.flatnonzero(own.any(axis=(1, 2)))
        inside = own[at]
        count = window_sum(inside, radius=radius)
        total = window_sum(np.where(inside[..., None], values[at], 0.0), radius=radius)
        rows = found[at]
        rows[inside] = (total / np.maximum(count, 0.5)[..., None])[inside]
        found[at] = rows
    return found


def group_mean(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Mean of `(tile, y, x, channel)` over all pixels of the same group, given back to each; NaN where -1.

    Args:
        values: finite.
        groups: numbers from 0 on, not shared between tiles, `(tile, y, x)`.
    """
    found = np.full(values.shape, np.nan)
    inside = groups >= 0
    if not inside.any():
        return found
    _, group = np.unique(groups[inside], return_inverse=True)
    count = np.bincount(group)
    mean = np.stack([np.bincount(group, weights=column) for column in values[inside].T], axis=-1) / count[:, None]
    found[inside] = mean[group]
    return found


def all_regions(labels: np.ndarray) -> np.ndarray:
    """Connected regions of all tiles `(tile, y, x)`, numbered on from tile to tile; -1 where unlabelled."""
    found = np.full(labels.shape, -1, np.int64)
    count = 0
    for at, one in enumerate(labels):
        own = regions(one)
        found[at] = np.where(own >= 0, own + count, -1)
        count += int(own.max(initial=-1)) + 1
    return found


def across_border(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest pixel with another label.

    Args:
        labels: `(tile, y, x)`, -1 where unlabelled.

    Returns:
        Its distance in px, float32, infinite where a tile has one label, and its label, -1 there; both
        `(tile, y, x)`, for labelled pixels.
    """
    distance = np.full(labels.shape, np.inf, np.float32)
    other = np.full(labels.shape, -1, np.int64)
    for at, one in enumerate(labels):
        known = one >= 0
        for position in np.unique(one[known]):
            own, rest = one == position, known & (one != position)
            if not rest.any():
                continue
            apart, (rows, columns) = ndimage.distance_transform_edt(~rest, return_indices=True)
            distance[at][own] = apart[own]
            other[at][own] = one[rows, columns][own]
    return distance, other
