"""`open_scene`: from files or arrays to a scene, with everything checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from specdm.errors import SceneError
from specdm.scenes.collection import SceneCollection
from specdm.scenes.dates import DateLabel
from specdm.scenes.images import IN_MEMORY_BYTES
from specdm.scenes.labels import ClassNames
from specdm.scenes.opening.build import build
from specdm.scenes.opening.options import BadBands, MaskKind, OpenOptions, Sensors, Variable
from specdm.scenes.opening.sources import plan_opening
from specdm.scenes.pairs import Sources, source_name
from specdm.scenes.readers.arrays import Layout, Order
from specdm.scenes.readers.products.options import Quality
from specdm.scenes.scene import Scene
from specdm.scenes.split_maps import SplitMapKind


def open_scene(
    image: Sources,
    *,
    mask: Any = None,
    dates: Sequence[DateLabel] | str | None = None,
    wavelengths: Any = None,
    fwhm: Any = None,
    class_names: ClassNames | None = None,
    quantity_names: Sequence[str] | None = None,
    quantity_units: Sequence[str] | str | None = None,
    unlabelled: int | Iterable[int] | None = None,
    classes: Iterable[str | int] | None = None,
    bands: Any = None,
    nodata: float | list[float] | None = None,
    scale: Any = None,
    offset: Any = None,
    units: str | None = None,
    variable: Variable | None = None,
    mask_variable: Variable | None = None,
    mask_kind: MaskKind | None = None,
    rows: int | None = None,
    columns: int | None = None,
    order: Order | None = None,
    layout: Layout | None = None,
    sensor: Any = None,
    sensors: Sensors = "one",
    resolution: int | None = None,
    quality: Quality | None = None,
    bad_bands: BadBands = "leave_out",
    split_map: Sources | None = None,
    split_map_kind: SplitMapKind = "values",
    date: str | None = None,
    dataset: str | None = None,
    name: str | None = None,
    citation: str | None = None,
    licence: str | None = None,
) -> Scene | SceneCollection:
    """Open spectral imagery, with its mask if there is one.

    *One image or several scenes.* `image` is a file (MATLAB, ENVI, GeoTIFF, NetCDF, Zarr, HDF5, NumPy) or an array
    `(y, x, band)`; several scenes are a folder, a list of these, or a list of (image, mask) pairs. Folders of known
    layouts are recognised: `A/ B/ label/` and the like (`specdm.scenes.layouts.change_folders`), OSCD, SegMunich.

    *Sensor products.* EnMAP L2A, DESIS L2A, Sentinel-2 L1C and L2A and Landsat Collection 2 Level 2 are named by their
    folder, zip or tar, or metadata file, PRISMA L2D and EMIT L2A by their HDF5 or NetCDF file; each is one image.
    Values are reflectance, scale and offset applied; pixels that the product's quality layers mark are no data.
    `Scene.facts` says what was done.

    *Several dates.* With `dates` of two or more labels `image` is a list with one file, array or folder a date
    (folders are matched by name), a list of such lists (several scenes), or one file with all dates: an array `(date,
    y, x, band)`, or several arrays of one shape, of which `variable` may name one a date.

    *Masks.* One file of the same kinds, PNG or BMP, or an array `(y, x)`; for several scenes a folder whose files have
    the same names, or a list. With dates a list of as many masks gives each date its own (semantic change). A mapping
    class name -> file takes one file a class, which marks its pixels with any value but 0; the rest is unlabelled.
    Left out, but with `mask_variable`: the image's own file.

    Args:
        image: see above.
        mask: see above.
        dates: labels of the dates, such as "2000-03-17" or any words.
        wavelengths: band centres in nm, one a band of the file, or a text table of them; default: the file's.
        fwhm: band widths in nm, likewise.
        class_names: mask value -> name, or a list of names for the values that occur, in ascending order.
        quantity_names: names of the layers of a continuous mask; default: the file's.
        quantity_units: their units, one each or one for all.
        unlabelled: mask value or values that mean "no class" (of a continuous mask: "not known"); default 0 if it
            occurs and has no name, but never in a change mask of two values. The mask file's nodata value and -1
            always mean it. `()` says that every value is a class.
        classes: classes to keep, by name or value; pixels of the others become unlabelled.
        bands: bands to keep: positions from 0, names, ranges such as "450-900" in nm, or a list of these.
        nodata: image value or values that mean "no data", besides what the file says.
        scale, offset: image values become value * scale + offset.
        units: unit of the image values after that; default: the file's, if they are not scaled.
        variable, mask_variable: array to take from a file with several; a list names one a date.
        mask_kind: "values": a class a value. "change": a class a value that says what happened between the dates;
            without names two values are allowed (0/1, 0/255, 1/2, 1/255), the lower is unchanged. "dominant": the
            bands are abundances, the largest is the class. "abundances": the bands are parts of a pixel that sum to
            one. "continuous": the bands are free values, such as heights. Default: "change" for one mask of exactly
            two dates, else "values".
        rows, columns, order: grid of a flattened matrix, pixels column by column ("F", MATLAB's default) or
            row by row ("C"); default: what the file states.
        layout: order of the dimensions of an array without names: "yxb" (default) or "byx"; with dates "dyxb"
            (default) or "dbyx".
        sensor: "sentinel2" to take names and published band centres from the sensor.
        sensors: "one": all dates have the same bands. "each": each date has its own, as two sensors on one grid do;
            then wavelengths, fwhm, bands, sensor, scale and offset may be lists with one entry a date.
        resolution: pixel size in metres of a product whose bands have several: 10, 20 (default) or 60 for Sentinel-2.
            Finer bands are averaged, pixels of coarser ones repeated.
        quality: what makes pixels of a product no data: "keep" for nothing, or some of cloud, cloud_edge, cirrus,
            shadow, haze, snow, water, dark, saturated, defective, negative; default: clouds, their shadows, and what
            is saturated or defective, as far as the product says.
        bad_bands: "leave_out" bands that a file marks as bad, such as those in the absorption by water vapour, or
            "keep" them.
        split_map: a map (for several images a folder or list) of given training and test ground.
        split_map_kind: "values" for 0 nothing, 1 train, 2 test; "train" if it marks the training pixels only,
            so that all other labelled pixels are test.
        date: when a single image was taken, for reports; default: what a product says.
        dataset: name of a known data set (`specdm.scenes.catalog`) that lies in the folder `image`.
        name: what reports call the scene; default: the file's name.
        citation: what to cite for the data; default: what the catalogue says of `dataset`.
        licence: under what terms the data may be used, such as "CC BY 4.0", in any words; likewise. Both go with the
            tiles, models and exports that are made of the scene.

    Returns:
        A `Scene`; for a folder or a list of scenes a `SceneCollection` with common bands and classes, whose
        `official_split` is the published split of the layout, if it has one. Bands that carry nothing are left out
        and listed in `problems`. An image beyond 256 MB stays on disk and is read by window.

    Raises:
        FileFormatError: a file is missing, damaged, truncated, of no readable kind, or holds several
            candidates.
        SceneError: no usable band or pixel, wavelengths that do not fit, dates of different size or bands, an image or
            mask missing for a scene.
        MaskError: a mask of another size or place, with continuous values, or with a value without a name.
    """
    options = OpenOptions(
        mask=mask, dates=dates, wavelengths=wavelengths, fwhm=fwhm, class_names=class_names,
        quantity_names=quantity_names, quantity_units=quantity_units, unlabelled=unlabelled, classes=classes,
        bands=bands, nodata=nodata, scale=scale, offset=offset, units=units, variable=variable,
        mask_variable=mask_variable, mask_kind=mask_kind, rows=rows, columns=columns, order=order, layout=layout,
        sensor=sensor, sensors=sensors, resolution=resolution, quality=quality, bad_bands=bad_bands,
        split_map=split_map, split_map_kind=split_map_kind, date=date, name=name,
        citation=citation, licence=licence,
    )  # fmt: skip
    if dataset is not None:
        # the catalogue opens its sets with this very function
        from specdm.scenes.catalog import find

        return find(dataset).open(_folder(image, dataset), **options.given())
    opened = build(plan_opening(image, options), options, in_memory_bytes=IN_MEMORY_BYTES)
    said = [f"{key}=" for key in ("resolution", "quality") if getattr(options, key) is not None]
    if said and not any(scene.facts for scene in ([opened] if isinstance(opened, Scene) else opened)):
        raise SceneError(f"{source_name(image)}: is no sensor product, so leave {' and '.join(said)} out")
    return opened


def _folder(image: Sources, dataset: str) -> Path:
    if not isinstance(image, (str, Path)) or not Path(image).is_dir():
        raise SceneError(f"{source_name(image)}: expected the folder in which the data set {dataset} lies")
    return Path(image)
