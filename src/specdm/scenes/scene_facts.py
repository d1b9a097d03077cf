"""What a scene holds, for people: one line a fact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene


def scene_facts(scene: Scene) -> list[str]:
    """Size, bands, note, what was done in reading, dates, classes with shares, change, ranges of the amounts."""
    lines = [f"{scene.name}: {scene.height} x {scene.width} px, {_bands(scene)}, task {scene.task}"]
    if scene.note:
        lines.append(scene.note)
    lines += scene.facts
    if scene.n_dates > 1:
        lines.append("dates: " + ", ".join(_date(scene, date) for date in range(scene.n_dates)))
    if scene.classes is not None:
        lines.append(class_line(scene.classes, scene.class_counts, layers=scene.layers))
    if scene.differing is not None:
        lines.append(difference_line(*scene.differing))
    if scene.quantities is not None:
        lines += amount_lines(scene.quantities, scene.amount_ranges)
    return lines


def class_line(classes: Classes, counts: np.ndarray, *, layers: tuple[str, ...]) -> str:
    """Share of each class among the labelled pixels of all layers."""
    total = int(counts.sum())
    what = layers[0] if len(layers) == 1 else f"classes of {len(layers)} dates"
    if not total:
        return f"{what}: no labelled pixel"
    shares = (f"{name} {count / total:.1%}" for name, count in zip(classes.names, counts, strict=True))
    return f"{what}: {', '.join(shares)} of {total:,} labelled pixels"


def difference_line(unchanged: int, changed: int) -> str:
    """Share of pixels whose class differs between the first and the last date."""
    both = unchanged + changed
    if not both:
        return "change: no pixel is labelled in both the first and the last date"
    return f"change: {changed / both:.1%} of {both:,} pixels labelled in the first and the last date differ"


def amount_lines(quantities: Quantities, ranges: np.ndarray) -> list[str]:
    """Least and greatest known value of each quantity, with its unit."""
    lines = []
    for name, unit, (low, high) in zip(quantities.names, quantities.units, ranges, strict=True):
        known = f"{low:.4g} to {high:.4g}{' ' if unit else ''}{unit}" if np.isfinite(low) else "unknown everywhere"
        lines.append(f"{name}: {known}")
    return lines


def _bands(scene: Scene) -> str:
    wavelength = scene.wavelength
    span = "" if wavelength is None else f" of {wavelength.min():.0f}-{wavelength.max():.0f} nm"
    return f"{scene.n_bands} bands{span}"


def _date(scene: Scene, date: int) -> str:
    own = f" ({len(scene.bands_of(date))} bands)" if scene.date_sensor is not None else ""
    return f"{scene.dates[date]}{own}"
