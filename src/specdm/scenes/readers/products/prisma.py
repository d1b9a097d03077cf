"""PRISMA L2D: one HDF-EOS5 file `PRS_L2D_STD_START_STOP_VERSION.he5`.

Layout: "PRISMA Products Specification Document" (ASI, issue 2.3, 2020-03-12). The two cubes of
`HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields` are stored as (row, band, column), wavelengths falling; bands that were not
acquired have the flag 0 in `List_Cw_*_Flags`, or the wavelength 0. Reflectance is L2Scale*Min + DN (L2Scale*Max -
L2Scale*Min) / 65535. Pixels beyond the scene are 0 in every band. The corners (`Product_ULcorner_easting` ...) are
centres of pixels of 30 m.

Bands are given from short to long waves. VNIR and SWIR overlap from about 940 to 980 nm; there the VNIR bands are kept
(as Vangi et al., Sensors 21(4), 2021, doi:10.3390/s21041182, do).

`*_PIXEL_L2_ERR_MATRIX` (one value a pixel and band): 0 good, 1 invalid in L1, 2 negative after the atmospheric
correction, 3 saturated after it. Cloud masks are part of L1 only. Bands in which hardly any pixel has a good value
(absorption by water vapour) are marked as bad; the product itself does not mark them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rasterio.transform import from_origin

from specdm.errors import FileFormatError
from specdm.scenes.georeference import georeferenced
from specdm.scenes.raster import Raster
from specdm.scenes.readers.lazy import WindowedFile, lazy, window_chunks
from specdm.scenes.readers.products.flags import chosen_flags, quality_facts
from specdm.scenes.readers.products.hdf5_parts import attribute, item, number, open_hdf5, text
from specdm.scenes.readers.products.metadata import day
from specdm.scenes.readers.products.options import ProductOptions

SWATH = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields"
PIXEL_METRES = 30.0
_DN_MAX = 65535
ERRORS = {"defective": (1,), "negative": (2,), "saturated": (3, 4)}
"""Values of the error matrices; EnMAP-Box knows 4 for saturated."""
DEFAULT = ("defective", "saturated")

BAD_SHARE = 0.9
"""A band is bad if more than this part of the pixels within the scene have no good value in it."""
_SAMPLED_ROWS = 40


@dataclass(frozen=True)
class _Cube:
    """Bands of one spectrometer that are used.

    Attributes:
        name: "VNIR" or "SWIR".
        bands: positions in the file, in rising order of wavelength.
        wavelength, fwhm: nm, `(band,)`.
        low, high: reflectance of DN 0 and of DN 65535.
    """

    name: str
    bands: tuple[int, ...]
    wavelength: np.ndarray
    fwhm: np.ndarray
    low: float
    high: float


@dataclass(frozen=True)
class PrismaImage(WindowedFile):
    """Reflectance `(band, y, x)` as float32, bands of all cubes; NaN beyond the scene and where errors are masked."""

    cubes: tuple[_Cube, ...] = ()
    errors: tuple[int, ...] = ()

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        wanted, rows, columns = key
        parts, outside = [], np.ones((rows.stop - rows.start, columns.stop - columns.start), bool)
        with open_hdf5(self.path) as file:
            for cube in self.cubes:
                stored = _window(file[f"{SWATH}/{cube.name}_Cube"], cube, rows, columns)
                outside &= (stored == 0).all(axis=0)
                values = stored.astype(np.float32) * np.float32((cube.high - cube.low) / _DN_MAX) + np.float32(cube.low)
                name = f"{SWATH}/{cube.name}_PIXEL_L2_ERR_MATRIX"
                if self.errors and name in file:
                    values[np.isin(_window(file[name], cube, rows, columns), self.errors)] = np.nan
                parts.append(values)
        image = np.concatenate(parts)
        image[:, outside] = np.nan
        return image[wanted]


def _window(stored: Any, cube: _Cube, rows: slice, columns: slice) -> np.ndarray:
    """Bands of a cube `(band, y, x)` from a dataset of (row, band, column); HDF5 is slow to pick single bands."""
    return stored[rows, :, columns][:, list(cube.bands)].transpose(1, 0, 2)


def read(path: Path, options: ProductOptions) -> Raster:
    """The raster of a product; see `read_product`."""
    with open_hdf5(path) as file:
        _check_level(file)
        vnir, swir = _cube(file, "Vnir"), _cube(file, "Swir")
        swir, overlapping = _without_overlap(swir, vnir)
        cubes = tuple(cube for cube in (vnir, swir) if cube.bands)
        rows, _, columns = item(file, f"{SWATH}/VNIR_Cube").shape
        rows_together = (file[f"{SWATH}/VNIR_Cube"].chunks or (1,))[0]
        if item(file, f"{SWATH}/SWIR_Cube").shape[::2] != (rows, columns):
            raise FileFormatError(f"{path}: VNIR and SWIR cube differ in size; it is damaged, download it again")
        there = list(ERRORS) if f"{SWATH}/VNIR_PIXEL_L2_ERR_MATRIX" in file else []
        taken = chosen_flags(options, default=DEFAULT, there=there)
        good = np.concatenate([_good(file, cube) for cube in cubes])
        crs = f"EPSG:{int(number(file, 'Epsg_Code'))}"
        west, north = (number(file, f"Product_ULcorner_{axis}") for axis in ("easting", "northing"))
        date = day(text(file, "Product_StartTime"), where=path)
    wavelength = np.concatenate([cube.wavelength for cube in cubes])
    errors = tuple(value for name in taken for value in ERRORS[name])
    size = (wavelength.size, int(rows), int(columns))
    source = PrismaImage(
        path=path, shape=size, dtype=np.dtype(np.float32), cubes=cubes, errors=errors
    )
    # the file stores bands between rows and columns, so whole rows are read
    chunks = window_chunks(size, source.dtype, block=(rows_together, columns))
    values = xr.DataArray(lazy(source, chunks), dims=("band", "y", "x"))
    transform = from_origin(west - PIXEL_METRES / 2, north + PIXEL_METRES / 2, PIXEL_METRES, PIXEL_METRES)
    facts = [f"PRISMA L2D of {date}: surface reflectance, scale of each cube applied"]
    if overlapping:
        facts.append(f"{overlapping} SWIR bands within the VNIR range are left out")
    facts += quality_facts(
        options, taken=taken, there=there, shares={},
        layers="the pixel error matrices" if there else "the file has no pixel error matrix",
    )  # fmt: skip
    facts.append("L2D has no cloud mask; that is part of the L1 product")
    return Raster(
        path=path,
        values=georeferenced(values, crs=crs, transform=transform),
        format="PRISMA L2D",
        wavelength=wavelength,
        fwhm=np.concatenate([cube.fwhm for cube in cubes]),
        band_name=tuple(f"{cube.name} {band + 1}" for cube in cubes for band in cube.bands),
        good=good,
        units="reflectance",
        product="PRISMA L2D",
        date=date,
        facts=facts,
    )


def _check_level(file: Any) -> None:
    swaths = [str(name) for name in file["HDFEOS/SWATHS"]]
    if "PRS_L2D_HCO" in swaths:
        return
    level = next((name.split("_")[1] for name in swaths if name.startswith("PRS_L")), "unknown")
    raise FileFormatError(
        f"{file.filename}: is PRISMA of processing level {level}; of PRISMA only L2D (reflectance on a map grid) is "
        "read, order that"
    )


def _cube(file: Any, name: str) -> _Cube:
    """The bands of a spectrometer that were acquired."""
    centres, widths = (
        np.asarray(attribute(file, f"List_{what}_{name}"), np.float64) for what in ("Cw", "Fwhm")
    )
    count = item(file, f"{SWATH}/{name.upper()}_Cube").shape[1]
    if not centres.size == widths.size == count:
        raise FileFormatError(
            f"{file.filename}: lists {centres.size} wavelengths and {widths.size} widths for the {count} bands of "
            f"{name.upper()}_Cube; it is damaged, download it again"
        )
    key = f"List_Cw_{name}_Flags"
    acquired = centres > 0
    if key in file.attrs:
        acquired &= np.asarray(attribute(file, key)) != 0
    bands = [int(i) for i in np.argsort(centres, kind="stable") if acquired[i]]
    return _Cube(
        name=name.upper(),
        bands=tuple(bands),
        wavelength=centres[bands],
        fwhm=widths[bands],
        low=number(file, f"L2Scale{name}Min"),
        high=number(file, f"L2Scale{name}Max"),
    )


def _without_overlap(swir: _Cube, vnir: _Cube) -> tuple[_Cube, int]:
    """The SWIR bands beyond the last VNIR band, and how many were not."""
    kept = np.flatnonzero(swir.wavelength > vnir.wavelength.max(initial=0.0))
    bands = tuple(swir.bands[i] for i in kept)
    cube = _Cube(swir.name, bands, swir.wavelength[kept], swir.fwhm[kept], swir.low, swir.high)
    return cube, len(swir.bands) - len(bands)


def _good(file: Any, cube: _Cube) -> np.ndarray:
    """False for bands in which hardly any pixel within the scene has a good value, told by rows all over it."""
    stored = file[f"{SWATH}/{cube.name}_Cube"]
    rows = np.unique(np.linspace(0, stored.shape[0] - 1, _SAMPLED_ROWS).astype(int))
    name = f"{SWATH}/{cube.name}_PIXEL_L2_ERR_MATRIX"
    lacking, inside = np.zeros(len(cube.bands)), 0
    for row in rows:
        values = stored[row][list(cube.bands)]
        within = (values != 0).any(axis=0)
        bad = values == 0
        if name in file:
            bad |= file[name][row][list(cube.bands)] != 0
        lacking += bad[:, within].sum(axis=1)
        inside += int(within.sum())
    return lacking <= BAD_SHARE * max(1, inside)
