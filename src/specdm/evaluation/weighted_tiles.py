"""Statistics of pixels whose tiles count so many times: what a bootstrap over tiles computes again and again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specdm.evaluation.bootstrap import bootstrap_interval

Weighted = Callable[[np.ndarray], float]


def interval_about(
    value: float | None, statistic: Weighted, n_tiles: int, *, seed: int, most: float = np.inf
) -> tuple[float, float] | None:
    """95 % interval of a number by `bootstrap_interval`, from a statistic of how often each tile counts.

    Where the statistic sees only some of the pixels that the number is computed from, the interval is moved by
    their difference: how much tiles differ is as well known from a part of their pixels.

    Args:
        value: the number as it is reported; None if there is none.
        statistic: weights float64 `(n_tiles,)` to the number.
        n_tiles: synthetic tiles.
        seed: of the draws.
        most: largest value that the number can take; the smallest is 0.
    """
    if value is None or not np.isfinite(value):
        return None

    def resampled(chosen: np.ndarray) -> float:
        return statistic(np.bincount(chosen, minlength=n_tiles).astype(np.float64))

    found = bootstrap_interval(resampled, n_tiles, seed=seed)
    if found is None:
        return None
    away = value - statistic(np.ones(n_tiles))
    low, high = (float(np.clip(end + away, 0, most)) for end in found)
    return low, high


def weighted_ratio(numerator: np.ndarray, denominator: np.ndarray) -> Weighted:
    """Sum over sum of two values a tile `(n_tiles,)`; NaN if the denominator is nothing."""

    def statistic(weights: np.ndarray) -> float:
        below = float(weights @ denominator)
        return float(weights @ numerator) / below if below > 0 else float("nan")

    return statistic


class LineDistance:
    """1-Wasserstein distance of values on a line, and quantiles, with tiles that count so many times."""

    def __init__(self, real: np.ndarray, synthetic: np.ndarray, tile: np.ndarray) -> None:
        """Sort once.

        Args:
            real: values `(m,)`, at least one.
            synthetic: values `(k,)`, at least one.
            tile: which tile each synthetic value is of, `(k,)`.
        """
        both = np.concatenate([real, synthetic]).astype(np.float64)
        self._order = np.argsort(both, kind="stable")
        self._gaps = np.diff(both[self._order])
        self._mass = np.full(len(both), -1.0 / len(real))
        self._n_real = len(real)
        rising = np.argsort(synthetic, kind="stable")
        self._values, self._rising_tile, self._tile = synthetic[rising], tile[rising], tile

    def distance(self, weights: np.ndarray) -> float:
        """How far a value has to move on average; NaN if no tile counts."""
        own = weights[self._tile]
        if not own.sum() > 0:
            return float("nan")
        mass = self._mass.copy()
        mass[self._n_real :] = own / own.sum()
        return float(np.abs(np.cumsum(mass[self._order])[:-1]) @ self._gaps)

    def quantiles(self, weights: np.ndarray, shares: tuple[float, ...]) -> np.ndarray:
        """Synthetic values below which these shares lie."""
        rising = np.cumsum(weights[self._rising_tile])
        places = np.searchsorted(rising, np.asarray(shares) * rising[-1])
        return self._values[np.minimum(places, len(self._values) - 1)]


class GroupMeans:
    """Mean spectra of groups, with tiles that count so many times."""

    def __init__(self, spectra: np.ndarray, group: np.ndarray, tile: np.ndarray, groups: np.ndarray) -> None:
        """Sum once.

        Args:
            spectra: `(m, channel)`.
            group: `(m,)`; only those in `groups` count.
            tile: which tile each pixel is of, `(m,)`.
            groups: groups whose means are wanted, `(g,)`.
        """
        self._rows = []
        for wanted in groups:
            own = np.flatnonzero(group == wanted)
            own = own[np.argsort(tile[own], kind="stable")]
            tiles, starts, counts = np.unique(tile[own], return_index=True, return_counts=True)
            sums = np.add.reduceat(spectra[own].astype(np.float64), starts) if len(own) else np.zeros((0, 1))
            self._rows.append((tiles, sums, counts))
        self._channels = spectra.shape[1]

    def means(self, weights: np.ndarray) -> np.ndarray:
        """`(g, channel)`, NaN for a group without pixels."""
        found = np.full((len(self._rows), self._channels), np.nan)
        for place, (tiles, sums, counts) in enumerate(self._rows):
            own = weights[tiles]
            if (total := float(own @ counts)) > 0:
                found[place] = own @ sums / total
        return found
