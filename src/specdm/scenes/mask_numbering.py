"""Mask files that number the same classes differently, as exports by order of drawing do, brought to one numbering."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.raster import Raster

_NO_CLASS = re.compile(
    r"un-?(classified|label+ed|known|defined)|no[ _-]?data|not? label+ed|nan|none|", re.IGNORECASE
)


def means_no_class(name: str) -> bool:
    """Whether a file's name of the value 0 says that there is no class: "Unclassified", "no data", nothing at all."""
    return _NO_CLASS.fullmatch(name.strip()) is not None


def numbered_alike(rasters: Sequence[Raster], *, unlabelled: Collection[int]) -> list[Raster]:
    """Masks in which a value means one class, by the names that the files give to their values.

    Files that do not contradict each other are returned as they are. Else a class has the value of the first file that
    names it, or if that means another class already, a value that no file uses. Names are the same whatever their case.

    Args:
        rasters: mask files, one band each.
        unlabelled: values that mean no class in every file; 0 does too, where its name does not say otherwise.

    Raises:
        MaskError: files contradict each other, and one of them leaves a value without a name or gives two values one.
    """
    keys = [_keys(raster, unlabelled) for raster in rasters]
    conflict = _conflict(rasters, keys)
    if conflict is None:
        return list(rasters)
    for raster, own in zip(rasters, keys, strict=True):
        _check_names(raster, own, conflict, unlabelled={UNLABELLED, 0, *unlabelled})
    used = {UNLABELLED, 0} | {value for raster in rasters for value in raster.class_names}
    numbers: dict[str, int] = {}
    for own in keys:
        for value, key in sorted(own.items()):
            if key not in numbers:
                free = value not in numbers.values()
                numbers[key] = value if free else next(v for v in range(1, len(used) + 2) if v not in used)
                used.add(numbers[key])
    return [_renumbered(raster, own, numbers, unlabelled) for raster, own in zip(rasters, keys, strict=True)]


def _keys(raster: Raster, unlabelled: Collection[int]) -> dict[int, str]:
    """What the classes of a file go by, by value."""
    return {
        value: name.strip().casefold()
        for value, name in raster.class_names.items()
        if value not in unlabelled and (value != 0 or not means_no_class(name))
    }


def _conflict(rasters: Sequence[Raster], keys: Sequence[dict[int, str]]) -> str | None:
    """Two files that name a value differently, in words."""
    first: dict[int, tuple[Raster, dict[int, str]]] = {}
    for raster, own in zip(rasters, keys, strict=True):
        for value, name in raster.class_names.items():
            other, theirs = first.setdefault(value, (raster, own))
            if theirs.get(value) != own.get(value):
                return f"value {value} is {other.class_names[value]!r} in {other.path} but {name!r} in {raster.path}"
    return None


def _check_names(raster: Raster, keys: dict[int, str], conflict: str, *, unlabelled: Collection[int]) -> None:
    named = list(keys.values())
    advice = "give every file the same names for the same values, or say class_names= if one numbering holds for all"
    if twice := sorted({key for key in named if named.count(key) > 1}):
        raise MaskError(f"{conflict}, and {raster.path} has {twice[0]!r} twice, so names do not tell; {advice}")
    known = {*raster.class_names, *unlabelled, *([] if raster.nodata is None else [raster.nodata])}
    there = np.unique(np.asarray(raster.values))
    if nameless := [value for value in there[np.isfinite(there)].tolist() if value not in known]:
        raise MaskError(f"{conflict}, and {raster.path} does not name its value {nameless[0]:g}; {advice}")


def _renumbered(raster: Raster, keys: dict[int, str], numbers: dict[str, int], unlabelled: Collection[int]) -> Raster:
    own = np.asarray(raster.values)
    # room for what marks no data, too
    values = own.astype(np.int64 if own.dtype.kind in "iub" else np.float64)
    for value in {0, *unlabelled, *raster.class_names}:
        values[own == value] = numbers[keys[value]] if value in keys else UNLABELLED
    if raster.nodata is not None:
        values[own == raster.nodata] = UNLABELLED
    return replace(
        raster,
        values=raster.values.copy(data=values),
        nodata=None,  # it may be a class's number now
        class_names={numbers[key]: raster.class_names[value] for value, key in keys.items()},
        class_colors={numbers[keys[value]]: color for value, color in raster.class_colors.items() if value in keys},
    )
