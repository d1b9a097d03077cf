"""Fully constrained linear unmixing: which parts of which materials make up a spectrum."""

from __future__ import annotations

import numpy as np

CHUNK = 65_536
"""Pixels unmixed at a time."""

TOLERANCE = 1e-9
"""How far a multiplier may be below zero, in units of the end members' mean squared length."""


def estimate_endmembers(spectra: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Spectra of the pure materials that make up pixels of known abundances, by least squares.

    Args:
        spectra: `(m, channel)` without NaN.
        amounts: abundances `(m, quantity)` without NaN.

    Returns:
        float64 `(quantity, channel)`; NaN for a material that no pixel has.
    """
    spectra, amounts = spectra.astype(np.float64), amounts.astype(np.float64)
    there = (amounts > 0).any(axis=0)
    found = np.full((amounts.shape[1], spectra.shape[1]), np.nan)
    found[there] = np.linalg.lstsq(amounts[:, there], spectra, rcond=None)[0]
    return found


def unmix(spectra: np.ndarray, endmembers: np.ndarray) -> np.ndarray:
    """Abundances that explain spectra best, none negative and summing to one.

    The least-squares problem of Heinz and Chang (2001), "Fully constrained least squares linear spectral mixture
    analysis method for material quantification in hyperspectral imagery", IEEE Transactions on Geoscience and
    Remote Sensing 39; solved exactly, for all pixels side by side, with the active sets of Lawson and Hanson
    (1974), "Solving least squares problems", chapter 23, the sum as an equality rather than a heavy row.

    Args:
        spectra: `(m, channel)`.
        endmembers: `(quantity, channel)`, in the same units; a row of NaN is a material that is not there.

    Returns:
        float64 `(m, quantity)`; NaN for spectra with a NaN.
    """
    endmembers = endmembers.astype(np.float64)
    there = np.isfinite(endmembers).all(axis=1)
    pure = endmembers[there]
    found = np.full((len(spectra), len(endmembers)), np.nan)
    if not len(pure):
        return found
    gram = pure @ pure.T
    unit = max(float(np.trace(gram)) / len(pure), np.finfo(np.float64).tiny)
    solver = _Solver(gram / unit)
    for start in range(0, len(spectra), CHUNK):
        part = spectra[start : start + CHUNK].astype(np.float64)
        valid = np.isfinite(part).all(axis=1)
        rows = np.zeros((int(valid.sum()), len(endmembers)))
        rows[:, there] = solver.solve(part[valid] @ pure.T / unit)
        found[start : start + CHUNK][valid] = rows
    return found


class _Solver:
    """Minimises a G a / 2 - b a over the simplex, for many b and one G."""

    def __init__(self, gram: np.ndarray) -> None:
        self.gram = gram
        self._systems: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def solve(self, products: np.ndarray) -> np.ndarray:
        """`(m, k)` for products b `(m, k)`."""
        m, k = products.shape
        found = np.full((m, k), 1.0 / k)
        free = np.ones((m, k), bool)
        open_ = np.arange(m)
        # each round frees or fixes one part of every pixel still open; rounding could let it go on for ever
        for _ in range(30 * k):
            if not open_.size:
                break
            now, loose = found[open_], free[open_]
            target, price = self._on_free(products[open_], loose)
            falls = loose & (target <= 0)
            stops = falls.any(axis=1)

            back = open_[stops]
            if back.size:
                a, aim, down = now[stops], target[stops], falls[stops]
                with np.errstate(divide="ignore", invalid="ignore"):
                    steps = np.where(down, a / (a - aim), np.inf)
                # 0 / 0: already at zero and to stay there
                steps[down & ~np.isfinite(steps)] = 0.0
                step = steps.min(axis=1, keepdims=True)
                a = a + step * (aim - a)
                fixed = down & (steps <= step)
                found[back], free[back] = np.where(fixed, 0.0, a), loose[stops] & ~fixed

            goes = open_[~stops]
            found[goes] = target[~stops]
            # what a fixed part would gain by being freed; the sum's multiplier is the price of a part
            gain = target[~stops] @ self.gram - products[goes] + price[~stops, None]
            gain[loose[~stops]] = 0.0
            best = gain.argmin(axis=1)
            worth = gain[np.arange(len(goes)), best] < -TOLERANCE
            free[goes[worth], best[worth]] = True
            open_ = np.sort(np.concatenate([back, goes[worth]]))
        return found

    def _on_free(self, products: np.ndarray, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Best parts `(m, k)` that sum to one with only the free ones other than zero, and the multiplier `(m,)`."""
        target, price = np.zeros_like(products), np.empty(len(products))
        codes = free @ (1 << np.arange(free.shape[1], dtype=np.int64))
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(codes[order]) != 0])
        for start, end in zip(starts, np.r_[starts[1:], len(order)], strict=True):
            rows = order[start:end]
            which, inverse = self._system(int(codes[rows[0]]))
            right = np.concatenate([products[rows][:, which], np.ones((len(rows), 1))], axis=1)
            solved = right @ inverse
            target[np.ix_(rows, which)] = solved[:, :-1]
            price[rows] = solved[:, -1]
        return target, price

    def _system(self, code: int) -> tuple[np.ndarray, np.ndarray]:
        """Which parts are free, and the inverse of their equations with the sum's as the last."""
        if code not in self._systems:
            which = np.flatnonzero([code >> i & 1 for i in range(len(self.gram))])
            system = np.ones((len(which) + 1, len(which) + 1))
            system[:-1, :-1] = self.gram[np.ix_(which, which)]
            system[-1, -1] = 0.0
            # two like materials make it singular; any split between them is then as good
            self._systems[code] = which, np.linalg.pinv(system, hermitian=True)
        return self._systems[code]
