"""From which confidence on a reading labels a pixel, for each class, where a share of every class is to be labelled."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import expit, logit

BINS = 10_000
"""Steps of the log odds of a confidence that are told apart: readers are often all but certain."""

FARTHEST = 17.0
"""Log odds beyond which float32 has no confidence below 1."""


def class_thresholds(
    readings: Iterable[tuple[np.ndarray, np.ndarray]], *, classes: int, share: float, min_confidence: float | None
) -> np.ndarray:
    """Confidence from which on the surest share of what is read as each class is labelled, and all above a common one.

    A threshold a class, as in Zou et al. 2018, "Unsupervised domain adaptation for semantic segmentation via
    class-balanced self-training", section 4.1: with a common one what is sure is often of one or two easy classes, and
    whatever learns from it forgets the others.

    Args:
        readings: positions of the likeliest class, -1 for none, and their probabilities, both `(layer, y, x)`, piece by
            piece.
        classes: how many there are.
        share: of the pixels read as a class, 0 to 1; more are labelled where many are equally sure.
        min_confidence: common threshold; the lower of the two holds. None: there is none.

    Returns:
        float64 `(layer, class)`; infinite where nothing of a class is to be labelled, unless there is a common one.
    """
    counts: np.ndarray | None = None
    for positions, confidence in readings:
        counts = np.zeros((len(positions), classes, BINS), np.int64) if counts is None else counts
        for layer, (found, sure) in enumerate(zip(positions, confidence, strict=True)):
            there = found >= 0
            step = np.clip(logit(sure[there].astype(np.float64)) / FARTHEST + 1, 0, 2) * (BINS / 2)
            step = np.minimum(step.astype(np.int64), BINS - 1)
            cell = found[there].astype(np.int64) * BINS + step
            counts[layer] += np.bincount(cell, minlength=classes * BINS).reshape(classes, BINS)
    if counts is None:
        return np.zeros((0, classes))
    surer = counts[..., ::-1].cumsum(axis=-1)[..., ::-1]
    wanted = share * counts.sum(axis=-1, keepdims=True)
    # the highest step from which on there are as many as wanted; its lower edge
    enough = (surer >= wanted) & (wanted > 0)
    highest = BINS - 1 - enough[..., ::-1].argmax(axis=-1)
    thresholds = np.where(enough.any(axis=-1), expit((2 * highest / BINS - 1) * FARTHEST), np.inf)
    return thresholds if min_confidence is None else np.minimum(thresholds, np.float32(min_confidence))


def surer_than(thresholds: np.ndarray, positions: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Where a reading is as sure as its class has to be, boolean `(layer, ...)`.

    Args:
        thresholds: `(layer, class)`, see `class_thresholds`.
        positions, confidence: of the likeliest class, -1 for none, and its probability, `(layer, ...)`.
    """
    layer = np.arange(len(positions)).reshape(-1, *[1] * (positions.ndim - 1))
    with np.errstate(invalid="ignore"):
        return (positions >= 0) & (confidence >= thresholds[layer, positions.clip(0)])
