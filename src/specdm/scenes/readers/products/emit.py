"""EMIT L2A: a NetCDF `EMIT_L2A_RFL_VERSION_TIME_ORBIT_SCENE.nc`, with quality in `EMIT_L2A_MASK_...` beside it.

Layout: "EMIT L2A Estimated Surface Reflectance and Uncertainty and Masks, Product User Guide" (EMITL2ARFL, version
001, LP DAAC), and the mask layers of version 002 ("EMIT L2A Mask" ATBD, SpecTf-Cloud). `reflectance` is stored as
(downtrack, crosstrack, bands) with -9999 as fill. `location/glt_x` and `glt_y` say, for each pixel of the map grid,
which column and row of it lies there, counted from 1, 0 for none; `geotransform` and `spatial_ref` of the file are
those of that grid. The image is put on it by that table, which is the nearest measured pixel: some are repeated, some
left out.

With `variable="reflectance"` the image stays as it was measured, without a place. `good_wavelengths` marks bands in the
absorption by water vapour as bad. `band_mask` of the mask file (values interpolated in the spectrum) is not used.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from rasterio import Affine

from specdm.errors import FileFormatError
from specdm.scenes.georeference import georeferenced
from specdm.scenes.raster import Raster
from specdm.scenes.readers.lazy import WindowedFile, lazy, window_chunks
from specdm.scenes.readers.products.flags import chosen_flags, quality_facts
from specdm.scenes.readers.products.hdf5_parts import attribute, item, open_hdf5, text
from specdm.scenes.readers.products.metadata import day
from specdm.scenes.readers.products.options import ProductOptions
from specdm.scenes.wavelengths import to_nanometres

ARRAY = "reflectance"
FILL = -9999.0
LAYERS = {
    "cloud flag": "cloud", "spectf-cloud flag": "cloud", "dilated cloud flag": "cloud_edge", "cirrus flag": "cirrus",
    "water flag": "water", "spacecraft flag": "defective",
}  # fmt: skip
"""Names of mask layers, in any case of letters, that are flags; others are amounts, or sums of these."""
DEFAULT = ("cloud", "cloud_edge", "cirrus", "defective")

_MAP_BLOCK = (64, 64)
"""Rows and columns of the map grid that are read together: square, as little else of the swath is read with them."""

_NAME = re.compile(r"EMIT_L2A_RFL_\d+_(?P<scene>\d{8}T\d{6}_\d+_\d+).*\.nc", re.IGNORECASE)


@dataclass(frozen=True)
class EmitImage(WindowedFile):
    """Reflectance `(band, y, x)` as float32, NaN where the table has no pixel, at fill, and where masked.

    Attributes:
        mapped: whether on the map grid, else as measured.
        mask_file: of quality layers, or None.
        mask_layers: positions of those that mark a pixel.
    """

    mapped: bool = True
    mask_file: Path | None = None
    mask_layers: tuple[int, ...] = ()

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        bands, rows, columns = key
        with open_hdf5(self.path) as file:
            if not self.mapped:
                return self._measured(file, bands, rows, columns)
            x, y = (np.asarray(file[f"location/glt_{axis}"][rows, columns], np.int64) - 1 for axis in ("x", "y"))
            image = np.full((bands.stop - bands.start, *x.shape), np.nan, np.float32)
            there = (x >= 0) & (y >= 0)
            if there.any():
                top, left = int(y[there].min()), int(x[there].min())
                area = slice(top, int(y[there].max()) + 1), slice(left, int(x[there].max()) + 1)
                image[:, there] = self._measured(file, bands, *area)[:, y[there] - top, x[there] - left]
        return image

    def _measured(self, file: Any, bands: slice, rows: slice, columns: slice) -> np.ndarray:
        values = np.asarray(file[ARRAY][rows, columns, bands], np.float32).transpose(2, 0, 1).copy()
        values[values == FILL] = np.nan
        if self.mask_file is not None and self.mask_layers:
            with open_hdf5(self.mask_file) as mask:
                marked = _marked(mask["mask"][rows, columns, :], self.mask_layers)
            values[:, marked] = np.nan
        return values


def read(path: Path, options: ProductOptions, *, mapped: bool = True) -> Raster:
    """The raster of a product; see `read_product`.

    Args:
        mapped: put on the map grid by the table; else as measured.
    """
    with open_hdf5(path) as file:
        if ARRAY not in file:
            raise FileFormatError(
                f"{path}: is EMIT radiance (L1B); of EMIT only L2A reflectance (EMIT_L2A_RFL_...) is read, get that"
            )
        shape, stored = item(file, ARRAY).shape, item(file, ARRAY).chunks
        wavelength, fwhm, good = _bands(file, shape[2])
        date = day(text(file, "time_coverage_start"), where=path)
        grid, place = shape[:2], None
        if mapped:
            grid = item(file, "location/glt_x").shape
            item(file, "location/glt_y")
            numbers = np.ravel(attribute(file, "geotransform")).astype(float)
            place = (text(file, "spatial_ref"), Affine.from_gdal(*numbers))
    mask_file, layers, why = _mask(path, shape[:2])
    there = list(dict.fromkeys(layers.values()))
    taken = chosen_flags(options, default=DEFAULT, there=there)
    used = tuple(position for position, name in layers.items() if name in taken)
    size = (int(shape[2]), int(grid[0]), int(grid[1]))
    source = EmitImage(
        path=path, shape=size, dtype=np.dtype(np.float32), mapped=mapped,
        mask_file=mask_file if used else None, mask_layers=used,
    )  # fmt: skip
    # the map grid is rotated against the swath, so blocks of the file say nothing of it
    block = None if stored is None else (stored[0], stored[1])
    chunks = window_chunks(size, source.dtype, block=_MAP_BLOCK if mapped else block)
    values = xr.DataArray(lazy(source, chunks), dims=("band", "y", "x"))
    if place is not None:
        values = georeferenced(values, crs=place[0], transform=place[1])
    on = "on the map grid by its lookup table (nearest)" if mapped else "as measured, not on the map grid"
    facts = [
        f"EMIT L2A of {date}: surface reflectance, {on}",
        *quality_facts(
            options, taken=taken, there=there, shares=_shares(mask_file, layers, taken), layers=why,
        ),
    ]  # fmt: skip
    return Raster(
        path=path,
        values=values,
        format="EMIT L2A",
        wavelength=wavelength,
        fwhm=fwhm,
        good=good,
        nodata=None,
        units="reflectance",
        product="EMIT L2A",
        date=date,
        facts=facts,
    )


def _bands(file: Any, count: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Centres and widths in nm, and marks."""
    group = "sensor_band_parameters"
    centres = item(file, f"{group}/wavelengths")
    unit = centres.attrs.get("units", "nm")
    unit = unit.decode() if isinstance(unit, bytes) else str(unit)
    wavelength, _ = to_nanometres(centres[()], unit)
    if wavelength is None or wavelength.size != count:
        raise FileFormatError(f"{file.filename}: has no wavelength for each of its {count} bands; download it again")
    fwhm = None
    if f"{group}/fwhm" in file:
        fwhm, _ = to_nanometres(file[f"{group}/fwhm"][()], unit, width_of=np.asarray(centres[()], np.float64))
    name = f"{group}/good_wavelengths"
    return wavelength, fwhm, np.asarray(file[name][()]) != 0 if name in file else None


def _mask(path: Path, grid: tuple[int, int]) -> tuple[Path | None, dict[int, str], str]:
    """The mask file beside the image, its layers that are flags (position -> flag), and what to call it."""
    match = _NAME.fullmatch(path.name)
    if match is None:
        return None, {}, "the file is not named as delivered, so its EMIT_L2A_MASK file was not looked for"
    found = sorted(path.parent.glob(f"EMIT_L2A_MASK_*_{match['scene']}*.nc"))
    if not found:
        return None, {}, f"EMIT_L2A_MASK_..._{match['scene']}.nc is not beside the file"
    with open_hdf5(found[-1]) as file:
        names = [_plain(name) for name in np.ravel(item(file, "sensor_band_parameters/mask_bands")[()])]
        if item(file, "mask").shape != (*grid, len(names)):
            raise FileFormatError(f"{found[-1]}: does not fit {path.name}; it is of another scene, or damaged")
    layers = {i: LAYERS[name.lower()] for i, name in enumerate(names) if name.lower() in LAYERS}
    return found[-1], layers, found[-1].name


def _plain(name: Any) -> str:
    return (name.decode("utf-8", errors="replace") if isinstance(name, bytes) else str(name)).strip()


def _marked(values: np.ndarray, layers: Sequence[int]) -> np.ndarray:
    """Pixels `(y, x)` that one of the layers of `(y, x, layer)` marks."""
    return np.asarray((values[..., list(layers)] > 0).any(axis=-1))


def _shares(mask_file: Path | None, layers: dict[int, str], taken: Sequence[str]) -> dict[str, float]:
    """Share of the measured pixels that each flag marks."""
    if mask_file is None or not taken:
        return {}
    with open_hdf5(mask_file) as mask:
        values = mask["mask"][...]
    return {
        name: float(_marked(values, [i for i, own in layers.items() if own == name]).mean()) for name in taken
    }
