"""What EnMAP and DESIS have in common: one GeoTIFF of all bands, quality layers, and DLR's metadata XML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.detect import Sensor, files_of, level_of
from specdm.scenes.readers.products.files import ProductFiles
from specdm.scenes.readers.products.flags import chosen_flags, flag_shares, quality_facts
from specdm.scenes.readers.products.metadata import Metadata, day
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.readers.products.planes import Band, Flag, Plane, on_grid, opened, plane_image

NODATA = -32768
"""Stored value of pixels beyond the scene, and of whole bands that the atmospheric correction gives up."""


@dataclass(frozen=True)
class Bands:
    """Of each band, `(band,)`: centre and width in nm; stored values times gain plus offset are reflectance."""

    wavelength: np.ndarray
    fwhm: np.ndarray
    gain: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True)
class Layer:
    """What one quality file says, if it is there.

    Attributes:
        name: a flag of `options.FLAGS`.
        file: the last part of the file's name without its ending, such as "QL_QUALITY_CLOUD".
        band: of the file, from 1; None: one a band of the image.
        values: that mark a pixel; none: all but 0.
    """

    name: str
    file: str
    band: int | None = 1
    values: tuple[int, ...] = ()


def read_spectral_image(
    path: Path,
    options: ProductOptions,
    *,
    sensor: Sensor,
    title: str,
    bands_of: Callable[[Metadata], Bands],
    layers: Sequence[Layer],
    default: Sequence[str],
) -> Raster:
    """The raster of an L2A product.

    Args:
        path: folder, archive, metadata file or the image beside it.
        options: what the user said.
        sensor, title: whose product it is, for messages.
        bands_of: reads the bands off the metadata.
        layers: what quality files say.
        default: flags whose pixels become no data if the user does not say.

    Raises:
        FileFormatError: see `read_product`.
    """
    files = files_of(path, sensor)
    metadata_name = files.one(r".*-METADATA\.XML", what="the metadata")
    _check_level(files.path, metadata_name, title)
    metadata = Metadata(files, metadata_name)
    bands = bands_of(metadata)
    image_name = files.one(r".*-SPECTRAL_IMAGE(?:_COG)?\.TIF", what="the image")
    with opened(files, image_name) as file:
        grid, crs, transform, count, nodata = file.shape, file.crs, file.transform, file.count, file.nodata
    if count != bands.wavelength.size:
        raise FileFormatError(
            f"{metadata.where}: describes {bands.wavelength.size} bands, {Path(image_name).name} has {count}; they are "
            "of different products, download them again"
        )
    name = files.gdal(image_name)
    invalid = tuple(dict.fromkeys([float(NODATA), *([] if nodata is None else [float(nodata)])]))
    image_bands = [
        Band(Plane(name, band=i + 1), scale=float(bands.gain[i]), offset=float(bands.offset[i]), invalid=invalid)
        for i in range(count)
    ]
    flags = [flag for layer in layers for flag in _flags(layer, files, grid=grid, count=count)]
    there = list(dict.fromkeys(flag.name for flag in flags))
    taken = chosen_flags(options, default=default, there=there)
    used = [flag for flag in flags if flag.name in taken]
    date = day(metadata.text("base/temporalCoverage/startTime"), where=metadata.where)
    facts = [f"{title} L2A of {date}: surface reflectance, scale and offset of each band applied"]
    facts += quality_facts(
        options, taken=taken, there=there, shares=flag_shares(used),
        layers="the QL files" if there else "the product's QL files are not there",
    )  # fmt: skip
    return Raster(
        path=path,
        values=plane_image(path, image_bands, used, grid=grid, crs=crs, transform=transform),
        format=f"{title} L2A",
        wavelength=bands.wavelength,
        fwhm=bands.fwhm,
        units="reflectance",
        product=f"{title} L2A",
        date=date,
        facts=facts,
    )


def band_table(metadata: Metadata, path: str, *, centre: str, width: str, gain: str, offset: str) -> Bands:
    """The bands at an element path, with the names of the elements within each.

    Raises:
        FileFormatError: no band there, or a number missing.
    """
    elements = metadata.elements(path)
    if not elements:
        raise metadata.lacks(f"wavelengths ({path}/{centre})")
    columns = [[metadata.number(element, key) for element in elements] for key in (centre, width, gain, offset)]
    return Bands(*(np.array(column, np.float64) for column in columns))


def _check_level(path: Path, metadata_name: str, title: str) -> None:
    level = level_of(metadata_name)
    if level != "L2A":
        raise FileFormatError(
            f"{path}: is {title} of processing level {level}; of {title} only L2A (surface reflectance) is read, order "
            "that"
        )


def _flags(layer: Layer, files: ProductFiles, *, grid: tuple[int, int], count: int) -> list[Flag]:
    found = files.matching(rf".*-{layer.file}(?:_COG)?\.TIF")
    if not found:
        return []
    name = files.gdal(found[0])
    with opened(files, found[0]) as file:
        size: Any = file.shape
        bands = file.count
    on_grid(size, grid, where=str(files.place / found[0]))
    if layer.band is not None:
        return [Flag(layer.name, Plane(name, band=layer.band), values=layer.values)] if layer.band <= bands else []
    if bands == count:
        return [Flag(layer.name, Plane(name, band=i + 1), values=layer.values, band=i) for i in range(count)]
    return [Flag(layer.name, Plane(name), values=layer.values)]
