"""Intervals of metrics as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specdm.evaluation.metric_info import MetricInfo

HEADING = "95 % interval"


def shown_interval(info: MetricInfo, interval: tuple[float, float] | None) -> str:
    """Both ends in the metric's own unit, "2.1 % to 3.4 %"; empty without an interval."""
    return "" if interval is None else f"{info.show(interval[0])} to {info.show(interval[1])}"
