"""Landsat Collection 2 Level 2: a folder (or tar) with `..._MTL.json` (txt, xml), `..._SR_B1.TIF` and `..._QA_*.TIF`.

Layout: "Landsat 8-9 Collection 2 Level 2 Science Product Guide" (USGS LSDS-1619, version 6) and "Landsat 4-7 Collection
2 Level 2 Science Product Guide" (LSDS-1618, version 4); QA bits: "Landsat 8-9 Collection 2 Level 1 Data Format Control
Book" (LSDS-1822) and its twin for Landsat 4-7 (LSDS-1414, LSDS-1415). Reflectance is DN * 0.0000275 - 0.2 as the MTL
states for each band; DN 0 is fill. The surface temperature (ST_B10, ST_B6) is another quantity and not part of the
image.

Files do not state wavelengths. Centres and widths of OLI are those of Barsi et al., "The Spectral Response of the
Landsat-8 Operational Land Imager", Remote Sensing 6(10), 2014, doi:10.3390/rs61010232; those of TM and ETM+ are the
middles and widths of the bands that the product guide gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.products.detect import files_of
from specdm.scenes.readers.products.files import ProductFiles
from specdm.scenes.readers.products.flags import chosen_flags, flag_shares, quality_facts
from specdm.scenes.readers.products.landsat_mtl import read_mtl
from specdm.scenes.readers.products.metadata import day
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.readers.products.planes import Band, Flag, opened, plane_image, plane_of

# centre and full width at half maximum in nm, by number of band
Centres = dict[int, tuple[float, float]]
_OLI: Centres = {
    1: (442.96, 15.98), 2: (482.04, 60.04), 3: (561.41, 57.33), 4: (654.59, 37.47), 5: (864.67, 28.25),
    6: (1608.86, 84.72), 7: (2200.73, 186.66),
}  # fmt: skip
_ETM: Centres = {1: (485, 70), 2: (560, 80), 3: (660, 60), 4: (835, 130), 5: (1650, 200), 7: (2220, 260)}
_TM: Centres = {1: (485, 70), 2: (560, 80), 3: (660, 60), 4: (830, 140), 5: (1650, 200), 7: (2215, 270)}
_SENSORS = {"LANDSAT_9": _OLI, "LANDSAT_8": _OLI, "LANDSAT_7": _ETM, "LANDSAT_5": _TM, "LANDSAT_4": _TM}

_BITS = {"cloud": 3, "cloud_edge": 1, "cirrus": 2, "shadow": 4, "snow": 5, "water": 7}
"""Bits of QA_PIXEL; cirrus is there for OLI only."""
_DROPPED = 9
"""Bit of QA_RADSAT of Landsat 4 to 7: the detector did not see the pixel."""
DEFAULT = ("cloud", "cloud_edge", "cirrus", "shadow", "saturated", "defective")
FILL = 0.0
LEVELS = ("L2SP", "L2SR")


def read(path: Path, options: ProductOptions) -> Raster:
    """The raster of a product; see `read_product`."""
    files = files_of(path, "landsat")
    mtl_name, mtl = _mtl(files)
    where = files.place / mtl_name
    content, image = mtl.get("PRODUCT_CONTENTS", {}), mtl.get("IMAGE_ATTRIBUTES", {})
    level = content.get("PROCESSING_LEVEL", "unknown")
    if level not in LEVELS or content.get("COLLECTION_NUMBER", "02") != "02":
        raise FileFormatError(
            f"{where}: is of processing level {level}, collection {content.get('COLLECTION_NUMBER', 'unknown')}; of "
            "Landsat, Collection 2 Level 2 (L2SP, L2SR) is read, order that"
        )
    spacecraft = image.get("SPACECRAFT_ID", "unknown")
    if spacecraft not in _SENSORS:
        raise FileFormatError(f"{where}: is of {spacecraft}; expected one of {', '.join(_SENSORS)}")
    table = _SENSORS[spacecraft]
    names = {number: _named(files, rf".*_SR_B{number}\.TIF", f"band {number}") for number in table}
    with opened(files, names[2]) as file:
        grid, crs, transform = file.shape, file.crs, file.transform
    factors = mtl.get("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", {})
    bands = [
        Band(
            plane_of(files, names[number], grid),
            scale=_factor(factors, f"REFLECTANCE_MULT_BAND_{number}", where),
            offset=_factor(factors, f"REFLECTANCE_ADD_BAND_{number}", where),
            invalid=(FILL,),
        )
        for number in table
    ]
    flags = _flags(files, list(table), grid, cirrus=table is _OLI)
    there = list(dict.fromkeys(flag.name for flag in flags))
    taken = chosen_flags(options, default=DEFAULT, there=there)
    used = [flag for flag in flags if flag.name in taken]
    date = day(image.get("DATE_ACQUIRED"), where=where)
    title = f"{spacecraft.replace('_', ' ').title()} Collection 2 {level}"
    facts = [
        f"{title} of {date}: surface reflectance, scale {bands[0].scale:g} and offset {bands[0].offset:g} applied",
        *quality_facts(
            options, taken=taken, there=there, shares=flag_shares(used),
            layers="QA_PIXEL and QA_RADSAT" if there else "the product's QA files are not there",
        ),
    ]  # fmt: skip
    if files.matching(r".*_ST_B\d+\.TIF"):
        facts.append("surface temperature is another quantity and no part of the image")
    return Raster(
        path=path,
        values=plane_image(path, bands, used, grid=grid, crs=crs, transform=transform),
        format=title,
        wavelength=np.array([centre for centre, _ in table.values()], np.float64),
        fwhm=np.array([width for _, width in table.values()], np.float64),
        band_name=tuple(f"B{number}" for number in table),
        units="reflectance",
        product=title,
        date=date,
        facts=facts,
    )


def _mtl(files: ProductFiles) -> tuple[str, dict[str, dict[str, str]]]:
    """The metadata from the file that is there: JSON, XML or text, which say the same."""
    for ending in ("json", "xml", "txt"):
        found = files.matching(rf".*_MTL\.{ending}")
        if found:
            return found[0], read_mtl(files.read(found[0]), where=files.place / found[0])
    raise FileFormatError(
        f"{files.path}: the metadata (*_MTL.json, *_MTL.xml or *_MTL.txt) are missing; download the product whole"
    )


def _named(files: ProductFiles, pattern: str, what: str) -> str:
    found = files.matching(pattern)
    if not found:
        raise FileFormatError(f"{files.path}: the file of {what} is missing; download the product again, whole")
    return found[0]


def _factor(factors: Mapping[str, str], key: str, where: Path) -> float:
    try:
        return float(factors[key])
    except (KeyError, ValueError):
        raise FileFormatError(f"{where}: has no number {key}; download the product again") from None


def _flags(files: ProductFiles, numbers: list[int], grid: tuple[int, int], *, cirrus: bool) -> list[Flag]:
    pixel, saturated = files.matching(r".*_QA_PIXEL\.TIF"), files.matching(r".*_QA_RADSAT\.TIF")
    flags = []
    if pixel:
        plane = plane_of(files, pixel[0], grid)
        flags += [Flag(name, plane, bits=1 << bit) for name, bit in _BITS.items() if cirrus or name != "cirrus"]
    if saturated:
        plane = plane_of(files, saturated[0], grid)
        # bit 0 is band 1, and so on, for all sensors
        flags += [Flag("saturated", plane, bits=1 << (n - 1), band=i) for i, n in enumerate(numbers)]
        flags += [] if cirrus else [Flag("defective", plane, bits=1 << _DROPPED)]
    return flags
