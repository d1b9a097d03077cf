"""One metric: its name for people, what it means in plain words, and what counts as good."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Better = Literal["higher", "lower", "near 1"]
Verdict = Literal["pass", "miss"]


@dataclass(frozen=True, kw_only=True)
class MetricInfo:
    """One metric.

    Attributes:
        title: short name for a table or a card.
        sentence: what it says, for someone who has not read the code.
        better: where good values lie; None for a plain count.
        bar: `(least, most)` that it must keep within, either may be None; None if there is no bar.
        unit: "", "%" (the value is a share, shown times 100), "°", "s", "GB", "×" or "n" (a count).
        headline: shown first in the report.
    """

    title: str
    sentence: str
    better: Better | None = None
    bar: tuple[float | None, float | None] | None = None
    unit: str = ""
    headline: bool = False

    def verdict(self, value: float | None) -> Verdict | None:
        """Whether a value keeps the bar; None if there is no bar or no value."""
        if self.bar is None or value is None or math.isnan(value):
            return None
        least, most = self.bar
        kept = (least is None or value >= least) and (most is None or value <= most)
        return "pass" if kept else "miss"

    def show(self, value: float | None) -> str:
        """A value as people read it."""
        if value is None or math.isnan(value):
            return "n/a"
        if self.unit == "n":
            return f"{round(value):,}"
        if self.unit == "%":
            return f"{value * 100:.1f} %"
        digits = f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"
        if 0 < abs(value) < 0.001:
            digits = f"{value:.0e}"
        return digits + {"": "", "°": "°"}.get(self.unit, f" {self.unit}")

    def show_bar(self) -> str:
        """The bar as people read it; empty if there is none."""
        if self.bar is None:
            return ""
        least, most = self.bar
        if least is not None and most is not None:
            return f"{self.show(least)} to {self.show(most)}"
        if least is not None:
            return f"at least {self.show(least)}"
        return "none" if most == 0 else f"at most {self.show(most)}"
