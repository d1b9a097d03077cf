"""Do synthetic masks hold the classes as often as real ones?"""

from __future__ import annotations

import numpy as np

COMMON = 0.02
"""Share of the labelled training pixels above which a class must keep its frequency and its spectrum."""

PRESENT = 0.005
"""Share above which a class must occur at all."""


def shares(counts: np.ndarray) -> np.ndarray:
    """Pixel counts `(classes,)` as shares of their sum; zeros if there is no pixel."""
    return counts / max(float(counts.sum()), 1.0)


def worst_factor(real: np.ndarray, synthetic: np.ndarray) -> float:
    """By what factor the frequency of a common class is off, at worst; at least 1, NaN without labels.

    A class that is absent counts as one pixel, so that the factor stays a number.

    Args:
        real: labelled real training pixels of each class `(classes,)`, each pixel of ground once.
        synthetic: the same of the synthetic tiles.
    """
    common = shares(real) > COMMON
    if not common.any() or synthetic.sum() == 0:
        return float("nan")
    there = np.maximum(synthetic, 1.0)[common] / synthetic.sum()
    wanted = np.maximum(real, 1.0)[common] / max(1.0, float(real.sum()))
    return float(np.maximum(there / wanted, wanted / there).max())


def missing(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Positions of the classes above `PRESENT` of the real pixels that no synthetic pixel has."""
    return np.flatnonzero((shares(real) > PRESENT) & (synthetic == 0))
