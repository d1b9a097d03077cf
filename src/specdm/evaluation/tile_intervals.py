"""Intervals of the numbers that other judges give: each again with tiles that count so many times."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.agreement import LabelJudge
from specdm.evaluation.case import Case
from specdm.evaluation.frechet import SpectralSpace, gaussian_distance
from specdm.evaluation.pixel_samples import PixelSample
from specdm.evaluation.record import Evaluation
from specdm.evaluation.texture import COMPONENTS, LAGS, texture
from specdm.evaluation.views import View
from specdm.evaluation.weighted_tiles import Weighted, interval_about, weighted_ratio

PREDICT_TILES = 128
"""Tiles whose pixels are classified at a time."""


def add_intervals(result: Evaluation, case: Case, synthetic: PixelSample) -> None:
    """Add intervals to the numbers of images and classes that are there."""
    looks, seen, n_tiles = case.synthetic, case.generated, synthetic.n_tiles
    reference = case.reference
    found: dict[str, Weighted] = {"synthetic.band_std_ratio": band_std_ratio(synthetic, reference.statistics.std[-1])}
    if reference.space is not None and len(synthetic.spectra):
        found["synthetic.frechet_spectral"] = frechet(synthetic, reference.sample, reference.space)
    real = texture(case.training.features)
    for lag in LAGS:
        if real[lag] > 0:
            found[f"synthetic.texture_ratio_lag{lag}"] = texture_ratio(seen, lag, real[lag], kinds=looks.kinds)
    judge, ceiling = reference.judge, result.metrics.get("synthetic.lda_ceiling")
    if judge is not None and ceiling:
        right, labelled = agreement_by_tile(judge, seen, kinds=looks.kinds)
        found["synthetic.lda_agreement"] = weighted_ratio(right, labelled)
        found["synthetic.lda_ratio"] = weighted_ratio(right / ceiling, labelled)
    for key, statistic in found.items():
        interval = interval_about(
            result.metrics.get(key),
            statistic,
            n_tiles,
            seed=case.seed,
            most=1.0 if key.endswith("lda_agreement") else np.inf,
        )
        if interval is not None:
            result.intervals[key] = interval


def band_std_ratio(sample: PixelSample, real_std: np.ndarray) -> Weighted:
    """Mean over bands of synthetic over real standard deviation `(channel,)`."""
    varies = real_std > 0
    values = (sample.spectra[:, varies] - sample.spectra[:, varies].mean(axis=0)) / real_std[varies]
    tiles, sums, squares = _sums(sample.tile, values, np.square(values))
    counts = np.bincount(sample.tile, minlength=sample.n_tiles)

    def statistic(weights: np.ndarray) -> float:
        n, own = float(weights @ counts), weights[tiles]
        if not n or not varies.any():
            return float("nan")
        variance = own @ squares / n - np.square(own @ sums / n)
        return float(np.sqrt(np.maximum(variance, 0)).mean())

    return statistic


def frechet(sample: PixelSample, real: np.ndarray, space: SpectralSpace) -> Weighted:
    """Distance to real spectra `(m, channel)` in the space: see `SpectralSpace.distance`."""
    points = space.pca.transform(sample.spectra.astype(np.float64)) if len(sample.spectra) else np.zeros((0, 1))
    wanted = space.pca.transform(real.astype(np.float64))
    mean, covariance = wanted.mean(axis=0), np.atleast_2d(np.cov(wanted, rowvar=False))
    order = np.argsort(sample.tile, kind="stable")
    tiles, starts, counts = np.unique(sample.tile[order], return_index=True, return_counts=True)
    parts = np.split(points[order], starts[1:])
    sums, products = np.stack([part.sum(axis=0) for part in parts]), np.stack([part.T @ part for part in parts])

    def statistic(weights: np.ndarray) -> float:
        own = weights[tiles]
        if (n := float(own @ counts)) < 2:
            return float("nan")
        center = own @ sums / n
        spread = (np.tensordot(own, products, 1) / n - np.outer(center, center)) * n / (n - 1)
        return gaussian_distance(mean, covariance, center, spread)

    return statistic


def texture_ratio(seen: View, lag: int, real: float, *, kinds: int) -> Weighted:
    """Mean squared difference of pixels `lag` apart over that of real tiles: see `mean_squared_difference`."""
    shown = seen.features[..., :COMPONENTS]
    pairs = ((shown[:, lag:], shown[:, :-lag]), (shown[:, :, lag:], shown[:, :, :-lag]))
    ratios = []
    for one, other in pairs:
        squared = np.square(one - other)
        valid = np.isfinite(squared)
        sums, counts = (
            values.sum(axis=(1, 2, 3), dtype=np.float64).reshape(kinds, -1).sum(axis=0)
            for values in (np.where(valid, squared, 0), valid)
        )
        ratios.append(weighted_ratio(sums / real, counts))
    return lambda weights: float(np.nanmean([ratio(weights) for ratio in ratios]))


def agreement_by_tile(judge: LabelJudge, seen: View, *, kinds: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of each tile that the classifier names as the mask does, and pixels judged, `(n_tiles,)` each."""
    right, judged = np.zeros((2, len(seen.labels)))
    for start in range(0, len(seen.labels), PREDICT_TILES):
        part = slice(start, start + PREDICT_TILES)
        usable = (seen.labels[part] >= 0) & np.isfinite(seen.features[part]).all(axis=-1)
        look = np.nonzero(usable)[0]
        if look.size:
            hits = judge.lda.predict(seen.features[part][usable]) == seen.labels[part][usable]
            right[part] = np.bincount(look, weights=hits, minlength=len(usable))
            judged[part] = np.bincount(look, minlength=len(usable))
    return right.reshape(kinds, -1).sum(axis=0), judged.reshape(kinds, -1).sum(axis=0)


def _sums(tile: np.ndarray, *values: np.ndarray) -> tuple[np.ndarray, ...]:
    """Tiles that have pixels, and the sums of values `(m, ...)` over each."""
    order = np.argsort(tile, kind="stable")
    tiles, starts = np.unique(tile[order], return_index=True)
    if not len(tiles):
        return tiles, *(value.astype(np.float64) for value in values)
    return tiles, *(np.add.reduceat(value[order].astype(np.float64), starts) for value in values)
