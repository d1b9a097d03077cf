"""What a mask file's values mean: int16 class values, -1 where unlabelled, and the classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np
import xarray as xr

from specdm.errors import MaskError
from specdm.scenes.checks import strips
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.layer_order import layer_names, layers_alike
from specdm.scenes.mask_numbering import means_no_class, numbered_alike
from specdm.scenes.raster import Raster

MaskKind = Literal["values", "dominant"]
ClassNames: TypeAlias = "Mapping[int, str] | Sequence[str]"

MOST_CLASSES = 256
"""More distinct values than this are measurements or object numbers, not classes."""


def interpret_masks(
    rasters: Sequence[Raster],
    *,
    class_names: ClassNames | None = None,
    unlabelled: int | Iterable[int] | None = None,
    classes: Iterable[str | int] | None = None,
    kind: MaskKind = "values",
) -> tuple[list[np.ndarray], Classes]:
    """Masks of one or several scenes with one legend.

    Args:
        rasters: mask files, one band each; for `kind="dominant"` one band a class.
        class_names: value -> name, or a list that names the values that occur, in ascending order (with the
            unlabelled value 0 or without it). Default: names in the file, else "class 3"; files whose names number
            their classes differently are brought to one numbering, see `numbered_alike`.
        unlabelled: value or values that mean "no class". Default: 0 if it occurs and nobody names it as a
            class. -1, NaN and the file's nodata value always mean it, unless `class_names` names that value.
        classes: classes to keep, by name or value; pixels of all others become unlabelled.
        kind: "values": a pixel's value is its class; "dominant": the bands are abundances, the largest is the
            class, numbered from 1.

    Returns:
        int16 `(y, x)` masks in the order of `rasters`, and the classes that occur in them.

    Raises:
        MaskError: continuous values, too many values, a value without a name, an unknown class, no label at
            all.
    """
    if kind not in ("values", "dominant"):
        raise MaskError(f"mask_kind={kind!r} is not known; expected values or dominant")
    if kind == "dominant" and class_names is not None and not isinstance(class_names, Mapping):
        _check_count(class_names, rasters)
        class_names = dict(enumerate(class_names, start=1))
    if kind == "dominant" and class_names is None:
        rasters = layers_alike(rasters)
        named = next((own for raster in rasters if (own := layer_names(raster)) is not None), None)
        class_names = None if named is None else dict(enumerate(named, start=1))
    if kind == "values" and class_names is None:
        rasters = numbered_alike(rasters, unlabelled=_stated(unlabelled))
    planes = [dominant(raster) if kind == "dominant" else _plane(raster) for raster in rasters]
    nodata = [None if kind == "dominant" else raster.nodata for raster in rasters]
    given = (
        {int(value): str(name) for value, name in class_names.items()}
        if isinstance(class_names, Mapping)
        else {}
    )
    files = _file_names(rasters)

    found: dict[int, str] = {}  # value -> a file in which it occurs
    nodata = [None if missing in given else missing for missing in nodata]
    for raster, plane, missing in zip(rasters, planes, nodata, strict=True):
        for value in _values_in(plane, raster, missing):
            found.setdefault(value, str(raster.path))
    no_class = _no_class(found, unlabelled, class_names, given, files)
    values = sorted(value for value in found if value not in no_class)
    if not values:
        raise MaskError(
            f"{_shown(rasters)}: every pixel is unlabelled; a mask needs at least one labelled pixel"
        )
    _check_range(values, given, found)

    names = _names(values, class_names, given, files, found)
    colors = {value: color for raster in rasters for value, color in raster.class_colors.items()}
    legend = Classes.create(values, names, {v: colors[v] for v in values if v in colors} or None)
    if classes is not None:
        wanted = [classes] if isinstance(classes, (str, int)) else list(classes)
        kept = sorted({legend.position(item) for item in wanted})
        if not kept:
            raise MaskError("classes= chooses no class; name at least one, or leave it out")
        legend = Classes.create(
            [legend.values[i] for i in kept],
            [legend.names[i] for i in kept],
            [legend.colors[i] for i in kept],
        )
    masks = [_mapped(plane, legend.values, missing) for plane, missing in zip(planes, nodata, strict=True)]
    return masks, legend


def dominant(raster: Raster) -> xr.DataArray:
    """Position from 1 of the largest band of each pixel, int16 `(y, x)`; 0 where nothing is above 0, or not all known.

    Raises:
        MaskError: a single band, or values below 0, which are no abundances.
    """
    if raster.n_bands < 2:
        raise MaskError(f"{raster.path}: has one band; the dominant of several abundances needs at least two")
    # as of abundances 0 is no nodata value: it is what a file holds for an absent material
    stored = replace(raster, nodata=None) if raster.nodata == 0 else raster
    parts = []
    for part in strips(as_float(stored, raster.values, ImageOptions())):
        part = np.asarray(part, np.float64)
        known = np.isfinite(part).all(axis=0)
        part = np.where(known, part, 0.0)
        if part.min() < -1e-3:
            raise MaskError(f"{raster.path}: holds {part.min():g}; abundances are 0 or above")
        parts.append(np.where(part.max(axis=0) > 0, part.argmax(axis=0) + 1, 0).astype(MASK_DTYPE))
    return xr.DataArray(np.concatenate(parts), dims=("y", "x"))


def _plane(raster: Raster) -> xr.DataArray:
    if raster.n_bands != 1:
        rows, columns = raster.grid
        raise MaskError(
            f"{raster.path}: has {raster.n_bands} bands of {rows} x {columns} px; a mask has one. If the "
            f"bands are "
            'abundances say mask_kind="dominant"; a colour picture must be saved as grey or palette values'
        )
    return raster.values[0]


def _values_in(plane: xr.DataArray, raster: Raster, nodata: float | None) -> list[int]:
    """Whole numbers that occur, without NaN and nodata."""
    found: set[int] = set()
    for part in strips(plane):
        part = _without(part, nodata)
        if part.dtype.kind == "f":
            part = part[~np.isnan(part)]
            fractional = part[~(np.isfinite(part) & (part == np.round(part)))]
            if fractional.size:
                raise MaskError(
                    f"{raster.path}: holds values such as {fractional.flat[0]:.6g}, which look like "
                    f"continuous "
                    "measurements; a mask holds one whole number a class (for abundances say "
                    'mask_kind="dominant")'
                )
        found.update(int(value) for value in np.unique(part))
        if len(found) > MOST_CLASSES:
            raise MaskError(
                f"{raster.path}: holds more than {MOST_CLASSES} different values; these look like continuous "
                "measurements or object numbers, not classes"
            )
    return sorted(found)


def _without(part: np.ndarray, nodata: float | None) -> np.ndarray:
    flat = part.ravel()
    if nodata is None or np.isnan(nodata):
        return flat
    return flat[flat != (flat.dtype.type(nodata) if flat.dtype.kind == "f" else nodata)]


def _no_class(
    found: Mapping[int, str],
    unlabelled: int | Iterable[int] | None,
    class_names: ClassNames | None,
    given: Mapping[int, str],
    files: Mapping[int, str],
) -> set[int]:
    always = {UNLABELLED}
    if unlabelled is not None:
        stated = _stated(unlabelled)
        both = sorted(stated & set(given))
        if both:
            raise MaskError(f"value {both[0]} is named {given[both[0]]!r} and called unlabelled; choose one")
        return always | stated
    if 0 not in found or 0 in given:
        return always
    if class_names is not None and not isinstance(class_names, Mapping):
        labels = set(found) - always
        return always if len(class_names) == len(labels) else always | {0}
    named = files.get(0) if class_names is None else None
    return always if named is not None and not means_no_class(named) else always | {0}


def _stated(unlabelled: int | Iterable[int] | None) -> set[int]:
    if unlabelled is None:
        return set()
    return {int(unlabelled)} if isinstance(unlabelled, (int, np.integer)) else {int(v) for v in unlabelled}


def _names(
    values: list[int],
    class_names: ClassNames | None,
    given: Mapping[int, str],
    files: Mapping[int, str],
    found: Mapping[int, str],
) -> dict[int, str]:
    listed = ", ".join(map(str, values[:40]))
    if class_names is None:
        return {value: files[value] for value in values if value in files}
    if not isinstance(class_names, Mapping):
        if len(class_names) != len(values):
            raise MaskError(
                f"{len(class_names)} class names for {len(values)} values that occur ({listed}); give a "
                f"mapping "
                "value -> name"
            )
        return {value: str(name) for value, name in zip(values, class_names, strict=True)}
    nameless = [value for value in values if value not in given]
    if nameless:
        raise MaskError(
            f"{found[nameless[0]]}: mask values {', '.join(map(str, nameless[:20]))} have no class name; "
            f"named are "
            f"{', '.join(map(str, sorted(given)))}. Name them too, or list them in unlabelled= (--unlabelled-value)"
        )
    return {value: given[value] for value in values}


def _check_range(values: list[int], given: Mapping[int, str], found: Mapping[int, str]) -> None:
    for value in values:
        if not -32768 <= value <= 32767:
            raise MaskError(
                f"{found[value]}: mask value {value} is out of range (-32768 to 32767); if it means no "
                f"class say "
                f"unlabelled={value}"
            )
        if value < 0 and value not in given:
            raise MaskError(
                f"{found[value]}: mask value {value} is below 0; if it means no class say "
                f"unlabelled={value}, else "
                "name it in class_names"
            )


def _mapped(plane: xr.DataArray, values: Sequence[int], nodata: float | None) -> np.ndarray:
    parts = []
    for part in strips(plane):
        # one file's nodata may be another file's class
        known = np.isin(part, [value for value in values if value != nodata])
        labels = np.full(part.shape, UNLABELLED, MASK_DTYPE)
        labels[known] = part[known].astype(MASK_DTYPE)
        parts.append(labels)
    return np.concatenate(parts)


def _file_names(rasters: Sequence[Raster]) -> dict[int, str]:
    return {value: name for raster in rasters for value, name in raster.class_names.items()}


def _check_count(names: Sequence[str], rasters: Sequence[Raster]) -> None:
    for raster in rasters:
        if raster.n_bands != len(names):
            raise MaskError(
                f"{raster.path}: has {raster.n_bands} abundances, but {len(names)} class names are given"
            )


def _shown(rasters: Sequence[Raster]) -> str:
    return (
        str(rasters[0].path) if len(rasters) == 1 else f"{rasters[0].path} and {len(rasters) - 1} more masks"
    )
