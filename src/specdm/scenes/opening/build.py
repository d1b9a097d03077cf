"""From a plan to scenes: read, check, interpret and put together, the same for every way of naming files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.collection import SceneCollection
from specdm.scenes.dates import DateLabel
from specdm.scenes.georeference import check_same_place
from specdm.scenes.images import Image, prepare_image
from specdm.scenes.opening.date_images import SceneImage, bands_left_out, check_same_bands, check_same_grid, joined
from specdm.scenes.opening.options import MaskKind, OpenOptions
from specdm.scenes.opening.plan import OpeningPlan, ScenePlan
from specdm.scenes.opening.read import check_grid, read_source
from specdm.scenes.opening.truth import Truth, interpret_truth, kind_of_mask, mask_role
from specdm.scenes.pairs import source_name
from specdm.scenes.raster import Raster
from specdm.scenes.scene import Scene
from specdm.scenes.split_maps import interpret_split_map


@dataclass(frozen=True)
class _Opened:
    """One scene on its way: its plan, and what was read of it."""

    plan: ScenePlan
    labels: tuple[DateLabel, ...]
    rasters: list[Raster]
    masks: list[Raster]


def build(plan: OpeningPlan, options: OpenOptions, *, in_memory_bytes: int) -> Scene | SceneCollection:
    """Open what is planned.

    Args:
        plan: the sources of every scene.
        options: what the user said; the plan's own defaults are added here.
        in_memory_bytes: images of this size altogether are loaded, larger ones stay on disk.

    Raises:
        FileFormatError, SceneError, MaskError: as `open_scene`.
    """
    options = options.with_defaults(plan.defaults)
    n_dates = len(plan.scenes[0].images)
    kind = kind_of_mask(options, plan.scenes, n_dates)
    opened = [_read(scene, plan, options, kind=kind) for scene in plan.scenes]
    truth = interpret_truth(
        plan.scenes, [one.masks for one in opened], kind=kind, dates=[one.labels for one in opened], options=options
    )
    splits = [_split_map(one, truth.known(i), options) for i, one in enumerate(opened)]

    # the limit holds for all scenes together, so that a folder of tiles does not fill the memory either
    total = sum(raster.values.size * 4 for one in opened for raster in one.rasters)
    limit = in_memory_bytes if total <= in_memory_bytes else 0
    images = [_images(one, options, in_memory_bytes=limit) for one in opened]
    kept = [i for i, dates in enumerate(images) if not any(image.is_void for image in dates)]
    if not kept:
        where = next(r.path for r, i in zip(opened[0].rasters, images[0], strict=True) if i.is_void)
        masked = any(raster.product for one in opened for raster in one.rasters)
        hint = ", or marked by its quality layers (quality=keep keeps those)" if masked else ""
        raise SceneError(f"{where}: holds no valid pixel; every value is nodata or NaN{hint}")
    void = [plan.scenes[i].name for i in range(len(opened)) if i not in kept]
    remarks = [*plan.remarks, *truth.remarks]
    if void:
        remarks += [f"{len(void)} of {len(opened)} scenes hold nodata only and are left out: {', '.join(void[:5])}"]
    each = options.sensors == "each"
    left_out = bands_left_out([images[i] for i in kept], each=each)
    scenes = []
    for i, reasons in zip(kept, left_out, strict=True):
        one = opened[i]
        image = joined(images[i], reasons, rasters=one.rasters, labels=one.labels, each=each)
        name = one.plan.name if plan.many or options.name is None else options.name
        scene = _scene(one, image, truth, i, split_map=splits[i], options=options, name=name,
                       remarks=remarks if i == kept[0] else [])  # fmt: skip
        scenes.append(scene)
    return SceneCollection.create(scenes, name=options.name or plan.name) if plan.many else scenes[0]


def _read(scene: ScenePlan, plan: OpeningPlan, options: OpenOptions, *, kind: MaskKind) -> _Opened:
    said = options.labels() or scene.dates or plan.dates
    labels = said or tuple(range(len(scene.images)))
    if len(labels) != len(scene.images):
        raise SceneError(
            f"{scene.name}: dates= names {len(labels)} dates ({', '.join(map(str, labels))}), but there are "
            f"{len(scene.images)} images of it; give one label a date"
        )
    rasters = [read_source(source, options.array(role="image")) for source in scene.images]
    if said is None and len(rasters) == 1 and rasters[0].date is not None:
        labels = (rasters[0].date,)
    check_same_grid(rasters, labels)
    role = mask_role(kind)
    masks = [read_source(source, options.array(role=role)) for source in scene.masks]
    for mask in masks:
        check_grid(rasters[0], mask)
    return _Opened(scene, labels, rasters, masks)


def _split_map(one: _Opened, known: np.ndarray | None, options: OpenOptions) -> np.ndarray | None:
    """The given training and test ground of a scene, int8 `(y, x)`."""
    if one.plan.split_map is None:
        return None
    raster, image = read_source(one.plan.split_map, options.array(role="mask")), one.rasters[0]
    split = interpret_split_map(raster, kind=options.split_map_kind, mask=known, grid=image.grid)
    check_same_place(image.values, raster.values, image_name=str(image.path), mask_name=str(raster.path))
    return split


def _images(one: _Opened, options: OpenOptions, *, in_memory_bytes: int) -> list[Image]:
    n_dates = len(one.rasters)
    images = [
        prepare_image(
            raster, options.image(i, n_dates=n_dates, label=one.labels[i]), in_memory_bytes=in_memory_bytes
        )
        for i, raster in enumerate(one.rasters)
    ]
    if options.sensors == "one":
        check_same_bands(images, one.rasters, one.labels)
    return images


def _scene(
    one: _Opened,
    image: SceneImage,
    truth: Truth,
    position: int,
    *,
    split_map: np.ndarray | None,
    options: OpenOptions,
    name: str,
    remarks: Sequence[str],
) -> Scene:
    mask, amounts = truth.masks[position], truth.amounts[position]
    notes = [str(text) for r in one.rasters for key, text in r.attributes.items() if key.endswith("_remark")]
    scaled = options.scale is not None or options.offset is not None
    stated = next((raster.units for raster in one.rasters if raster.units), None)
    files = [source_name(file) for source in (*one.plan.images, *one.plan.masks) for file in source.files]
    scene = Scene.create(
        image=image.values,
        mask=mask,
        classes=None if mask is None else truth.classes,
        amounts=None if amounts is None else xr.DataArray(amounts, dims=("quantity", "y", "x")),
        quantities=None if amounts is None else truth.quantities,
        date_sensor=image.date_sensor,
        band_sensor=image.band_sensor,
        wavelength=image.wavelength,
        fwhm=image.fwhm,
        band_name=image.band_name,
        name=name,
        sources=list(dict.fromkeys(files)),
        left_out=image.left_out,
        units=options.units or (None if scaled else stated),
        split_map=split_map,
        problems=[*remarks, *dict.fromkeys(notes)],
    )
    split = {} if one.plan.split is None else {"split": one.plan.split}
    facts = [fact for raster in one.rasters for fact in raster.facts]
    said: dict[str, Any] = {"facts": list(dict.fromkeys(facts))} if facts else {}
    said |= {key: str(given) for key in ("citation", "licence") if (given := getattr(options, key))}
    scene.dataset.attrs = {**scene.dataset.attrs, **one.plan.attrs, **split, **said}
    return scene
