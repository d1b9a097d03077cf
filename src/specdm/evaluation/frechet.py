"""Fréchet distance of single-pixel spectra: do clouds of real and synthetic pixels lie alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.decomposition import PCA

COMPONENTS = 16
LEAST_VARIANCE = 1e-6
"""Components with a smaller share of the variance are rounding, which whitening would blow up."""

SAMPLE_PIXELS = 20_000
"""Pixels drawn from each tile set."""


def gaussian_distance(mean1: np.ndarray, cov1: np.ndarray, mean2: np.ndarray, cov2: np.ndarray) -> float:
    """Fréchet or 2-Wasserstein distance of two Gaussians.

    Dowson and Landau (1982), "The Fréchet distance between multivariate normal distributions", eq. 4:
    d^2 = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2). What is returned is d, not d^2.

    Args:
        mean1, mean2: `(d,)`.
        cov1, cov2: `(d, d)`, symmetric, without negative eigenvalues.
    """
    values, vectors = np.linalg.eigh(cov1)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cov2 @ root), 0.0)).sum()
    squared = np.square(mean1 - mean2).sum() + np.trace(cov1) + np.trace(cov2) - 2 * cross
    return float(np.sqrt(max(squared, 0.0)))


class SpectralSpace:
    """The principal components of real training spectra, each divided by its standard deviation.

    A distance in it is counted in standard deviations of the real data.
    """

    def __init__(self, pca: PCA) -> None:
        self.pca = pca

    @classmethod
    def fit(cls, spectra: np.ndarray, *, components: int = COMPONENTS) -> SpectralSpace | None:
        """Fit on real spectra `(m, channel)` without NaN; None if there are too few or they do not vary."""
        from sklearn.decomposition import PCA

        most = min(components, spectra.shape[1], len(spectra) - 1)
        if most < 1 or not np.ptp(spectra, axis=0).any():
            return None
        pca = PCA(most, whiten=True, svd_solver="covariance_eigh").fit(spectra.astype(np.float64))
        kept = max(1, int((pca.explained_variance_ratio_ > LEAST_VARIANCE).sum()))
        if kept < most:
            pca = PCA(kept, whiten=True, svd_solver="covariance_eigh").fit(spectra.astype(np.float64))
        return cls(pca)

    @property
    def components(self) -> int:
        return int(self.pca.n_components_)

    def distance(self, one: np.ndarray, other: np.ndarray) -> float:
        """2-Wasserstein distance of the Gaussians of two sets of spectra `(m, channel)`; NaN below two."""
        if min(len(one), len(other)) < 2:
            return float("nan")
        return gaussian_distance(*self._moments(one), *self._moments(other))

    def _moments(self, spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self.pca.transform(spectra.astype(np.float64))
        return found.mean(axis=0), np.atleast_2d(np.cov(found, rowvar=False))
