"""Do synthetic tiles lie where real ones lie, and everywhere they lie? Balls around nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 5
"""Neighbours that a ball reaches to, as Naeem et al. (2020) choose it."""

BLOCK_VALUES = 4_000_000
"""Most distances held at a time (32 MB)."""


@dataclass(frozen=True)
class Prdc:
    """How two sets of points lie to each other.

    Attributes:
        precision: share of the synthetic points that lie in the ball of a real one, 0..1.
        recall: share of the real points that lie in the ball of a synthetic one, 0..1.
        density: in how many balls of real points a synthetic one lies, over what is to be expected; 1 for points of
            the same distribution, more if they crowd where real ones are dense.
        coverage: share of the real points whose ball holds a synthetic one, 0..1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def prdc(
    real: np.ndarray, synthetic: np.ndarray, *, k: int = NEIGHBOURS, same_ground: np.ndarray | None = None
) -> Prdc:
    """Precision, recall, density and coverage of synthetic points against real ones.

    The ball of a point reaches to its k-th nearest neighbour in its own set. Precision and recall: Kynkaanniemi et
    al. (2019), "Improved precision and recall metric for assessing generative models", eq. 1 and 2. Density and
    coverage: Naeem et al. (2020), "Reliable fidelity and diversity metrics for generative models", eq. 4 and 6. All
    of them depend on the numbers of points, so only figures of equal numbers are to be compared.

    Args:
        real: `(n, d)`; points with a NaN are left out.
        synthetic: `(m, d)`; the same.
        k: neighbours that a ball reaches to.
        same_ground: which real tiles show a pixel that another shows, bool `(n, n)`; they are not neighbours of each
            other. Overlapping windows are each other's nearest, and balls that reach no further hold nothing new.

    Returns:
        The four; NaN where one needs more points than there are (more than `k` of the set that the balls are of).
    """
    if same_ground is not None:
        known = np.isfinite(np.asarray(real, np.float64)).all(axis=1)
        same_ground = same_ground[np.ix_(known, known)]
    real, synthetic = (_known(points) for points in (real, synthetic))
    if not len(real) or not len(synthetic):
        return Prdc(*[float("nan")] * 4)
    # a ball that reaches over tiles of its own ground holds that many more than k
    share = np.ones(len(real)) if same_ground is None else 1 - (same_ground.sum(axis=1) - 1) / len(real)
    balls = np.zeros(len(synthetic))
    inside = np.zeros(len(synthetic), bool)
    covered, recalled = np.zeros((2, len(real)), bool)
    for part, in_real, in_synthetic in _inside(real, synthetic, k, same_ground):
        balls[part] = in_real @ share
        inside[part] = in_real.any(axis=1)
        covered |= in_real.any(axis=0)
        recalled |= in_synthetic.any(axis=0)
    enough, enough_synthetic = np.isfinite(_radius(real, k, same_ground)).all(), len(synthetic) > k
    return Prdc(
        precision=float(inside.mean()) if enough else float("nan"),
        recall=float(recalled.mean()) if enough_synthetic else float("nan"),
        density=float(balls.mean() / k) if enough else float("nan"),
        coverage=float(covered.mean()) if enough else float("nan"),
    )


def memberships(
    real: np.ndarray, synthetic: np.ndarray, *, k: int = NEIGHBOURS, same_ground: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Which synthetic points lie in whose balls, and which real ones: what `prdc` counts, of a few thousand points.

    Args:
        real: `(n, d)`, without NaN.
        synthetic: `(m, d)`, without NaN.
        k: neighbours that a ball reaches to.
        same_ground: as in `prdc`.

    Returns:
        Whether the synthetic point lies in the ball of the real one, and the real one in the ball of the synthetic
        one, bool `(m, n)` each.
    """
    found = list(_inside(np.asarray(real, np.float64), np.asarray(synthetic, np.float64), k, same_ground))
    return np.concatenate([in_real for _, in_real, _ in found]), np.concatenate([other for *_, other in found])


def _inside(
    real: np.ndarray, synthetic: np.ndarray, k: int, same_ground: np.ndarray | None
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Some synthetic points after the other: whose real balls they lie in, and which real points in theirs."""
    # about the origin, squares of large means would take the digits of small distances
    origin = real.mean(axis=0)
    real, synthetic = real - origin, synthetic - origin
    real_radius, synthetic_radius = _radius(real, k, same_ground), _radius(synthetic, k, None)
    for part, distances in _distances(synthetic, real):
        yield part, distances <= real_radius, distances <= synthetic_radius[part, None]


def _known(points: np.ndarray) -> np.ndarray:
    points = np.asarray(points, np.float64)
    return points[np.isfinite(points).all(axis=1)]


def _radius(points: np.ndarray, k: int, same: np.ndarray | None) -> np.ndarray:
    """Distance of each point to the k-th nearest other one, `(n,)`; NaN, in which nothing lies, if there is none."""
    radius = np.full(len(points), np.nan)
    if len(points) > k:
        for part, distances in _distances(points, points):
            if same is not None:
                distances[same[part]] = np.inf
            distances[np.arange(len(distances)), np.arange(part.start, part.stop)] = 0.0
            # the nearest is the point itself
            radius[part] = np.partition(distances, k, axis=1)[:, k]
    radius[np.isinf(radius)] = np.nan
    return radius


def _distances(one: np.ndarray, other: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Euclidean distances of some points of `one` after the other to all of `other`."""
    from sklearn.metrics import euclidean_distances

    size = max(1, BLOCK_VALUES // len(other))
    for start in range(0, len(one), size):
        part = slice(start, min(start + size, len(one)))
        yield part, euclidean_distances(one[part], other)
