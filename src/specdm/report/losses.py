"""Loss curves from a run's log, whatever losses it names."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class LossCurve:
    """One loss.

    Attributes:
        title: what it is a loss of.
        series: label ("training", "validation") -> steps and values, each `(n,)`.
    """

    title: str
    series: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)


def read_losses(path: Path) -> list[LossCurve]:
    """Every column that ends in "loss" against the column "step", training and validation together.

    Empty cells and what is no number are skipped; a file that is not there, or no such table, has no curves.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    columns = [name for name in (rows[0] if rows else {}) if name and name.lower().endswith("loss")]
    curves: dict[str, LossCurve] = {}
    for column in columns:
        points = {
            step: value
            for row in rows
            if (step := _number(row.get("step"))) is not None
            and (value := _number(row.get(column))) is not None
        }
        if not points:
            continue
        validation = bool(re.search(r"(^|[/_.])val(idation)?([/_.]|$)", column.lower()))
        bare = re.sub(r"(^|[/_.])(val(idation)?|train(ing)?)(?=[/_.]|$)", "", column.lower()).strip("/_.")
        title = re.sub(r"[/_.]+", " ", bare).strip()
        steps = np.array(sorted(points))
        series = steps, np.array([points[step] for step in steps])
        curve = curves.setdefault(title, LossCurve(title))
        label = "validation" if validation else "training"
        curve.series[column if label in curve.series else label] = series
    return list(curves.values())


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None
