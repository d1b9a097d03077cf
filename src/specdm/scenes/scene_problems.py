"""What a user should know about a scene before training: one line each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.classes import Classes

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene


def scene_problems(scene: Scene) -> list[str]:
    """All that there is to know, image first, then what is known about each pixel; empty if all is well."""
    return [*image_problems(scene), *truth_problems(scene)]


def image_problems(scene: Scene) -> list[str]:
    """The part that does not concern mask and amounts."""
    lines = list(scene.dataset.attrs.get("problems", ()))
    reasons: dict[str, list[str]] = {}
    for entry in scene.left_out:
        reasons.setdefault(str(entry.get("reason", "")), []).append(str(entry.get("band", "")))
    for reason, bands in reasons.items():
        lines.append(f"{_count(bands, 'band')} left out, {reason}: {_few(bands)}")
    if scene.wavelength is None:
        lines.append("no wavelengths; give them for false-colour pictures and spectra in nm")
    return lines


def truth_problems(scene: Scene) -> list[str]:
    """The part that concerns mask and amounts."""
    if scene.classes is None and scene.quantities is None:
        return class_problems(None, np.zeros(0, np.int64))
    lines = [] if scene.classes is None else class_problems(scene.classes, scene.class_counts)
    if scene.differing is not None:
        lines += difference_problems(*scene.differing)
    if scene.quantities is not None:
        lines += amount_problems(scene.quantities.names, scene.amount_ranges)
    return lines


def class_problems(classes: Classes | None, counts: np.ndarray) -> list[str]:
    """What a user should know about a mask of which `counts` gives the pixels of each class."""
    if classes is None:
        return ["no mask"]
    missing = [name for name, count in zip(classes.names, counts, strict=True) if not count]
    if len(missing) == len(classes):
        return ["no labelled pixel"]
    lines = ["only one class has labelled pixels"] if len(missing) == len(classes) - 1 else []
    if missing:
        lines.append(f"{_count(missing, 'class')} without a labelled pixel: {_few(missing)}")
    return lines


def difference_problems(unchanged: int, changed: int) -> list[str]:
    """What a user should know about masks of several dates in which so many pixels stay and change."""
    if not unchanged + changed:
        return ["no pixel is labelled in both the first and the last date, so no change is known"]
    return [] if changed else ["the masks of the first and the last date are the same, so nothing changes"]


def amount_problems(names: Sequence[str], ranges: np.ndarray) -> list[str]:
    """What a user should know about amounts of which `ranges (quantity, 2)` gives least and greatest value."""
    unknown = [name for name, (low, _) in zip(names, ranges, strict=True) if np.isnan(low)]
    if len(unknown) == len(names):
        return ["no pixel with a known amount"]
    lines = [f"no pixel with a known value of {_few(unknown)}"] if unknown else []
    for name, (low, high) in zip(names, ranges, strict=True):
        if low == high:
            lines.append(f"{name} is {low:g} wherever it is known")
    return lines


def _count(items: Sequence[str], noun: str) -> str:
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{len(items)} {noun if len(items) == 1 else plural}"


def _few(items: Sequence[str]) -> str:
    return ", ".join(items[:12]) + (f" and {len(items) - 12} more" if len(items) > 12 else "")
