"""How much a pixel changed between the dates, against what the mask says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.evaluation.change import DateScale
from specdm.evaluation.change_map import change_map
from specdm.evaluation.reading import BATCH_VALUES, some
from specdm.evaluation.spectra import spectral_angle_deg
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet

FIT_TILES = 160
FIT_PIXELS = 60_000
ROUNDS = 10
RIDGE = 1e-4
LEAST = 1e-6


@dataclass(frozen=True)
class ChangeEvidence:
    """p(changed) of single pixels from two lengths and an angle of the change, learnt from real labelled pixels.

    The lengths are that of the change vector, each band of each date in standard deviations, and the chi-square of the
    multivariate alteration detection, in which differences that go with the season have no part: canonical variates of
    the two dates, iterated with weights so that changed ground does not count. Nielsen (2007), "The regularized
    iteratively reweighted MAD method for change detection in multi- and hyperspectral data", IEEE Transactions on Image
    Processing 16, eq. 4 to 7.

    Attributes:
        scale: of the bands.
        first, last: canonical vectors `(band, variate)`.
        variance: of the variates' differences on unchanged ground, `(variate,)`.
        classifier: of the logarithms of lengths and angle.
    """

    scale: DateScale
    first: np.ndarray
    last: np.ndarray
    variance: np.ndarray
    classifier: Any

    @classmethod
    def fit(cls, train: TileSet, *, seed: int) -> ChangeEvidence | None:
        """Fit on real training tiles; None where dates have different bands, or nothing changed or all did."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        bands = train.bands_of(0)
        if not np.array_equal(bands, train.bands_of(train.n_dates - 1)):
            return None
        random = np.random.default_rng(seed)
        index = some(len(train), FIT_TILES, random=random)
        scale = DateScale.fit(train, index, bands=bands)
        before, after, changed = _read(train, index, scale)
        chosen = some(len(changed), FIT_PIXELS, random=random)
        before, after, changed = before[chosen], after[chosen], changed[chosen]
        labelled = changed >= 0
        if not {0, 1} <= set(changed[labelled].tolist()):
            return None
        fitted = cls(scale, *_alteration(before, after), None)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(C=1.0))
        classifier.fit(fitted._lengths(before, after)[labelled], changed[labelled])
        return cls(scale, fitted.first, fitted.last, fitted.variance, classifier)

    def log_probabilities(self, tiles: TileSet, index: np.ndarray) -> np.ndarray:
        """Logarithms of p(unchanged) and p(changed), float32 `(tile, y, x, 2)`; alike where a date has no data."""
        before, after = _first_and_last(tiles, index, self.scale)
        valid = np.isfinite(before).all(axis=-1) & np.isfinite(after).all(axis=-1)
        found = np.full((*valid.shape, 2), np.log(0.5), np.float32)
        if valid.any():
            said = self.classifier.predict_proba(self._lengths(before[valid], after[valid]))
            found[valid] = np.log(np.clip(said, LEAST, 1.0))
        return found

    def _lengths(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Logarithms of change vector, chi-square and angle, `(m, 3)`, of scaled spectra `(m, band)`."""
        vector = np.linalg.norm(after - before, axis=-1)
        chi_square = (np.square(before @ self.first - after @ self.last) / self.variance).sum(axis=-1)
        angle = np.nan_to_num(spectral_angle_deg(before, after), nan=90.0)
        return np.log(np.column_stack([vector, chi_square, angle]) + 1e-3)


def _alteration(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Canonical vectors of both dates and the variances of their differences, reweighted until they stay."""
    from scipy.linalg import cholesky, solve_triangular
    from scipy.stats import chi2

    n_bands = before.shape[1]
    weight = np.ones(len(before))
    for _ in range(ROUNDS):
        total = weight.sum()
        one, other = before - weight @ before / total, after - weight @ after / total
        ridge = RIDGE * np.eye(n_bands)
        own, its = (np.einsum("m,mb,mc->bc", weight, x, x) / total + ridge for x in (one, other))
        both = np.einsum("m,mb,mc->bc", weight, one, other) / total
        root, its_root = cholesky(own, lower=True), cholesky(its, lower=True)
        white = solve_triangular(its_root, solve_triangular(root, both, lower=True).T, lower=True).T
        left, correlation, right = np.linalg.svd(white)
        first = solve_triangular(root, left, lower=True, trans="T")
        last = solve_triangular(its_root, right.T, lower=True, trans="T")
        variance = np.maximum(2 * (1 - np.minimum(correlation, 1.0)), 1e-6)
        chi_square = (np.square(one @ first - other @ last) / variance).sum(axis=1)
        # the weight of a pixel is its chance to be that much off without a change
        weight = np.maximum(chi2.sf(chi_square, n_bands), 1e-6)
    return first, last, variance


def _read(tiles: TileSet, index: np.ndarray, scale: DateScale) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scaled spectra `(m, band)` of both dates and change `(m,)`, -1 unlabelled, each pixel of ground once."""
    ground = GroundSeen(tiles)
    size = max(1, BATCH_VALUES // (tiles.n_dates * tiles.n_bands * tiles.size**2))
    found = []
    for start in range(0, len(index), size):
        part = index[start : start + size]
        before, after = _first_and_last(tiles, part, scale)
        usable = ground.fresh(part) & np.isfinite(before).all(axis=-1) & np.isfinite(after).all(axis=-1)
        found.append((before[usable], after[usable], change_map(tiles, part)[usable]))
    before, after, changed = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return before, after, changed


def _first_and_last(tiles: TileSet, index: np.ndarray, scale: DateScale) -> tuple[np.ndarray, np.ndarray]:
    images = tiles.images(index)[:, [0, -1]][:, :, scale.bands].astype(np.float64)
    before, after = (scale.apply(np.moveaxis(images[:, date], 1, -1), date) for date in (0, 1))
    return before, after
