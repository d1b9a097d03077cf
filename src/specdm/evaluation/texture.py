"""Texture: how much pixels differ from their neighbours, near and far."""

from __future__ import annotations

import numpy as np

LAGS = (1, 4, 8)
COMPONENTS = 3
"""Only the components of the best signal-to-noise: in the others a neighbour differs by noise."""


def mean_squared_difference(features: np.ndarray, lag: int) -> float:
    """Mean squared difference of pixels `lag` apart along rows and along columns, over the first components.

    Args:
        features: `(n, y, x, component)`; pairs with a NaN are left out.
        lag: distance in pixels.

    Returns:
        In squared units of the features; NaN if tiles are not wider than `lag` or have no valid pair.
    """
    shown = features[..., :COMPONENTS]
    means = []
    for one, other in (
        (shown[:, lag:], shown[:, :-lag]),
        (shown[:, :, lag:], shown[:, :, :-lag]),
    ):
        squared = np.square(one.astype(np.float64) - other)
        valid = np.isfinite(squared)
        if valid.any():
            means.append(float(squared[valid].mean()))
    return float(np.mean(means)) if means else float("nan")


def texture(features: np.ndarray) -> dict[int, float]:
    """`mean_squared_difference` for each lag of `LAGS`."""
    return {lag: mean_squared_difference(features, lag) for lag in LAGS}
