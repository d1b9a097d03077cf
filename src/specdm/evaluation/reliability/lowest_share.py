"""The pixels with the lowest scores of a set too large for the memory: where they end."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

HALF = 1 << 16


@dataclass
class Lowest:
    """Tells part by part, in the order of the set, which pixels are among the lowest.

    Attributes:
        level: score of the last of them.
        equal: how many more pixels of that very score are among them; the first ones.
    """

    level: float
    equal: int

    def marked(self, scores: np.ndarray) -> np.ndarray:
        """Which pixels of the next part are among the lowest, bool of the shape of `scores`."""
        found = scores < self.level
        tied = np.flatnonzero(scores == self.level)[: self.equal]
        found.ravel()[tied] = True
        self.equal -= len(tied)
        return found


def lowest_share(parts: Callable[[], Iterable[np.ndarray]], share: float) -> Lowest:
    """Find the `share` of pixels with the lowest scores, exactly and in bounded memory.

    Args:
        parts: gives the scores part by part, float32 0..1 of any shape, NaN where there is none; called twice.
        share: 0..1, of the pixels that have a score.
    """
    # the bits of positive floats are in the order of the floats: first the upper half of them, then the lower
    upper = np.zeros(HALF, np.int64)
    for scores in parts():
        upper += np.bincount(_bits(scores) // HALF, minlength=HALF)
    wanted = round(share * int(upper.sum()))
    if wanted == 0:
        return Lowest(0.0, 0)
    first = int(np.searchsorted(np.cumsum(upper), wanted))
    below = int(upper[:first].sum())
    lower = np.zeros(HALF, np.int64)
    for scores in parts():
        bits = _bits(scores)
        lower += np.bincount(bits[bits // HALF == first] % HALF, minlength=HALF)
    second = int(np.searchsorted(np.cumsum(lower), wanted - below))
    level = np.array(first * HALF + second, np.uint32).view(np.float32)
    return Lowest(float(level), wanted - below - int(lower[:second].sum()))


def _bits(scores: np.ndarray) -> np.ndarray:
    known = scores[np.isfinite(scores)].astype(np.float32)
    # plus 0, so that there is no negative zero
    return (known + np.float32(0)).view(np.uint32).astype(np.int64)
