"""What a change mask's values mean: two of them, unchanged and changed, or classes of change that have names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.checks import strips
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.labels import ClassNames, interpret_masks
from specdm.scenes.raster import Raster

UNCHANGED, CHANGED = "unchanged", "changed"

PAIRS = ((0, 1), (0, 255), (1, 2), (1, 255))
"""Values by which files say unchanged and changed."""

_MOST_SHOWN = 6


def interpret_change_masks(
    rasters: Sequence[Raster],
    *,
    class_names: ClassNames | None = None,
    unlabelled: int | Iterable[int] | None = None,
    classes: Iterable[str | int] | None = None,
) -> tuple[list[np.ndarray], Classes]:
    """Change masks of one or several scenes with one legend.

    Without names exactly two values are allowed, of which the lower means unchanged: 0 and 1, 0 and 255, 1 and 2, 1
    and 255. Both are classes; in particular 0 is not "no class". With names (of the user, or of the files for every
    value) they are class masks like any other.

    Args:
        rasters: mask files, one band each.
        class_names: value -> name, or names of the values in ascending order.
        unlabelled: value or values that mean "not known whether changed".
        classes: classes to keep.

    Returns:
        int16 `(y, x)` masks with the files' values, -1 where unlabelled, and the classes.

    Raises:
        MaskError: a third value without names, two values that do not say which is which, or what `interpret_masks`
            raises.
    """
    if class_names is None:
        class_names = _two_values(rasters, _stated(unlabelled))
    return interpret_masks(rasters, class_names=class_names, unlabelled=unlabelled, classes=classes)


def taken_for_granted(classes: Classes) -> list[str]:
    """A remark where files could as well mean the opposite: 1 and 2 are also used for changed and unchanged."""
    if classes.values == (1, 2) and classes.names == (UNCHANGED, CHANGED):
        return ["mask values 1 and 2 are taken as unchanged and changed; say class_names= if they are not"]
    return []


def _two_values(rasters: Sequence[Raster], unlabelled: set[int]) -> dict[int, str] | None:
    """Names of the two values; None if the files name every value themselves, or hold no whole numbers at all."""
    found: dict[int, Raster] = {}
    for raster in rasters:
        for value in _values(raster):
            if value not in unlabelled:
                found.setdefault(value, raster)
    if not found or all(any(value in raster.class_names for raster in rasters) for value in found):
        return None
    # a file that declares one of its two values as nodata means the value all the same: a mask of one value is none
    nodata = {int(r.nodata) for r in rasters if r.nodata is not None and np.isfinite(r.nodata)}
    values = sorted(set(found) - nodata)
    if len(values) < 2:
        values = sorted(found)
    pair = next((pair for pair in PAIRS if set(values) <= set(pair)), None)
    if pair is not None and (len(values) == 2 or values in ([0], [2], [255])):
        return {value: name for value, name in zip(pair, (UNCHANGED, CHANGED), strict=True) if value in values}
    raise MaskError(_complaint(values, found))


def _complaint(values: list[int], found: dict[int, Raster]) -> str:
    listed = ", ".join(map(str, values[:_MOST_SHOWN])) + (" ..." if len(values) > _MOST_SHOWN else "")
    naming = "class_names={value: name, ...} (--class-names 1=unchanged,2=changed)"
    if len(values) > 2:
        common = max(PAIRS, key=lambda pair: len(set(pair) & set(values)))
        strange = next((value for value in values if value not in common), values[-1])
        return (
            f"{found[strange].path}: the change mask holds a third value, {strange} (of {listed}); expected two, "
            f"unchanged and changed. Name what each means with {naming}, or list what means neither in unlabelled= "
            "(--unlabelled-value)"
        )
    return (
        f"{found[values[0]].path}: the change mask holds {listed}, which does not tell unchanged from changed; "
        f"expected 0 and 1, 0 and 255, or 1 and 2. Name them with {naming}"
    )


def _values(raster: Raster) -> list[int]:
    """Whole numbers that occur; all other values are for `interpret_masks` to refuse."""
    found: set[int] = set()
    for part in strips(raster.values):
        part = part.ravel()
        if part.dtype.kind == "f":
            part = part[np.isfinite(part) & (part == np.round(part))]
        found.update(int(value) for value in np.unique(part))
    return sorted(found - {UNLABELLED})


def _stated(unlabelled: int | Iterable[int] | None) -> set[int]:
    if unlabelled is None:
        return set()
    return {int(unlabelled)} if isinstance(unlabelled, (int, np.integer)) else {int(v) for v in unlabelled}
