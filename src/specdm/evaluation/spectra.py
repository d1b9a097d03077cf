"""Spectra of classes, how far apart they are in angle, and how far they spread."""

from __future__ import annotations

import numpy as np


def spectral_angle_deg(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Angle in degrees between spectra `(..., channel)`; NaN where one has no data or is all zero.

    Kruse et al. (1993), "The spectral image processing system (SIPS)", Remote Sensing of Environment 44.
    """
    one, other = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
        cosine = (one * other).sum(axis=-1) / lengths
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


class SpectraStatistics:
    """Mean and standard deviation of spectra, by class and over all pixels, gathered batch by batch.

    Attributes:
        count: pixels of each class and, last, of all, `(classes + 1,)`. Pixels without data are not counted.
    """

    def __init__(self, n_classes: int, n_channels: int) -> None:
        self.count = np.zeros(n_classes + 1)
        self._sum = np.zeros((n_classes + 1, n_channels))
        self._squares = np.zeros((n_classes + 1, n_channels))
        self._origin: np.ndarray | None = None

    def add(self, spectra: np.ndarray, labels: np.ndarray) -> None:
        """Add pixels.

        Args:
            spectra: `(m, channel)`; pixels with a NaN are left out.
            labels: class positions `(m,)`; -1 counts only among all pixels.
        """
        valid = np.isfinite(spectra).all(axis=1)
        spectra, labels = spectra[valid].astype(np.float64), labels[valid]
        if not len(spectra):
            return
        if self._origin is None:
            # squares are summed about a value near the mean, or a small spread on a large mean would be lost
            self._origin = spectra.mean(axis=0)
        spectra = spectra - self._origin
        groups = [labels == position for position in range(len(self.count) - 1)]
        for row, group in enumerate([*groups, np.ones(len(labels), bool)]):
            chosen = spectra[group]
            self.count[row] += len(chosen)
            self._sum[row] += chosen.sum(axis=0)
            self._squares[row] += np.square(chosen).sum(axis=0)

    @property
    def mean(self) -> np.ndarray:
        """`(classes + 1, channel)`, all pixels last; NaN for a class without pixels."""
        origin = 0.0 if self._origin is None else self._origin
        return self._per_pixel(self._sum) + origin

    @property
    def std(self) -> np.ndarray:
        """`(classes + 1, channel)`, all pixels last; NaN for a class without pixels."""
        variance = self._per_pixel(self._squares) - np.square(self._per_pixel(self._sum))
        return np.sqrt(np.maximum(variance, 0.0))

    def _per_pixel(self, total: np.ndarray) -> np.ndarray:
        known = self.count[:, None] > 0
        return np.where(known, total / np.maximum(self.count, 1)[:, None], np.nan)


def band_std_ratio(synthetic: np.ndarray, real: np.ndarray) -> float:
    """Mean over bands of synthetic over real standard deviation `(channel,)`; constant bands are left out."""
    varies = real > 0
    return float((synthetic[varies] / real[varies]).mean()) if varies.any() else float("nan")
