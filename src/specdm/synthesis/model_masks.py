"""Masks as a model knows them: files whose classes or quantities are matched to the model's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import MaskError
from specdm.scenes.amounts import interpret_amounts
from specdm.scenes.change_masks import CHANGED, UNCHANGED, interpret_change_masks
from specdm.scenes.class_files import interpret_class_files
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.labels import interpret_masks
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.plan import one_file
from specdm.scenes.opening.read import read_source
from specdm.scenes.quantities import Quantities
from specdm.scenes.raster import Raster
from specdm.synthesis.facts import TileFacts


@dataclass(frozen=True)
class ModelMasks:
    """What masks say of one place, in the model's terms.

    Attributes:
        masks: int16 `(layer, y, x)`, the model's class values, -1 where unlabelled or not given.
        amounts: float32 `(quantity, y, x)`, NaN where unknown or not given.
        place: `(band, y, x)` of the first file, which carries the georeference if there is one.
        where: the first file.
    """

    masks: np.ndarray
    amounts: np.ndarray
    place: xr.DataArray
    where: str

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.masks.shape[-2], self.masks.shape[-1]

    @property
    def says_nothing(self) -> bool:
        """No pixel is labelled, and none has an amount."""
        return not (self.masks != UNLABELLED).any() and not np.isfinite(self.amounts).any()


def read_masks(
    files: Sequence[Path] | Mapping[str, Path],
    facts: TileFacts,
    *,
    options: Mapping[str, Any],
    layers: Sequence[int] | None = None,
) -> ModelMasks:
    """The masks of one place.

    Classes are matched by name where files (or `class_names`) name them, else by value.

    Args:
        files: one a layer of the model's masks; or one with the model's quantities; or class name -> a file that marks
            its pixels.
        facts: of the model.
        options: of `open_scene`: `class_names`, `unlabelled`, `mask_variable` and those about arrays.
        layers: positions of the layers that are given; default: all.

    Raises:
        FileFormatError: a file cannot be read.
        MaskError: classes or quantities that the model does not know, another number of files, files of different
            size, or no labelled pixel.
    """
    listed = list(files.values()) if isinstance(files, Mapping) else list(files)
    of_amounts = facts.quantities is not None and not facts.layers
    rasters = [_read(file, options, amounts=of_amounts) for file in listed]
    for raster in rasters[1:]:
        if raster.grid != rasters[0].grid:
            raise MaskError(
                f"{raster.path}: has {_size(raster.grid)} px, {rasters[0].path} {_size(rasters[0].grid)} px; expected "
                "masks of one size"
            )
    shape = rasters[0].grid
    masks = np.full((len(facts.layers), *shape), UNLABELLED, MASK_DTYPE)
    amounts = np.full((len(facts.quantities or ()), *shape), np.nan, np.float32)
    where = str(rasters[0].path)
    if facts.quantities is not None and of_amounts:
        if len(rasters) != 1:
            raise MaskError(f"{where}: {len(rasters)} masks, but the model's amounts come in one file; give one")
        amounts[:] = _amounts(rasters[0], facts.quantities, options)
        return ModelMasks(masks, amounts, rasters[0].values, where)
    if facts.classes is None:
        raise MaskError(f"{where}: the model knows no classes, so no mask can be given to it")
    chosen = list(range(len(facts.layers))) if layers is None else list(layers)
    planes = (
        [_class_files(files, rasters, facts.classes)]
        if isinstance(files, Mapping)
        else [class_plane(raster, facts.classes, options=options) for raster in rasters]
    )
    if len(planes) != len(chosen):
        names = ", ".join(facts.layers[layer] for layer in chosen)
        raise MaskError(f"{where}: {len(planes)} masks for {len(chosen)} layers ({names}); give one each, in order")
    masks[chosen] = planes
    return ModelMasks(masks, amounts, rasters[0].values, where)


def class_plane(raster: Raster, classes: Classes, *, options: Mapping[str, Any]) -> np.ndarray:
    """A mask file in a model's class values, int16 `(y, x)`, -1 where unlabelled.

    Raises:
        MaskError: a class that the model does not know, no whole numbers, or no labelled pixel.
    """
    names, unlabelled = options.get("class_names"), options.get("unlabelled")
    if isinstance(names, Mapping) and unlabelled is not None:
        stated = np.ravel(unlabelled).tolist()
        unlabelled = [int(value) for value in stated if int(value) not in names]
    if unlabelled is None and names is None and 0 in classes.values and not raster.class_names:
        # in the model's masks 0 is a class, so it is one here
        unlabelled = []
    found, legend = interpret_masks([raster], class_names=names, unlabelled=unlabelled)
    where = str(raster.path)
    try:
        values = matched_values(legend, classes, where=where)
    except MaskError:
        if set(classes.names) != {UNCHANGED, CHANGED} or names is not None or raster.class_names:
            raise
        # 0 and 255, say, where the model's masks had 0 and 1
        found, legend = interpret_change_masks([raster], unlabelled=options.get("unlabelled"))
        values = matched_values(legend, classes, where=where)
    return replaced(found[0], values)


def matched_values(
    legend: Classes, classes: Classes, *, where: str, occurring: Sequence[int] | None = None
) -> dict[int, int]:
    """A mask's values -> the model's values of the same classes.

    By name; by value where a class has no name of its own ("class 3"), or where none of the model's has.

    Args:
        legend: what the mask's values mean.
        classes: of the model.
        where: what messages call the mask.
        occurring: values that occur; others need not be known. Default: all.

    Raises:
        MaskError: classes that the model does not know; says which, and which it knows.
    """
    by_name = {name.strip().casefold(): value for name, value in zip(classes.names, classes.values, strict=True)}
    nameless = all(_is_default(name, value) for name, value in zip(classes.names, classes.values, strict=True))
    found: dict[int, int] = {}
    strange = []
    for name, value in zip(legend.names, legend.values, strict=True):
        if name.strip().casefold() in by_name:
            found[value] = by_name[name.strip().casefold()]
        elif (nameless or _is_default(name, value)) and value in classes.values:
            found[value] = value
        elif occurring is None or value in occurring:
            strange.append(f"value {value}" if _is_default(name, value) else f"{name} ({value})")
    if strange:
        known = ", ".join(f"{name} ({value})" for name, value in zip(classes.names, classes.values, strict=True))
        raise MaskError(
            f"{where}: holds classes that the model does not know: {', '.join(strange[:8])}"
            f"{' ...' if len(strange) > 8 else ''}; it knows {known}. Name them so (--class-names 1=NAME), or say "
            "which values mean no class (--unlabelled-value)"
        )
    return found


def replaced(mask: np.ndarray, values: Mapping[int, int]) -> np.ndarray:
    """A mask with other values, int16; -1 for values that are not in the mapping."""
    found = np.full(mask.shape, UNLABELLED, MASK_DTYPE)
    for old, new in values.items():
        found[mask == old] = new
    return found


def _is_default(name: str, value: int) -> bool:
    return name == f"class {value}"


def _read(file: Path, options: Mapping[str, Any], *, amounts: bool) -> Raster:
    said = {key: options[key] for key in ("rows", "columns", "order", "layout") if key in options}
    variable = options.get("mask_variable")
    if variable is not None and not isinstance(variable, str):
        variable = variable[0]
    arrays = OpenOptions(**said).array(role="image" if amounts else "mask")
    return read_source(one_file(file, variable=variable), arrays)


def _class_files(files: Mapping[str, Path], rasters: Sequence[Raster], classes: Classes) -> np.ndarray:
    found, legend = interpret_class_files([rasters], list(files))
    return replaced(found[0], matched_values(legend, classes, where=str(rasters[0].path)))


def _amounts(raster: Raster, quantities: Quantities, options: Mapping[str, Any]) -> np.ndarray:
    names = options.get("quantity_names")
    if names is None and raster.n_bands == len(quantities) and set(raster.band_name or ()) != set(quantities.names):
        # bands without names of their own are the model's quantities in their order
        named = raster.band_name is not None and bool(set(raster.band_name) & set(quantities.names))
        names = None if named else list(quantities.names)
    kind = "abundances" if quantities.sum_to_one else "continuous"
    if raster.n_bands != len(quantities):
        raise MaskError(
            f"{raster.path}: has {raster.n_bands} bands, but the model's masks have {len(quantities)} quantities: "
            f"{', '.join(quantities.names[:20])}; expected a band each"
        )
    found, there = interpret_amounts(
        [raster], kind=kind, names=names, nodata=options.get("unlabelled")  # type: ignore[arg-type]
    )
    if set(there.names) != set(quantities.names):
        strange = sorted(set(there.names) - set(quantities.names))
        raise MaskError(
            f"{raster.path}: holds quantities that the model does not know: {', '.join(strange)}; it knows "
            f"{', '.join(quantities.names)}. Name its bands so (--quantity-names)"
        )
    return found[0][[there.names.index(name) for name in quantities.names]]


def _size(grid: tuple[int, int]) -> str:
    return f"{grid[0]} x {grid[1]}"
