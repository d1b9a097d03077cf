"""How good a score of reliability is: does it rank, and is it a probability?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import ConfigError

BINS = 15


@dataclass(frozen=True)
class Diagram:
    """A reliability diagram: what the score says against what is right, bin by bin; empty bins are left out.

    Attributes:
        score: mean score of a bin, `(bin,)`, rising.
        right: share of right pixels in it, `(bin,)`.
        share: of all pixels that lie in it, `(bin,)`, summing to one.
    """

    score: np.ndarray
    right: np.ndarray
    share: np.ndarray

    @property
    def expected_calibration_error(self) -> float:
        """Mean distance of `score` and `right`, weighted by `share`; NaN without pixels.

        Naeini, Cooper, Hauskrecht (2015), "Obtaining well calibrated probabilities using Bayesian binning", eq. 2.
        """
        return float(self.share @ np.abs(self.score - self.right)) if len(self.share) else float("nan")


def reliability_diagram(score: np.ndarray, wrong: np.ndarray, *, bins: int = BINS) -> Diagram:
    """Pixels in bins of equal width of their score.

    Args:
        score: probability of being right, 0..1, any shape; NaN is left out.
        wrong: bool, the same shape.
        bins: how many.

    Raises:
        ConfigError: shapes that differ, or a score out of range.
    """
    p, right = _pairs(score, wrong)
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    count = np.bincount(place, minlength=bins)
    there = count > 0
    mean = np.bincount(place, weights=p, minlength=bins)[there] / count[there]
    share = np.bincount(place, weights=right, minlength=bins)[there] / count[there]
    return Diagram(mean, share, count[there] / max(1, len(p)))


def expected_calibration_error(score: np.ndarray, wrong: np.ndarray, *, bins: int = BINS) -> float:
    """Of a score, 0 (calibrated) to 1; arguments and errors as those of `reliability_diagram`."""
    return reliability_diagram(score, wrong, bins=bins).expected_calibration_error


def auroc(score: np.ndarray, wrong: np.ndarray) -> float:
    """Chance that a wrong pixel has a lower score than a right one, 0.5 for a score that knows nothing.

    Fawcett (2006), "An introduction to ROC analysis", Pattern Recognition Letters 27, section 7.

    Args:
        score: probability of being right, any shape; NaN is left out.
        wrong: bool, the same shape.

    Returns:
        0..1; NaN where all pixels are right, or all wrong.
    """
    from sklearn.metrics import roc_auc_score

    p, right = _pairs(score, wrong)
    if not len(p) or right.all() or not right.any():
        return float("nan")
    return float(roc_auc_score(right, p))


def risk_coverage(score: np.ndarray, wrong: np.ndarray, *, points: int = 101) -> tuple[np.ndarray, np.ndarray]:
    """Error rate of the pixels kept, when the least reliable are left out first.

    El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification", JMLR 11, section 2.

    Args:
        score: probability of being right, any shape; NaN is left out.
        wrong: bool, the same shape.
        points: how many shares of kept pixels, evenly from 1 down to 1 / points.

    Returns:
        Shares of kept pixels and error rates among them, float64 `(points,)`; pixels of equal score are kept in order.
    """
    p, right = _pairs(score, wrong)
    coverage = np.linspace(1.0, 1.0 / points, points)
    if not len(p):
        return coverage, np.full(points, np.nan)
    order = np.argsort(-p, kind="stable")
    errors = np.cumsum(1.0 - right[order])
    kept = np.maximum(1, np.round(coverage * len(p)).astype(np.int64))
    return coverage, errors[kept - 1] / kept


def _pairs(score: np.ndarray, wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and whether they are right, 0 or 1, of all pixels that have a score."""
    score, wrong = np.asarray(score, np.float64), np.asarray(wrong, bool)
    if score.shape != wrong.shape:
        raise ConfigError(f"scores of shape {score.shape} for errors of shape {wrong.shape}; expected the same shape")
    known = np.isfinite(score)
    p = score[known]
    if p.size and (p.min() < 0 or p.max() > 1):
        raise ConfigError(f"scores run from {p.min():.4g} to {p.max():.4g}; expected probabilities, 0 to 1")
    return p, 1.0 - wrong[known]
