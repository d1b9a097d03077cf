"""Is a synthetic tile a copy of a training tile? Nearest neighbours, held against those of other real ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

LEVEL = 0.01
"""Share of fresh real tiles that may be taken for copies."""

CROWD = 20
"""Tiles, none of which overlaps with the nearest one, whose distance says how near tiles like these lie anyway."""

LEAST_CROWD = 5
BLOCK_VALUES = 4_000_000
"""Most distances held at a time (16 MB)."""


@dataclass(frozen=True)
class Windows:
    """Where tiles lie: tiles of one source overlap if their windows do.

    Attributes:
        source: number of the source, int64 `(n,)`; -1 for tiles that overlap with none.
        yx: first row and column, int64 `(n, 2)`.
        size: pixels along a tile.
    """

    source: np.ndarray
    yx: np.ndarray
    size: int

    def overlap(self, part: np.ndarray | slice, other: Windows) -> np.ndarray:
        """Which of the tiles of a part share ground with which others, bool `(part, other)`."""
        same = self.source[part, None] == other.source
        same &= (self.source[part] >= 0)[:, None]
        for axis in range(2):
            same &= np.abs(self.yx[part, None, axis] - other.yx[:, axis]) < self.size
        return same


@dataclass(frozen=True)
class Neighbours:
    """The nearest training tile of some tiles.

    Attributes:
        nearest: position among the training tiles, int64 `(n,)`; -1 if there is none to compare with.
        distance: to it, `(n,)`: root mean squared difference of components in standard deviations of the training
            pixels, over the blocks where both have data, in whichever of the eight orientations it is smallest.
        score: the same over the median distance to the tiles that are next, `(n,)`: a copy is far nearer to one tile
            than to all that do not overlap with it, whereas plain ground, such as water, is near to all of its kind.
    """

    nearest: np.ndarray
    distance: np.ndarray
    score: np.ndarray


def neighbours(tiles: np.ndarray, windows: Windows, training: np.ndarray, ground: Windows) -> Neighbours:
    """Compare tiles with all training tiles that share no ground with them.

    Args:
        tiles: descriptors `(n, component, grid, grid)`, NaN in blocks without data.
        windows: where these tiles lie; source -1 for synthetic ones.
        training: the same of training tiles, `(m, component, grid, grid)`.
        ground: where they lie.
    """
    nearest = np.full(len(tiles), -1, np.int64)
    distance, score = np.full((2, len(tiles)), np.nan)
    for part, squared in _squared_distances(tiles, training):
        squared[windows.overlap(part, ground)] = np.inf
        found = squared.argmin(axis=1)
        least = np.take_along_axis(squared, found[:, None], axis=1)[:, 0]
        # the crowd: none of what shows the ground of the nearest tile
        squared[ground.overlap(found, ground)] = np.inf
        squared[np.arange(len(found)), found] = np.inf
        crowd = np.sort(np.partition(squared, min(CROWD, squared.shape[1]) - 1, axis=1)[:, :CROWD], axis=1)
        enough = np.isfinite(least) & (np.isfinite(crowd).sum(axis=1) >= LEAST_CROWD)
        if not enough.any():
            continue
        far = np.nanmedian(np.where(np.isfinite(crowd), crowd, np.nan)[enough], axis=1)
        at = np.arange(part.start, part.stop)[enough]
        nearest[at], distance[at] = found[enough], np.sqrt(least[enough])
        score[at] = np.sqrt(least[enough] / np.maximum(far, np.finfo(np.float32).tiny))
    return Neighbours(nearest, distance, score)


@dataclass(frozen=True)
class Verdict:
    """Which tiles are nearer to a training tile than tiles of other ground would be.

    Attributes:
        flagged: score among the lowest `chance` of the reference, bool `(n,)`.
        copies: score below all of the reference, bool `(n,)`.
        chance: share of fresh tiles that would be flagged too.
        beyond_chance: probability that so many or more would be flagged among fresh tiles.
    """

    flagged: np.ndarray
    copies: np.ndarray
    chance: float
    beyond_chance: float


def judge_scores(score: np.ndarray, reference: np.ndarray, *, independent: float) -> Verdict:
    """Hold scores of synthetic tiles against those of real tiles.

    The share of fresh tiles below the r-th lowest of N reference scores is itself uncertain, Beta(r, N + 1 - r)
    (David and Nagaraja 2003, "Order statistics", eq. 2.2.1); so the count is held against a beta-binomial
    distribution, not a binomial one.

    Args:
        score: of synthetic tiles `(n,)`, without NaN.
        reference: of real tiles `(N,)`, without NaN, at least one.
        independent: how many of the reference tiles tell something new: those that overlap tell the same twice.
    """
    from scipy.stats import betabinom

    n = len(reference)
    rank = max(1, round(LEVEL * (n + 1)))
    chance = rank / (n + 1)
    ordered = np.sort(reference)
    flagged = score < ordered[rank - 1]
    trials = min(float(n), max(1.0, independent)) + 1
    beyond = betabinom.sf(flagged.sum() - 1, len(score), chance * trials, (1 - chance) * trials)
    return Verdict(flagged, score < ordered[0], chance, float(beyond))


def _squared_distances(tiles: np.ndarray, training: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Mean squared differences of some tiles after the other to all training tiles, the least of all orientations.

    Infinite where fewer than half of the values are known in both.
    """
    n_values = int(np.prod(training.shape[1:]))
    known = np.isfinite(training)
    whole = bool(known.all() and np.isfinite(tiles).all())
    # about the origin the squares would take the digits of small differences
    origin = np.where(known, training, 0).sum(axis=(0, 2, 3), keepdims=True, dtype=np.float64)
    origin = (origin / np.maximum(known.sum(axis=(0, 2, 3), keepdims=True), 1)).astype(np.float32)
    fixed = _flat(training - origin)
    fixed_known = _flat(known.astype(np.float32))
    fixed_squares = np.square(fixed)
    size = max(1, BLOCK_VALUES // max(1, len(training)))
    for start in range(0, len(tiles), size):
        part = slice(start, min(start + size, len(tiles)))
        least = np.full((part.stop - start, len(training)), np.inf, np.float32)
        for turned in _orientations(tiles[part] - origin):
            own, own_known = _flat(turned), _flat(np.isfinite(turned).astype(np.float32))
            if whole:
                total = np.square(own).sum(axis=1)[:, None] + fixed_squares.sum(axis=1) - 2 * own @ fixed.T
                squared = total / n_values
            else:
                total = np.square(own) @ fixed_known.T + own_known @ fixed_squares.T - 2 * own @ fixed.T
                shared = own_known @ fixed_known.T
                squared = np.where(2 * shared >= n_values, total / np.maximum(shared, 1), np.inf)
            np.minimum(least, squared, out=least)
        # rounding may fall below nothing
        yield part, np.maximum(least, 0)


def _orientations(images: np.ndarray) -> Iterator[np.ndarray]:
    """All eight turns and flips along the last two axes: training tiles are augmented by them."""
    for flipped in (images, images[..., ::-1]):
        for turns in range(4):
            yield np.rot90(flipped, turns, axes=(-2, -1))


def _flat(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(values, nan=0.0).reshape(len(values), -1)
