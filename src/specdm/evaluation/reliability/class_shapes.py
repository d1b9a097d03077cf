"""Distributions of the spectra of classes, also of classes with few pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

DEGREES = 4.0
"""Of freedom: heavy tails, since real classes have pixels that no Gaussian of them allows."""

LEAST_PIXELS = 2


@dataclass(frozen=True)
class ClassShapes:
    """A multivariate t distribution for each class.

    Its scale matrix is that of the class, shrunk to the one that all classes share, which is itself shrunk by
    Ledoit and Wolf (2004), "A well-conditioned estimator for large-dimensional covariance matrices", Journal of
    Multivariate Analysis 88: S_c' = (n_c S_c + a S) / (n_c + a), as Friedman (1989), "Regularized discriminant
    analysis", JASA 84, eq. 16, with a fixed weight in pixels. The density is that of Kotz and Nadarajah (2004),
    "Multivariate t distributions and their applications", eq. 1.1, less what all classes share.

    Attributes:
        mean: `(class, component)`, NaN for a class without pixels.
        factor: `(class, component, component)`, whitens: |factor^T (x - mean)|^2 is Mahalanobis' squared distance.
        log_determinant: of the scale matrices, `(class,)`.
    """

    mean: np.ndarray
    factor: np.ndarray
    log_determinant: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Classes with pixels, bool `(class,)`."""
        return np.isfinite(self.log_determinant)

    @classmethod
    def fit(cls, x: np.ndarray, labels: np.ndarray, *, n_classes: int, prior: float) -> ClassShapes:
        """Fit on pixels.

        Args:
            x: float64 `(m, component)`.
            labels: class positions `(m,)`.
            n_classes: of the mask.
            prior: a of the equation above, in pixels.
        """
        from sklearn.covariance import ledoit_wolf

        k = x.shape[1]
        mean = np.full((n_classes, k), np.nan)
        factor, log_determinant = np.full((n_classes, k, k), np.nan), np.full(n_classes, np.nan)
        counts = np.bincount(labels, minlength=n_classes)
        there = np.flatnonzero(counts >= LEAST_PIXELS)
        if not len(there):
            return cls(mean, factor, log_determinant)
        for position in there:
            mean[position] = x[labels == position].mean(axis=0)
        inside = np.isin(labels, there)
        centred = x[inside] - mean[labels[inside]]
        common = np.atleast_2d(ledoit_wolf(centred, assume_centered=True)[0])
        common += np.eye(k) * max(1e-9, 1e-6 * np.trace(common) / k)
        for position in there:
            own = centred[labels[inside] == position]
            values, vectors = np.linalg.eigh((own.T @ own + prior * common) / (len(own) + prior))
            factor[position] = vectors / np.sqrt(values)
            log_determinant[position] = np.log(values).sum()
        return cls(mean, factor, log_determinant)

    def distances(self, x: np.ndarray) -> np.ndarray:
        """Squared Mahalanobis distances `(m, class)` of `(m, component)`; NaN for classes without pixels."""
        found = np.full((len(x), len(self.mean)), np.nan)
        for position in np.flatnonzero(self.known):
            found[:, position] = np.square((x - self.mean[position]) @ self.factor[position]).sum(axis=1)
        return found

    def log_likelihood(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of the density `(m, class)` up to a constant; NaN for classes without pixels."""
        heavy = (DEGREES + x.shape[1]) / 2 * np.log1p(self.distances(x) / DEGREES)
        return -heavy - self.log_determinant / 2
