"""What a model's own posterior, of masks given the images alone, says of the labels."""

from __future__ import annotations

import numpy as np

from specdm.tiles.posterior import Posterior

FLOOR = 1e-4
"""Least probability: a model's draws are few, and what none of them shows is not impossible."""


def posterior_logits(posterior: Posterior, layer: int, index: np.ndarray) -> np.ndarray:
    """Logarithms of the class probabilities of some tiles, float32 `(tile, y, x, class)`; all alike without data.

    Args:
        posterior: of a tile set.
        layer: position of the mask layer.
        index: positions of tiles.
    """
    said = np.moveaxis(posterior.probabilities[index, layer], 1, -1)
    logits = np.log(np.maximum(said, FLOOR)).astype(np.float32)
    known = np.isfinite(said).all(axis=-1, keepdims=True)
    return np.where(known, logits, np.float32(-np.log(max(1, said.shape[-1]))))


def sureness(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How sure an opinion is, whatever the label.

    Args:
        logits: logarithms of class probabilities `(tile, y, x, class)`.

    Returns:
        Margin of the likeliest class over the next, 0..1, and Shannon's entropy in units of its largest, 0..1; float32
        `(tile, y, x)`.
    """
    probability = np.exp(logits - logits.max(axis=-1, keepdims=True))
    probability /= probability.sum(axis=-1, keepdims=True)
    n = probability.shape[-1]
    if n < 2:
        return np.ones(logits.shape[:-1], np.float32), np.zeros(logits.shape[:-1], np.float32)
    ordered = np.sort(probability, axis=-1)
    entropy = -(probability * np.log(np.maximum(probability, 1e-12))).sum(axis=-1) / np.log(n)
    return (ordered[..., -1] - ordered[..., -2]).astype(np.float32), entropy.astype(np.float32)


def amount_deviation(amounts: np.ndarray, posterior: Posterior, index: np.ndarray, *, span: np.ndarray) -> np.ndarray:
    """How far amounts are from the posterior's mean, in its own standard deviations, float32 `(tile, quantity, y, x)`.

    Args:
        amounts: of some tiles `(tile, quantity, y, x)`.
        posterior: with `amounts_mean`; without `amounts_std` a twentieth of the range counts as the deviation.
        index: positions of these tiles.
        span: range of each quantity `(quantity,)`.
    """
    assert posterior.amounts_mean is not None
    least = 0.05 * span[:, None, None]
    own = np.zeros(1, np.float32) if posterior.amounts_std is None else posterior.amounts_std[index]
    return ((amounts - posterior.amounts_mean[index]) / np.sqrt(np.square(own) + np.square(least))).astype(np.float32)
