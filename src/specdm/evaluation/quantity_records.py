"""How the values of each quantity are distributed, in real and in synthetic tiles."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.record import QuantityRecord, number
from specdm.scenes.quantities import Quantities

PARTS = 40
"""Parts of a histogram."""

MOST_VALUES = 200_000
"""Most values whose distance is measured; of more, every so-manieth of the sorted ones."""


def quantity_records(quantities: Quantities, real: np.ndarray, synthetic: np.ndarray) -> list[QuantityRecord]:
    """One record a quantity, without the errors of reading it from the image.

    Args:
        quantities: what they are.
        real, synthetic: values `(m, quantity)` in the user's units, NaN where unknown.
    """
    found = []
    for i in range(len(quantities)):
        known = (values[np.isfinite(values[:, i]), i].astype(np.float64) for values in (real, synthetic))
        found.append(_record(quantities, i, *known))
    return found


def _record(quantities: Quantities, position: int, real: np.ndarray, synthetic: np.ndarray) -> QuantityRecord:
    mean, std = _moments(real)
    drawn_mean, drawn_std = _moments(synthetic)
    low, high = (0.0, 1.0) if quantities.sum_to_one else _range(real, synthetic)
    edges = np.linspace(low, high, PARTS + 1)
    return QuantityRecord(
        name=quantities.names[position],
        unit=quantities.units[position],
        real_mean=number(mean),
        real_std=number(std),
        synthetic_mean=number(drawn_mean),
        synthetic_std=number(drawn_std),
        mean_ratio=number(drawn_mean / mean) if abs(mean) > 1e-9 else None,
        std_ratio=number(drawn_std / std) if std > 0 else None,
        wasserstein=number(distance(real, synthetic) / std) if std > 0 and synthetic.size else None,
        histogram_edges=[float(f"{edge:.6g}") for edge in edges],
        real_histogram=_histogram(real, edges),
        synthetic_histogram=_histogram(synthetic, edges),
    )


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """1-Wasserstein distance of two sets of values, in their unit: how far a value has to move on average."""
    from scipy.stats import wasserstein_distance

    return float(wasserstein_distance(_thin(one), _thin(other)))


def _thin(values: np.ndarray) -> np.ndarray:
    if values.size <= MOST_VALUES:
        return values
    # quantiles at the middle of equal shares keep the distribution
    return np.sort(values)[((np.arange(MOST_VALUES) + 0.5) * values.size / MOST_VALUES).astype(np.int64)]


def _moments(values: np.ndarray) -> tuple[float, float]:
    return (float(values.mean()), float(values.std())) if values.size else (float("nan"), float("nan"))


def _range(real: np.ndarray, synthetic: np.ndarray) -> tuple[float, float]:
    both = np.concatenate([real, synthetic])
    if not both.size:
        return 0.0, 1.0
    low, high = float(both.min()), float(both.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _histogram(values: np.ndarray, edges: np.ndarray) -> list[float]:
    """Shares; what lies beyond the edges counts in the outermost parts."""
    if not values.size:
        return []
    counts = np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]
    return [float(f"{share:.6g}") for share in counts / values.size]
