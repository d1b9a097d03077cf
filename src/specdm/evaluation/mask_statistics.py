"""Shapes of class masks: how large regions are, which classes lie side by side, how much is boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class MaskShapes:
    """Regions and neighbours in some masks.

    Attributes:
        region_class, region_size, region_tile: of every region: its class, its pixels and the mask it is in, int64
            `(regions,)`; 4-connected, cut off at the edge of the mask.
        pairs: neighbours of unequal classes in each mask, sparse `(n, classes * classes)`: class i beside class j > i
            at i * classes + j. Few of many classes ever meet.
        unequal, labelled: pairs of neighbours that differ, and pairs with both labelled, of each mask, `(n,)`.
    """

    region_class: np.ndarray
    region_size: np.ndarray
    region_tile: np.ndarray
    pairs: csr_array
    unequal: np.ndarray
    labelled: np.ndarray

    def log_sizes(self, wanted: int) -> np.ndarray:
        """Binary logarithms of the sizes of a class's regions."""
        return np.log2(self.region_size[self.region_class == wanted])


def mask_shapes(labels: np.ndarray, *, n_classes: int) -> MaskShapes:
    """Measure masks.

    Args:
        labels: class positions `(n, y, x)`, -1 where unlabelled: no region has such a pixel, no pair counts it.
        n_classes: number of classes.
    """
    classes, sizes, tiles = _regions(labels, n_classes)
    from scipy.sparse import csr_array

    n = len(labels)
    labelled, met = np.zeros(n, np.int64), []
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[:, :, 1:], labels[:, :, :-1])):
        both = (one >= 0) & (other >= 0)
        labelled += both.sum(axis=(1, 2))
        tile = np.nonzero(both & (one != other))[0]
        differ = both & (one != other)
        met.append(np.stack([tile, np.minimum(one, other)[differ] * n_classes + np.maximum(one, other)[differ]]))
    where, counts = np.unique(np.concatenate(met, axis=1), axis=1, return_counts=True)
    found = csr_array((counts.astype(np.float64), (where[0], where[1])), shape=(n, n_classes**2))
    return MaskShapes(classes, sizes, tiles, found, np.asarray(found.sum(axis=1)), labelled)


def region_distance(real: MaskShapes, synthetic: MaskShapes, shares: np.ndarray) -> float:
    """1-Wasserstein distance of the log2 sizes of regions, mean over classes weighted by their shares `(classes,)`.

    1 is regions of twice or half the size. Classes without a region in one of the two are left out; NaN if all are.
    """
    from scipy.stats import wasserstein_distance

    total = weight = 0.0
    for position in np.flatnonzero(shares):
        one, other = real.log_sizes(int(position)), synthetic.log_sizes(int(position))
        if one.size and other.size:
            total += shares[position] * wasserstein_distance(one, other)
            weight += shares[position]
    return total / weight if weight else float("nan")


def adjacency_distance(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance of how often classes lie side by side, 0 (the same) to 1; NaN if one has no pair.

    Args:
        one, other: counts `(pairs,)`.
    """
    if not one.sum() or not other.sum():
        return float("nan")
    return float(np.abs(one / one.sum() - other / other.sum()).sum() / 2)


def _regions(labels: np.ndarray, n_classes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Class, size and mask of every 4-connected region."""
    from scipy.ndimage import label

    within = np.zeros((3, 3, 3), bool)
    within[1] = [[False, True, False], [True, True, True], [False, True, False]]
    classes, sizes, tiles = [], [], []
    for position in range(n_classes):
        there = labels == position
        holds = np.flatnonzero(there.any(axis=(1, 2)))
        if not holds.size:
            continue
        numbers, n = label(there[holds], within)
        flat = numbers.ravel()
        _, first = np.unique(flat, return_index=True)
        first = first[-n:]
        classes.append(np.full(n, position))
        sizes.append(np.bincount(flat, minlength=n + 1)[1:])
        tiles.append(holds[first // (labels.shape[1] * labels.shape[2])])
    none = np.zeros(0, np.int64)
    return tuple(np.concatenate([none, *parts]) for parts in (classes, sizes, tiles))  # type: ignore[return-value]
