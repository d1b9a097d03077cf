"""How much a number would vary with other synthetic tiles of the same model: the bootstrap over tiles."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

DRAWS = 200
"""Resamplings; enough for 95 % intervals of two digits."""


def bootstrap_interval(
    statistic: Callable[[np.ndarray], float], n: int, *, seed: int, draws: int = DRAWS
) -> tuple[float, float] | None:
    """95 % interval of a statistic of `n` tiles; tiles are resampled with replacement, never single pixels.

    Neighbouring pixels are much alike, so a bootstrap over pixels would be far too sure. Real tiles stay as they
    are: the interval is about the synthetic sample. Percentiles of Efron (1979), "Bootstrap methods: another look at
    the jackknife", Annals of Statistics 7; shifted by the bootstrap's own estimate of bias, since distances between
    distributions grow when tiles occur twice.

    Args:
        statistic: positions of tiles, int64 `(n,)` with repeats, to a number.
        n: number of tiles.
        seed: of the draws.
        draws: resamplings.

    Returns:
        Low and high; None below two tiles or if the statistic is not finite in most draws.
    """
    if n < 2:
        return None
    random = np.random.default_rng(seed)
    value = statistic(np.arange(n))
    found = np.array([statistic(random.integers(0, n, n)) for _ in range(draws)])
    found = found[np.isfinite(found)]
    if not np.isfinite(value) or len(found) < draws / 2:
        return None
    low, high = np.quantile(found, (0.025, 0.975)) - found.mean() + value
    return float(low), float(high)
