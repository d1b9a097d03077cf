"""`open_scene`: from files or arrays to a scene, with everything checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import Classes
from specdm.scenes.collection import SceneCollection
from specdm.scenes.georeference import check_same_place
from specdm.scenes.images import (
    IN_MEMORY_BYTES,
    Image,
    ImageOptions,
    bands_to_leave_out,
    prepare_image,
)
from specdm.scenes.labels import ClassNames, MaskKind, interpret_masks
from specdm.scenes.pairs import Pair, Source, Sources, is_many, match_pairs, source_name
from specdm.scenes.raster import Raster
from specdm.scenes.readers import read_raster
from specdm.scenes.readers.arrays import ArrayOptions, Layout, Order, Role
from specdm.scenes.scene import Scene
from specdm.scenes.split_maps import SplitMapKind, interpret_split_map


def open_scene(
    image: Sources,
    *,
    mask: Sources | None = None,
    wavelengths: Any = None,
    fwhm: Any = None,
    class_names: ClassNames | None = None,
    unlabelled: int | Iterable[int] | None = None,
    classes: Iterable[str | int] | None = None,
    bands: Any = None,
    nodata: float | list[float] | None = None,
    scale: float | None = None,
    offset: float | None = None,
    units: str | None = None,
    variable: str | None = None,
    mask_variable: str | None = None,
    mask_kind: MaskKind = "values",
    rows: int | None = None,
    columns: int | None = None,
    order: Order | None = None,
    layout: Layout | None = None,
    sensor: str | None = None,
    split_map: Sources | None = None,
    split_map_kind: SplitMapKind = "values",
    date: str | None = None,
    name: str | None = None,
) -> Scene | SceneCollection:
    """Open spectral imagery, with its mask if there is one.

    Args:
        image: a file (MATLAB, ENVI, GeoTIFF, NetCDF, Zarr, HDF5, NumPy), an array `(y, x, band)`, or several
            scenes: a folder, a list of these, or a list of (image, mask) pairs.
        mask: a file of the same kinds, PNG or BMP, or an array `(y, x)`; for several images a folder whose
            files have the same names, or a list. Left out, but with `mask_variable`: the image's own file.
        wavelengths: band centres in nm, one a band of the file, or a text table of them; default: the file's.
        fwhm: band widths in nm, likewise.
        class_names: mask value -> name, or a list of names for the values that occur, in ascending order.
        unlabelled: mask value or values that mean "no class"; default 0 if it occurs and has no name. The
            mask file's nodata value and -1 always mean it. `()` says that every value is a class.
        classes: classes to keep, by name or value; pixels of the others become unlabelled.
        bands: bands to keep: positions from 0, names, ranges such as "450-900" in nm, or a list of these.
        nodata: image value or values that mean "no data", besides what the file says.
        scale, offset: image values become value * scale + offset.
        units: unit of the image values after that; default: the file's, if they are not scaled.
        variable, mask_variable: array to take from a file with several.
        mask_kind: "values", or "dominant" if the mask file holds one abundance a class.
        rows, columns, order: grid of a flattened matrix, pixels column by column ("F", MATLAB's default) or
            row by row ("C"); default: what the file states.
        layout: order of the dimensions of an array without names: "yxb" (default) or "byx".
        sensor: "sentinel2" to take names and published band centres from the sensor.
        split_map: a map (for several images a folder or list) of given training and test ground.
        split_map_kind: "values" for 0 nothing, 1 train, 2 test; "train" if it marks the training pixels only,
            so that all other labelled pixels are test.
        date: when the image was taken, for reports.
        name: what reports call the scene; default: the file's name.

    Returns:
        A `Scene`; for a folder or a list a `SceneCollection` with common bands and classes. Bands that carry
        nothing are left out and listed in `problems`. An image beyond 256 MB stays on disk and is read by
        window.

    Raises:
        FileFormatError: a file is missing, damaged, truncated, of no readable kind, or holds several
            candidates.
        SceneError: no usable band or pixel, wavelengths that do not fit, a mask file missing for an image.
        MaskError: a mask of another size or place, with continuous values, or with a value without a name.
    """
    many = is_many(image)
    if mask is None and mask_variable is not None and not many:
        mask = image
    pairs = match_pairs(image, mask)
    image_options = ArrayOptions(
        variable=variable, rows=rows, columns=columns, order=order, layout=layout, role="image"
    )
    # abundances are picked like an image is: they have bands
    role: Role = "image" if mask_kind == "dominant" else "mask"
    mask_options = replace(image_options, variable=mask_variable, role=role)
    how = ImageOptions(
        wavelengths=wavelengths, fwhm=fwhm, bands=bands, sensor=sensor, nodata=nodata, scale=scale,
        offset=offset, date=date,
    )  # fmt: skip

    rasters = [_read(pair.image, image_options) for pair in pairs]
    mask_rasters = [None if pair.partner is None else _read(pair.partner, mask_options) for pair in pairs]
    for raster, mask_raster in zip(rasters, mask_rasters, strict=True):
        if mask_raster is not None:
            _check_grid(raster, mask_raster)
    there = [raster for raster in mask_rasters if raster is not None]
    labels, legend = (
        interpret_masks(
            there, class_names=class_names, unlabelled=unlabelled, classes=classes, kind=mask_kind
        )
        if there
        else ([], None)
    )
    if not there and (class_names is not None or classes is not None):
        raise MaskError(f"{source_name(image)}: class names are given but no mask; give mask= too")
    remaining = iter(labels)
    masks = [None if raster is None else next(remaining) for raster in mask_rasters]
    splits = _split_maps(image, split_map, split_map_kind, rasters, masks, mask_options)

    # the limit holds for all scenes together, so that a folder of tiles does not fill the memory either
    total = sum(raster.values.size * 4 for raster in rasters)
    limit = IN_MEMORY_BYTES if total <= IN_MEMORY_BYTES else 0
    images = [prepare_image(raster, how, in_memory_bytes=limit) for raster in rasters]
    kept = [i for i, prepared in enumerate(images) if not prepared.is_void]
    if not kept:
        raise SceneError(f"{source_name(image)}: holds no valid pixel; every value is nodata or NaN")
    void = [pairs[i].name for i in range(len(pairs)) if i not in kept]
    remarks = [f"{len(void)} of {len(pairs)} scenes hold nodata only and are left out: {', '.join(void[:5])}"]
    leave_out = bands_to_leave_out([images[i] for i in kept])
    scenes = [
        _scene(
            pairs[i],
            rasters[i],
            images[i],
            reasons,
            mask=masks[i],
            classes=legend,
            split_map=splits[i],
            units=units,
            name=pairs[i].name if many or name is None else name,
            scaled=scale is not None or offset is not None,
            remarks=remarks if void and i == kept[0] else [],
        )
        for i, reasons in zip(kept, leave_out, strict=True)
    ]
    if not many:
        return scenes[0]
    return SceneCollection.create(scenes, name=name or _collection_name(image))


def _read(source: Source, options: ArrayOptions) -> Raster:
    if isinstance(source, np.ndarray):
        from specdm.scenes.readers.numpy_file import array_raster

        return array_raster(source, name=source_name(source), options=options)
    return read_raster(
        source,
        variable=options.variable,
        rows=options.rows,
        columns=options.columns,
        order=options.order,
        layout=options.layout,
        role=options.role,
    )


def _check_grid(image: Raster, mask: Raster) -> None:
    if image.grid != mask.grid:
        hint = "; it looks turned on its side, transpose it" if image.grid == mask.grid[::-1] else ""
        hint = hint or "; if one of them is a flattened matrix give rows= and columns="
        raise MaskError(
            f"{mask.path}: the mask has {mask.grid[0]} x {mask.grid[1]} px, the image {image.path} has "
            f"{image.grid[0]} x {image.grid[1]} px (rows x columns); expected the same{hint}"
        )
    check_same_place(image.values, mask.values, image_name=str(image.path), mask_name=str(mask.path))


def _split_maps(
    image: Sources,
    split_map: Sources | None,
    kind: SplitMapKind,
    rasters: list[Raster],
    masks: list[np.ndarray | None],
    options: ArrayOptions,
) -> list[np.ndarray | None]:
    if split_map is None:
        return [None] * len(rasters)
    if is_many(image) and not isinstance(image, (str, Path)):
        image = [item[0] if isinstance(item, (tuple, list)) else item for item in image]
    pairs = match_pairs(image, split_map, what="train/test map")
    plain = replace(options, variable=None, role="mask")
    maps = [_read(pair.partner, plain) for pair in pairs if pair.partner is not None]
    return [
        interpret_split_map(found, kind=kind, mask=mask, grid=raster.grid)
        for found, mask, raster in zip(maps, masks, rasters, strict=True)
    ]


def _scene(
    pair: Pair,
    raster: Raster,
    image: Image,
    reasons: dict[int, str],
    *,
    mask: np.ndarray | None,
    classes: Classes | None,
    split_map: np.ndarray | None,
    units: str | None,
    name: str,
    scaled: bool,
    remarks: list[str],
) -> Scene:
    facts = image.facts
    usable = [band for band in image.chosen if band not in reasons]
    if not usable:
        why = ", ".join(sorted(set(reasons.values())))
        raise SceneError(
            f"{source_name(pair.image)}: none of its {len(image.chosen)} bands can be used ({why})"
        )
    values = image.values
    if len(usable) < len(image.chosen):
        values = values.isel(band=[image.chosen.index(band) for band in usable])
    notes = [raster.attributes["wavelength_remark"]] if "wavelength_remark" in raster.attributes else []
    sources = [source_name(s) for s in (pair.image, pair.partner) if s is not None]
    return Scene.create(
        image=values,
        mask=None if mask is None else xr.DataArray(mask[None], dims=("layer", "y", "x")),
        classes=None if mask is None else classes,
        wavelength=None if facts.wavelength is None else facts.wavelength[usable],
        fwhm=None if facts.fwhm is None else facts.fwhm[usable],
        band_name=[facts.label(band) for band in usable],
        name=name,
        sources=sources,
        left_out=[{"band": facts.label(band), "reason": reason} for band, reason in sorted(reasons.items())],
        units=units or (None if scaled else raster.units),
        split_map=split_map,
        problems=[*remarks, *notes],
    )


def _collection_name(image: Any) -> str:
    return Path(image).resolve().name if isinstance(image, (str, Path)) else "scenes"
