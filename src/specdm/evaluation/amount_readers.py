"""Opinions of an image's amounts from its spectra alone: by unmixing or by regression, learnt from real pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from specdm.evaluation.features import SpectralFeatures
from specdm.evaluation.unmixing import estimate_endmembers, unmix


class ReadsAmounts(Protocol):
    """Something that tells amounts from single spectra."""

    @property
    def words(self) -> str:
        """How, for the record."""

    def read(self, spectra: np.ndarray) -> np.ndarray:
        """`(m, channel)` to float64 `(m, quantity)`; NaN where it cannot tell."""


@dataclass(frozen=True)
class Unmixing:
    """Abundances by fully constrained unmixing.

    Attributes:
        endmembers: `(quantity, channel)`.
        words: where the end members are from.
    """

    endmembers: np.ndarray
    words: str

    @classmethod
    def fit(cls, spectra: np.ndarray, amounts: np.ndarray, *, given: np.ndarray | None) -> Unmixing | None:
        """With the end members given, or those of real pixels; None if no pixel is known.

        Args:
            spectra: of real training pixels `(m, channel)` without NaN.
            amounts: their abundances `(m, quantity)`, NaN where unknown.
            given: `(quantity, channel)`, or None.
        """
        if given is not None:
            return cls(np.asarray(given, np.float64), "fully constrained unmixing with the given end members")
        known = np.isfinite(amounts).all(axis=1)
        if not known.any():
            return None
        return cls(
            estimate_endmembers(spectra[known], amounts[known]),
            "fully constrained unmixing with end members estimated by least squares from real training pixels",
        )

    def read(self, spectra: np.ndarray) -> np.ndarray:
        return unmix(spectra, self.endmembers)


@dataclass(frozen=True)
class Regression:
    """Free values by ridge regression on MNF components, without neighbours, as the classifier of classes does.

    Attributes:
        features: MNF of real training spectra.
        slopes, offsets: `(component, quantity)` and `(quantity,)`; NaN for a quantity that no pixel knows.
    """

    features: SpectralFeatures
    slopes: np.ndarray
    offsets: np.ndarray
    words: str = "ridge regression on MNF components of single spectra, fitted on real training pixels"

    @classmethod
    def fit(cls, spectra: np.ndarray, amounts: np.ndarray, *, features: SpectralFeatures) -> Regression | None:
        """Fit each quantity on the pixels that know it; None if there is none.

        Hoerl and Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems",
        Technometrics 12.

        Args:
            spectra: of real training pixels `(m, channel)` without NaN.
            amounts: their values `(m, quantity)`, NaN where unknown.
            features: components of unit variance.
        """
        from sklearn.linear_model import Ridge

        seen = features.of_pixels(spectra).astype(np.float64)
        slopes = np.full((features.components, amounts.shape[1]), np.nan)
        offsets = np.full(amounts.shape[1], np.nan)
        for i, values in enumerate(amounts.T):
            known = np.isfinite(values)
            if known.sum() < 2:
                continue
            ridge = Ridge(alpha=1.0).fit(seen[known], values[known].astype(np.float64))
            slopes[:, i], offsets[i] = ridge.coef_, ridge.intercept_
        return cls(features, slopes, offsets) if np.isfinite(offsets).any() else None

    def read(self, spectra: np.ndarray) -> np.ndarray:
        return self.features.of_pixels(spectra).astype(np.float64) @ self.slopes + self.offsets
