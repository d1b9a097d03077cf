"""What the mask files of all scenes say, by the kind of mask: classes, changes, or continuous amounts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, cast, get_args

import numpy as np
import xarray as xr

from specdm.errors import MaskError
from specdm.scenes.amounts import AmountKind, interpret_amounts
from specdm.scenes.change_masks import interpret_change_masks, taken_for_granted
from specdm.scenes.class_files import interpret_class_files
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.dates import DateLabel
from specdm.scenes.labels import interpret_masks
from specdm.scenes.opening.options import MaskKind, OpenOptions
from specdm.scenes.opening.plan import ScenePlan
from specdm.scenes.quantities import Quantities
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import Role
from specdm.scenes.task import CHANGE_LAYER

AMOUNT_KINDS: tuple[MaskKind, ...] = ("abundances", "continuous")


@dataclass(frozen=True)
class Truth:
    """What is known of every scene; None for one without a mask.

    Attributes:
        masks: int16 `(layer, y, x)` with the coordinate `layer`, -1 where unlabelled.
        amounts: float32 `(quantity, y, x)`, NaN where unknown.
        classes, quantities: what they are, the same for all scenes.
        remarks: lines for `problems`.
    """

    masks: list[xr.DataArray | None]
    amounts: list[np.ndarray | None]
    classes: Classes | None = None
    quantities: Quantities | None = None
    remarks: list[str] = field(default_factory=list)

    def known(self, scene: int) -> np.ndarray | None:
        """Where the scene has any label, as a mask `(y, x)` of 0 and -1 (none); None without a mask."""
        mask, amounts = self.masks[scene], self.amounts[scene]
        if mask is not None:
            return np.where((mask.values != UNLABELLED).any(axis=0), 0, UNLABELLED)
        return None if amounts is None else np.where(np.isfinite(amounts).all(axis=0), 0, UNLABELLED)


def kind_of_mask(options: OpenOptions, scenes: Sequence[ScenePlan], n_dates: int) -> MaskKind:
    """The kind the user names; else a change mask if there is one mask for exactly two dates, else class values.

    Raises:
        MaskError: an unknown kind, or one that does not go with the dates or the number of masks.
    """
    kind = options.mask_kind
    counts = {len(scene.masks) for scene in scenes if scene.masks and scene.mask_classes is None}
    files = any(scene.mask_classes is not None for scene in scenes)
    if kind is None:
        return "change" if n_dates == 2 and counts <= {1} else "values"
    if kind not in get_args(MaskKind):
        raise MaskError(f"mask_kind={kind!r} is not known; expected one of {', '.join(get_args(MaskKind))}")
    if kind == "change" and n_dates < 2:
        raise MaskError('mask_kind="change" needs two dates; name them with dates= and give one image each')
    if kind in ("change", *AMOUNT_KINDS) and counts - {1}:
        raise MaskError(f"mask_kind={kind!r} is one mask for all dates, but one a date is given; give one")
    if files and kind not in ("values", "change"):
        raise MaskError(f"a file a class holds marks, which mask_kind={kind!r} does not go with; leave it out")
    return kind


def mask_role(kind: MaskKind) -> Role:
    """How the array of a mask is picked: abundances and amounts have bands, as an image has."""
    return "image" if kind in ("dominant", *AMOUNT_KINDS) else "mask"


def interpret_truth(
    scenes: Sequence[ScenePlan],
    rasters: Sequence[Sequence[Raster]],
    *,
    kind: MaskKind,
    dates: Sequence[Sequence[DateLabel]],
    options: OpenOptions,
) -> Truth:
    """The masks of all scenes with one legend, or their amounts.

    Args:
        scenes: as planned.
        rasters: the mask rasters of each scene, none for a scene without.
        kind: from `kind_of_mask`.
        dates: labels of each scene's dates.
        options: what the user said.

    Raises:
        MaskError: names without a mask or of another kind, or whatever the kind of mask does not allow.
    """
    flat = list(chain.from_iterable(rasters))
    if not flat:
        if options.class_names is not None or options.classes is not None:
            raise MaskError(f"{scenes[0].images[0].name}: class names are given but no mask; give mask= too")
        return Truth(masks=[None] * len(scenes), amounts=[None] * len(scenes))
    if kind in AMOUNT_KINDS:
        return _amounts(rasters, flat, kind, options)
    if options.quantity_names is not None and kind != "dominant":
        raise MaskError(
            f"{flat[0].path}: quantities are named, but this mask is one of classes; name these with class_names= "
            '(--class-names), or say mask_kind="abundances" or "continuous" (--mask-kind)'
        )
    remarks: list[str] = []
    if any(scene.mask_classes is not None for scene in scenes):
        planes, classes = _class_files(scenes, rasters, options)
    else:
        found, classes = _INTERPRETERS[kind](flat, options)
        rest = iter(found)
        planes = [[next(rest) for _ in own] for own in rasters]
        if kind == "change" and options.class_names is None:
            remarks = taken_for_granted(classes)
    masks = [
        _layered(own, kind=kind, dates=labels) if own else None for own, labels in zip(planes, dates, strict=True)
    ]
    return Truth(masks=masks, amounts=[None] * len(scenes), classes=classes, remarks=remarks)


def _values(rasters: Sequence[Raster], options: OpenOptions) -> tuple[list[np.ndarray], Classes]:
    return interpret_masks(rasters, **_said(options))


def _dominant(rasters: Sequence[Raster], options: OpenOptions) -> tuple[list[np.ndarray], Classes]:
    said = _said(options)
    names = options.quantity_names if said["class_names"] is None else said["class_names"]
    return interpret_masks(rasters, kind="dominant", **{**said, "class_names": names})


def _change(rasters: Sequence[Raster], options: OpenOptions) -> tuple[list[np.ndarray], Classes]:
    return interpret_change_masks(rasters, **_said(options))


_INTERPRETERS: Mapping[
    str, Callable[[Sequence[Raster], OpenOptions], tuple[list[np.ndarray], Classes]]
] = {"values": _values, "dominant": _dominant, "change": _change}


def _said(options: OpenOptions) -> dict[str, Any]:
    return {key: getattr(options, key) for key in ("class_names", "unlabelled", "classes")}


def _class_files(
    scenes: Sequence[ScenePlan], rasters: Sequence[Sequence[Raster]], options: OpenOptions
) -> tuple[list[list[np.ndarray]], Classes]:
    if options.class_names is not None or options.unlabelled is not None:
        raise MaskError("the mask is given as class name -> file, so leave class_names= and unlabelled= out")
    names = next(scene.mask_classes for scene in scenes if scene.mask_classes is not None)
    there = [own for own in rasters if own]
    found, classes = interpret_class_files(there, names, classes=options.classes)
    rest = iter(found)
    return [[next(rest)] if own else [] for own in rasters], classes


def _amounts(
    rasters: Sequence[Sequence[Raster]], flat: Sequence[Raster], kind: MaskKind, options: OpenOptions
) -> Truth:
    if options.classes is not None:
        raise MaskError(f"mask_kind={kind!r} has quantities, no classes; leave classes= out")
    names = options.quantity_names if options.quantity_names is not None else options.class_names
    found, quantities = interpret_amounts(
        flat, kind=cast(AmountKind, kind), names=names, units=options.quantity_units, nodata=options.unlabelled
    )
    rest = iter(found)
    return Truth(
        masks=[None] * len(rasters),
        amounts=[next(rest) if own else None for own in rasters],
        quantities=quantities,
    )


def _layered(planes: Sequence[np.ndarray], *, kind: MaskKind, dates: Sequence[DateLabel]) -> xr.DataArray:
    """Layers and their names: one a date, or one of change, or one of classes."""
    names = [str(label) for label in dates]
    if len(planes) == 1:
        names = [CHANGE_LAYER if kind == "change" else "class"]
    return xr.DataArray(np.stack(planes), dims=("layer", "y", "x"), coords={"layer": names})
