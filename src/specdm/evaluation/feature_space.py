"""Features of an image network as points of few dimensions, and two distances between sets of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specdm.evaluation.frechet import gaussian_distance

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

COMPONENTS = 32
TILES_A_COMPONENT = 16
"""Tiles for each principal component; fewer, and the components are those of the tiles rather than of the ground."""


class FeatureSpace:
    """The leading principal components of real features, and as one more coordinate the length of what they leave out.

    A covariance of 1280 features is not known from a few hundred pictures: the Fréchet distance in all of them is
    ruled by the number of pictures (Chong and Forsyth 2020, "Effectively unbiased FID"). This space has so few
    dimensions that it is known, and is the same for all that is held against the same real tiles. The last
    coordinate catches what real pictures never have, such as noise, and what they have and others miss.
    """

    def __init__(self, pca: PCA) -> None:
        self.pca = pca

    @classmethod
    def fit(cls, features: np.ndarray, *, components: int = COMPONENTS) -> FeatureSpace | None:
        """Fit on real features `(n, d)`; None if there are fewer than three or they do not vary."""
        from sklearn.decomposition import PCA

        features = features.astype(np.float64)
        if len(features) < 3 or np.ptp(features, axis=0).max() <= 1e-6 * max(1e-12, np.abs(features).max()):
            return None
        most = min(components, max(2, len(features) // TILES_A_COMPONENT), features.shape[1], len(features) - 1)
        return cls(PCA(most, svd_solver="full").fit(features))

    @property
    def components(self) -> int:
        return int(self.pca.n_components_)

    def points(self, features: np.ndarray) -> np.ndarray:
        """Features `(n, d)` as points, float64 `(n, components + 1)`, in the units of the features."""
        centred = features.astype(np.float64) - self.pca.mean_
        leading = centred @ self.pca.components_.T
        rest = np.square(centred).sum(axis=1) - np.square(leading).sum(axis=1)
        return np.column_stack([leading, np.sqrt(np.maximum(rest, 0.0))])


def frechet_squared(one: np.ndarray, other: np.ndarray) -> float:
    """Squared Fréchet distance of the Gaussians of two sets of points `(n, d)`; NaN below two points.

    Heusel et al. (2017), "GANs trained by a two time-scale update rule ...", eq. 6: d^2, as FID is given.
    """
    if min(len(one), len(other)) < 2:
        return float("nan")
    (mean1, cov1), (mean2, cov2) = (
        (points.mean(axis=0), np.atleast_2d(np.cov(points, rowvar=False))) for points in (one, other)
    )
    return gaussian_distance(mean1, cov1, mean2, cov2) ** 2


class KernelDistance:
    """Unbiased squared maximum mean discrepancy of two sets of features, known as KID.

    Binkowski et al. (2018), "Demystifying MMD GANs", section 4: kernel (x.y / d + 1)^3, the estimator that leaves out
    pairs of a picture with itself; so it is about 0, and as often below it, for sets of the same distribution.
    """

    def __init__(self, real: np.ndarray, synthetic: np.ndarray) -> None:
        """Compute the kernels of real `(n, d)` and synthetic features `(m, d)`.

        Pairs of windows that overlap count: two draws from the windows of a scene overlap as often.
        """
        real, synthetic = (features.astype(np.float64) for features in (real, synthetic))
        self._real = _mean_of_pairs(_kernel(real, real), np.ones(len(real)))
        self._both = _kernel(synthetic, real).mean(axis=1)
        self._synthetic = _kernel(synthetic, synthetic)

    def distance(self, index: np.ndarray | None = None) -> float:
        """The distance; NaN below two pictures.

        Args:
            index: positions of synthetic pictures with repeats, for the bootstrap; pairs of a picture with its own
                repeat are left out too.
        """
        n = len(self._both)
        weights = np.bincount(np.arange(n) if index is None else index, minlength=n).astype(np.float64)
        both = float(weights @ self._both / weights.sum()) if weights.sum() else float("nan")
        return self._real + _mean_of_pairs(self._synthetic, weights) - 2 * both


def _kernel(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one @ other.T / one.shape[1] + 1.0) ** 3


def _mean_of_pairs(kernel: np.ndarray, weights: np.ndarray) -> float:
    """Mean of a kernel `(n, n)` over all pairs of different pictures, each as often as its weight says."""
    pairs = weights.sum() ** 2 - np.square(weights).sum()
    if pairs <= 0:
        return float("nan")
    return float((weights @ kernel @ weights - np.square(weights) @ np.diagonal(kernel)) / pairs)
