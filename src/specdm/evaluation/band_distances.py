"""Band by band: are synthetic values distributed as real ones, and do they span the same range?"""

from __future__ import annotations

import numpy as np

from specdm.evaluation.pixel_samples import PixelSample
from specdm.evaluation.record import Evaluation
from specdm.evaluation.weighted_tiles import LineDistance, interval_about

RANGE = (0.005, 0.995)
"""Shares of the pixels between which the range of a band lies."""

INTERVAL_BANDS, INTERVAL_PIXELS = 24, 4000
"""Bands, and pixels of each set, that the intervals are computed from."""


def band_wasserstein(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """1-Wasserstein distance of each band in real standard deviations.

    Args:
        real: spectra `(m, channel)` without NaN.
        synthetic: spectra `(k, channel)` without NaN.

    Returns:
        `(channel,)`; NaN where real values do not vary or there are none.
    """
    from scipy.stats import wasserstein_distance

    found = np.full(real.shape[1], np.nan)
    if not len(real) or not len(synthetic):
        return found
    spread = real.std(axis=0, dtype=np.float64)
    for band in np.flatnonzero(spread > 0):
        found[band] = wasserstein_distance(real[:, band], synthetic[:, band]) / spread[band]
    return found


def range_coverage(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Share of the range of real values of each band that synthetic values span, 0..1.

    A range is from the 0.5 % to the 99.5 % quantile, so that single pixels do not count.

    Args:
        real: spectra `(m, channel)` without NaN.
        synthetic: spectra `(k, channel)` without NaN.

    Returns:
        `(channel,)`; NaN where real values do not vary or there are none.
    """
    if not len(real) or not len(synthetic):
        return np.full(real.shape[1], np.nan)
    return _shared(*np.quantile(real, RANGE, axis=0), *np.quantile(synthetic, RANGE, axis=0))


def add_band_distances(result: Evaluation, real: PixelSample, synthetic: PixelSample, *, seed: int) -> None:
    """Add `synthetic.band_wasserstein`, `..._worst` and `synthetic.range_coverage`."""
    distances, covered = (measure(real.spectra, synthetic.spectra) for measure in (band_wasserstein, range_coverage))
    varies = np.isfinite(distances)
    intervals: list[tuple[float, float] | None] = [None, None]
    if varies.any():
        intervals = _intervals(real, synthetic, distances, covered, seed=seed)
        result.settings["band of the worst distance"] = f"{int(np.nanargmax(distances)) + 1} of {len(distances)}"
    why_not = "no band varies, or no synthetic pixel has data"
    mean, worst, share = (
        float(found[np.isfinite(found)].mean() if how == "mean" else np.nanmax(found))
        if np.isfinite(found).any()
        else None
        for found, how in ((distances, "mean"), (distances, "worst"), (covered, "mean"))
    )
    result.add("synthetic.band_wasserstein", mean, interval=intervals[0], why_not=why_not)
    result.add("synthetic.band_wasserstein_worst", worst, why_not=why_not)
    result.add("synthetic.range_coverage", share, interval=intervals[1], why_not=why_not)


def _shared(low: np.ndarray, high: np.ndarray, drawn_low: np.ndarray, drawn_high: np.ndarray) -> np.ndarray:
    width = high - low
    shared = np.minimum(high, drawn_high) - np.maximum(low, drawn_low)
    return np.where(width > 0, np.maximum(shared, 0) / np.where(width > 0, width, 1), np.nan)


def _intervals(
    real: PixelSample, synthetic: PixelSample, distances: np.ndarray, covered: np.ndarray, *, seed: int
) -> list[tuple[float, float] | None]:
    """Intervals of the two means, from some bands and pixels."""
    random = np.random.default_rng(seed)
    one, other = (
        random.choice(len(sample.spectra), min(INTERVAL_PIXELS, len(sample.spectra)), replace=False)
        for sample in (real, synthetic)
    )
    found: list[tuple[float, float] | None] = []
    for values, what in ((distances, "distance"), (covered, "range")):
        known = np.flatnonzero(np.isfinite(values))
        if not known.size:
            found.append(None)
            continue
        bands = known[np.linspace(0, len(known) - 1, min(INTERVAL_BANDS, len(known))).round().astype(int)]
        lines = [
            LineDistance(real.spectra[one, band], synthetic.spectra[other, band], synthetic.tile[other])
            for band in bands
        ]
        spread = real.spectra[:, bands].std(axis=0, dtype=np.float64)
        low, high = np.quantile(real.spectra[:, bands], RANGE, axis=0)

        def distance(weights: np.ndarray, lines=lines, spread=spread) -> float:
            return float(np.mean([line.distance(weights) for line in lines] / spread))

        def span(weights: np.ndarray, lines=lines, low=low, high=high) -> float:
            return float(np.mean(_shared(low, high, *np.stack([line.quantiles(weights, RANGE) for line in lines]).T)))

        statistic = distance if what == "distance" else span
        found.append(
            interval_about(
                float(values[known].mean()),
                statistic,
                synthetic.n_tiles,
                seed=seed,
                most=np.inf if what == "distance" else 1.0,
            )
        )
    return found
