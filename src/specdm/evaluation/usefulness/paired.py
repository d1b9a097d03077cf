"""Means over seeds with their intervals, and gains over a rival seed by seed.

The bootstrap of `specdm.evaluation.bootstrap` resamples tiles; a handful of seeds is too few to resample, so the
intervals here are Student's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from specdm.errors import ConfigError

LEVEL = 0.95


@dataclass(frozen=True)
class SeedInterval:
    """A mean over runs that differ in their seed alone.

    Attributes:
        mean: of the values.
        std: spread of the values, with n - 1; None for one value.
        n: number of values.
        low, high: 95 % interval of the mean; None for one value, whose spread nobody knows.
    """

    mean: float
    std: float | None
    n: int
    low: float | None
    high: float | None

    @property
    def above_zero(self) -> bool:
        """Whether the whole interval is above zero; never for one value."""
        return self.low is not None and self.low > 0

    def to_record(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def mean_interval(values: Sequence[float] | np.ndarray) -> SeedInterval:
    """Mean with Student's t interval: Student (1908), "The probable error of a mean", Biometrika 6.

    Args:
        values: one a seed, at least one, all finite.

    Raises:
        ConfigError: no value, or one that is not finite.
    """
    from scipy.stats import t

    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not len(found):
        raise ConfigError(f"values of shape {found.shape} have no mean over seeds; expected one a seed, at least one")
    if not np.isfinite(found).all():
        raise ConfigError(
            f"{int((~np.isfinite(found)).sum())} of {len(found)} values are not finite; leave out seeds without a score"
        )
    mean, n = float(found.mean()), len(found)
    if n == 1:
        return SeedInterval(mean, None, 1, None, None)
    std = float(found.std(ddof=1))
    half = float(t.ppf((1 + LEVEL) / 2, n - 1)) * std / math.sqrt(n)
    return SeedInterval(mean, std, n, mean - half, mean + half)


def paired_interval(ours: Sequence[float] | np.ndarray, rivals: Sequence[float] | np.ndarray) -> SeedInterval:
    """Mean of `ours - rivals` with the interval of a paired t test; what both share by their seed cancels.

    Args:
        ours, rivals: scores of the same seeds in the same order.

    Raises:
        ConfigError: other lengths, no value, or one that is not finite.
    """
    one, other = (np.asarray(values, np.float64) for values in (ours, rivals))
    if one.shape != other.shape:
        raise ConfigError(
            f"{one.size} values against {other.size} cannot be paired; give the scores of the same seeds on both sides"
        )
    return mean_interval(one - other)
