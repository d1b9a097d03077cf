"""Sentinel-2 Level-1C and Level-2A in SAFE: a folder (or zip) with `MTD_MSIL2A.xml` and one JPEG 2000 file a band.

Layout: "Sentinel-2 Products Specification Document" (S2-PDGS-TAS-DI-PSD, issue 14.9 and 15), compact naming since
December 2016, one tile a product. Reflectance is (DN + offset) / quantification value; the offsets (BOA_ADD_OFFSET,
RADIO_ADD_OFFSET) are there from processing baseline 04.00 on. DN 0 is nodata, 65535 is saturated (Special_Values).

GDAL's own SENTINEL2 driver finds the same files, but applies neither offsets nor quality layers and gives one
resolution at a time, so the files are read directly.

Clouds: Level-2A by the scene classification SCL, Level-1C by `MSK_CLASSI_B00.jp2` (from baseline 04.00 on; the GML
masks before are not read).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

import numpy as np
from rasterio import Affine

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.files import ProductFiles, product_files
from specdm.scenes.readers.products.flags import chosen_flags, flag_shares, quality_facts
from specdm.scenes.readers.products.metadata import Metadata, day
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.readers.products.planes import Band, Flag, opened, plane_image, plane_of
from specdm.scenes.sensors import SENSORS, normalised_band

RESOLUTIONS = (10, 20, 60)
DEFAULT_RESOLUTION = 20
_NATIVE = dict.fromkeys(("B02", "B03", "B04", "B08"), 10) | dict.fromkeys(("B01", "B09", "B10"), 60)
"""Metres of the bands that do not have 20."""

# Scene classification of Level-2A: 0 no data, 2 dark area, 4 vegetation, 5 bare, 7 unclassified.
_SCL = {
    "cloud": (8, 9), "cirrus": (10,), "shadow": (3,), "saturated": (1,), "snow": (11,), "water": (6,), "dark": (2,),
}  # fmt: skip
_CLASSI = {"cloud": 1, "cirrus": 2, "snow": 3}
"""Bands of the classification mask of Level-1C."""
DEFAULT = ("cloud", "cirrus", "shadow", "saturated")

_BAND_FILE = re.compile(r".*_(?P<band>B\d[\dA])(?:_(?P<metres>\d\d)m)?\.jp2", re.IGNORECASE)
Level = Literal["L1C", "L2A"]


@dataclass(frozen=True)
class _Radiometry:
    """What the metadata say of a band."""

    name: str
    wavelength: float
    fwhm: float
    offset: float


def read(path: Path, options: ProductOptions) -> Raster:
    """The raster of a product; see `read_product`. Band files of other pixel sizes are brought to one grid.

    Raises:
        FileFormatError: besides, an unknown resolution or a product of several tiles.
    """
    metres = DEFAULT_RESOLUTION if options.resolution is None else options.resolution
    if metres not in RESOLUTIONS:
        raise FileFormatError(f"{path}: resolution={metres} is none of Sentinel-2's; expected 10, 20 or 60 (metres)")
    files, level, metadata = _metadata(path)
    bands, scale = _radiometry(metadata, level)
    sources = {band.name: _source(files, band.name, metres) for band in bands}
    reference = _reference(files, sources, metres)
    with opened(files, reference) as file:
        step = max(1, round(metres / file.res[0]))
        if file.height % step or file.width % step:
            size = f"{file.height} x {file.width} px of {file.res[0]:g} m"
            raise FileFormatError(f"{path}: {size} make no grid of {metres} m; choose another resolution=")
        grid, crs = (file.height // step, file.width // step), file.crs
        place = file.transform
        transform = Affine(place.a * step, place.b * step, place.c, place.d * step, place.e * step, place.f)
    nodata, saturated = _special(metadata)
    image = [
        Band(
            plane_of(files, sources[band.name][0], grid), scale=1 / scale, offset=band.offset / scale, invalid=(nodata,)
        )
        for band in bands
    ]
    flags = _flags(files, level, grid)
    there = list(dict.fromkeys([*(flag.name for flag in flags), "saturated"]))
    taken = chosen_flags(options, default=DEFAULT, there=there)
    if "saturated" in taken:
        image = [Band(band.plane, band.scale, band.offset, (nodata, saturated)) for band in image]
    used = [flag for flag in flags if flag.name in taken]
    date = day(metadata.text(".//PRODUCT_START_TIME"), where=metadata.where)
    layers = {"L2A": "the scene classification", "L1C": "MSK_CLASSI_B00"}[level]
    layers = layers if flags else f"their value ({layers} is not there, so clouds are not known)"
    facts = [
        _product_fact(metadata, level, date, bands),
        _resampling(sources, metres),
        *quality_facts(options, taken=taken, there=there, shares=flag_shares(used), layers=layers),
    ]
    return Raster(
        path=path,
        values=plane_image(path, image, used, grid=grid, crs=crs, transform=transform),
        format=f"Sentinel-2 {level}",
        wavelength=np.array([band.wavelength for band in bands]),
        fwhm=np.array([band.fwhm for band in bands]),
        band_name=tuple(band.name for band in bands),
        units="reflectance" if level == "L2A" else "top-of-atmosphere reflectance",
        product=f"Sentinel-2 {level}",
        date=date,
        facts=facts,
    )


def _metadata(path: Path) -> tuple[ProductFiles, Level, Metadata]:
    """The files of the product, its level and its metadata."""
    folder = path if path.suffix.lower() != ".xml" else path.parent
    files = product_files(folder, ids=[], named="")
    found = files.matching(r"MTD_MSIL\w\w\.xml")
    if not found and files.matching(r"S2\w_.*_MTD_\w+\.xml"):
        raise FileFormatError(
            f"{path}: is a Sentinel-2 product in the naming of before December 2016, perhaps with several tiles; "
            "expected one with MTD_MSIL1C.xml or MTD_MSIL2A.xml, download it anew"
        )
    if len(found) > 1:
        raise FileFormatError(f"{path}: holds {len(found)} products ({', '.join(found[:3])}); name the folder of one")
    name = files.one(r"MTD_MSIL\w\w\.xml", what="the metadata")
    level = name[-len("L2A.xml") : -len(".xml")].upper()
    if level not in ("L1C", "L2A"):
        raise FileFormatError(f"{path}: is Sentinel-2 of processing level {level}; Level-1C and Level-2A are read")
    inner = name.rsplit("/", 1)[0] + "/" if "/" in name else ""
    files = ProductFiles(path, files.place, tuple(n for n in files.names if n.startswith(inner)))
    return files, "L1C" if level == "L1C" else "L2A", Metadata(files, name)


def _radiometry(metadata: Metadata, level: Level) -> tuple[list[_Radiometry], float]:
    """The bands that the product has, and the quantification value."""
    quantification = metadata.text(".//BOA_QUANTIFICATION_VALUE" if level == "L2A" else ".//QUANTIFICATION_VALUE")
    if quantification is None:
        raise metadata.lacks("quantification value")
    tag = "BOA_ADD_OFFSET" if level == "L2A" else "RADIO_ADD_OFFSET"
    offsets = {element.get("band_id", ""): float(element.text or 0) for element in metadata.elements(f".//{tag}")}
    bands = [
        _band(metadata, element, offsets) for element in metadata.elements(".//Spectral_Information_List/*")
    ]
    if not bands:
        raise metadata.lacks("wavelengths (Spectral_Information_List)")
    # cirrus is used up by the atmospheric correction: Level-2A has no file of it
    return [band for band in bands if level == "L1C" or band.name != "B10"], float(quantification)


def _band(metadata: Metadata, element: Element, offsets: Mapping[str, float]) -> _Radiometry:
    name = normalised_band(element.get("physicalBand", ""))
    nominal = next((band for band in SENSORS["sentinel2"] if band.name == name), None)
    if nominal is None:
        raise FileFormatError(f"{metadata.where}: describes a band {element.get('physicalBand')!r}; expected B1 to B12")
    return _Radiometry(
        name=name,
        wavelength=metadata.number(element, "Wavelength/CENTRAL"),
        fwhm=_width(element) or nominal.fwhm,
        offset=offsets.get(element.get("bandId", ""), 0.0),
    )


def _width(element: Element) -> float | None:
    """Full width at half maximum of the spectral response, nm; Wavelength/MIN and MAX are where it ends altogether."""
    text, step = element.findtext("Spectral_Response/VALUES"), element.findtext("Spectral_Response/STEP")
    try:
        response = np.array((text or "").split(), np.float64)
        high = np.flatnonzero(response >= response.max() / 2)
        return float((high[-1] - high[0] + 1) * float(step or 1))
    except ValueError:
        return None


def _special(metadata: Metadata) -> tuple[float, float]:
    """Stored values of nodata and of saturation."""
    values = {
        (element.findtext("SPECIAL_VALUE_TEXT") or "").strip(): element.findtext("SPECIAL_VALUE_INDEX")
        for element in metadata.elements(".//Special_Values")
    }
    return float(values.get("NODATA") or 0), float(values.get("SATURATED") or 65535)


def _source(files: ProductFiles, band: str, metres: int) -> tuple[str, int]:
    """File of a band and its pixel size in metres: as asked for, else finer (the next), else coarser (the next)."""
    there = {}
    for name in files.names:
        match = _BAND_FILE.fullmatch(name)
        if match is not None and "/IMG_DATA/" in f"/{name}" and match["band"].upper() == band:
            there[int(match["metres"] or _NATIVE.get(band, 20))] = name
    if not there:
        raise FileFormatError(f"{files.path}: the file of band {band} is missing; download the product again, whole")
    chosen = min(there, key=lambda size: (size > metres, abs(size - metres)))
    return there[chosen], chosen


def _reference(files: ProductFiles, sources: Mapping[str, tuple[str, int]], metres: int) -> str:
    """A file whose pixels make the grid: the coarsest that is not coarser than it."""
    fine = [(size, name) for name, size in sources.values() if size <= metres]
    if not fine:
        raise FileFormatError(f"{files.path}: has no band of {metres} m or finer; choose resolution=60")
    return max(fine)[1]


def _flags(files: ProductFiles, level: Level, grid: tuple[int, int]) -> list[Flag]:
    if level == "L2A":
        found = files.matching(r".*_SCL_20m\.jp2") or files.matching(r".*_SCL_60m\.jp2")
        plane = plane_of(files, found[0], grid) if found else None
        return [] if plane is None else [Flag(name, plane, values=values) for name, values in _SCL.items()]
    found = files.matching(r"MSK_CLASSI_B00\.jp2")
    return [Flag(name, plane_of(files, found[0], grid, band=band)) for name, band in _CLASSI.items()] if found else []


def _product_fact(metadata: Metadata, level: Level, date: str, bands: list[_Radiometry]) -> str:
    baseline = metadata.text(".//PROCESSING_BASELINE") or "unknown"
    offsets = sorted({band.offset for band in bands})
    offset = f"{offsets[0]:+g}" if len(offsets) == 1 else f"{offsets[0]:+g} to {offsets[-1]:+g}"
    what = "surface" if level == "L2A" else "top-of-atmosphere"
    return f"Sentinel-2 {level} of {date}, baseline {baseline}: {what} reflectance, offset {offset} and scale applied"


def _resampling(sources: Mapping[str, tuple[str, int]], metres: int) -> str:
    averaged = [name for name, (_, size) in sources.items() if size < metres]
    repeated = [f"{name} ({size} m)" for name, (_, size) in sources.items() if size > metres]
    parts = [f"averaged: {', '.join(averaged)}"] if averaged else []
    parts += [f"pixels repeated: {', '.join(repeated)}"] if repeated else []
    return f"grid of {metres} m" + (f"; {'; '.join(parts)}" if parts else "; all bands have files of it")
