"""The colours of continuous masks in the report: what a map is drawn with, and the bar that explains it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.amount_plot import amount_limits, coloured_amount

if TYPE_CHECKING:
    from specdm.scenes.quantities import Quantities

STOPS = 9


@dataclass(frozen=True)
class ColourBar:
    """The colours of a quantity, or of all abundances.

    Attributes:
        label: what is shown, with its unit.
        low, high: values of the first and the last colour; beyond them the colour stays.
    """

    label: str
    low: float
    high: float

    def picture(self, values: np.ndarray) -> np.ndarray:
        """Values `(h, w)` as colours, float32 `(h, w, 3)` in 0..1; grey where unknown."""
        return coloured_amount(values, np.array([self.low, self.high]))

    @property
    def gradient(self) -> str:
        """The colours from left to right, as CSS."""
        picked = self.picture(np.linspace(self.low, self.high, STOPS)[None])[0]
        stops = ", ".join("#" + "".join(f"{round(255 * float(part)):02x}" for part in colour) for colour in picked)
        return f"linear-gradient(to right, {stops})"

    @property
    def ends(self) -> tuple[str, str]:
        """The two values as people read them, to a hundredth of what lies between them."""
        digits = 2 - math.floor(math.log10(max(self.high - self.low, 1e-300)))
        low, high = (f"{round(value, digits):.10g}" for value in (self.low, self.high))
        return low, high


def colour_bars(quantities: Quantities, amounts: np.ndarray) -> list[ColourBar]:
    """One bar a quantity.

    Abundances all have the same, so that their maps compare.

    Args:
        quantities: what is shown.
        amounts: real values `(n, quantity, y, x)`, NaN where unknown, from which the limits are taken.
    """
    labels = ["abundance" if quantities.sum_to_one else quantities.label(i) for i in range(len(quantities))]
    limits = amount_limits(amounts, quantities)
    return [
        ColourBar(label, float(low), float(high)) for label, (low, high) in zip(labels, limits, strict=True)
    ]
