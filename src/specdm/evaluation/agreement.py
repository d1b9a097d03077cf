"""Do mask and image agree? A classifier trained on real pixels gives its own opinion of each spectrum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

PREDICT_PIXELS = 200_000


@dataclass(frozen=True)
class Agreement:
    """How often the classifier says what the mask says.

    Attributes:
        share: over all pixels judged, 0..1; NaN if there is none.
        by_class: the same by class of the mask, `(classes,)`, NaN for a class without pixels.
        pixels: how many pixels were judged: labelled and with data in every band.
    """

    share: float
    by_class: np.ndarray
    pixels: int


class LabelJudge:
    """Linear discriminant analysis of single spectra: without neighbours, plausible shapes do not help."""

    def __init__(self, lda: LinearDiscriminantAnalysis, n_classes: int) -> None:
        self.lda = lda
        self.n_classes = n_classes

    @classmethod
    def fit(cls, features: np.ndarray, labels: np.ndarray, *, n_classes: int) -> LabelJudge | None:
        """Fit on real labelled pixels; None if they have fewer than two classes, or all look the same.

        Args:
            features: `(m, component)`.
            labels: class positions `(m,)`; pixels of -1 or with a NaN are left out.
            n_classes: number of classes of the mask.
        """
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        usable = (labels >= 0) & np.isfinite(features).all(axis=-1)
        features, labels = features[usable], labels[usable]
        n_found = len(np.unique(labels))
        if n_found < 2 or len(labels) <= n_found or not np.ptp(features, axis=0).any():
            return None
        return cls(LinearDiscriminantAnalysis().fit(features, labels), n_classes)

    def agreement(self, features: np.ndarray, labels: np.ndarray) -> Agreement:
        """Compare with masks.

        Args:
            features: `(..., component)`; pixels with a NaN are left out.
            labels: class positions `(...)`; -1 is left out.
        """
        usable = (labels >= 0) & np.isfinite(features).all(axis=-1)
        features, labels = features[usable], labels[usable]
        right = np.zeros(len(labels), bool)
        for start in range(0, len(labels), PREDICT_PIXELS):
            part = slice(start, start + PREDICT_PIXELS)
            right[part] = self.lda.predict(features[part]) == labels[part]
        count = np.bincount(labels, minlength=self.n_classes)
        hits = np.bincount(labels, weights=right, minlength=self.n_classes)
        by_class = np.where(count > 0, hits / np.maximum(count, 1), np.nan)
        return Agreement(float(right.mean()) if right.size else float("nan"), by_class, len(labels))
