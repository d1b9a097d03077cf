"""GeoTIFF and the other raster formats of GDAL, window by window."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.georeference import georeferenced
from specdm.scenes.raster import Raster
from specdm.scenes.readers.band_tags import read_band_tags
from specdm.scenes.readers.gdal_missing import Missing, find_missing, read_bands
from specdm.scenes.readers.lazy import WindowedFile, lazy, one_line, window_chunks

_BLOCKS_CHECKED = 20_000


@dataclass(frozen=True)
class GdalFile(WindowedFile):
    """The bands of a GDAL raster.

    Attributes:
        bands: numbered from 1.
        missing: what is no data, and so NaN, other than by one value for all bands.
    """

    bands: tuple[int, ...] = ()
    missing: Missing | None = None

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        places, rows, columns = key
        window = ((rows.start, rows.stop), (columns.start, columns.stop))
        with open_quietly(self.path) as file:
            if self.missing is not None:
                return self.missing.read(file, places, window, self.dtype)
            return read_bands(file, self.bands[places], window, self.dtype)


def read_geotiff(path: Path) -> Raster:
    """A GeoTIFF, or another raster that GDAL opens.

    Band centres, widths, names and marks come from tags and descriptions (see `band_tags`). GDAL's scale and
    offset are reported in `attributes`, not applied, as GDAL itself does. Pixels that the file masks, and those that
    its alpha band makes transparent, are NaN; the alpha band is no band of the image. So are nodata values if bands
    have different ones.

    Raises:
        FileFormatError: damaged, truncated, or of complex numbers.
    """
    try:
        with open_quietly(path) as file:
            check_blocks(path, file)
            tags = read_band_tags(file)
            missing = find_missing(file, has_wavelengths=tags.wavelength is not None)
            values = gdal_values(path, file, missing)
            if missing.alpha is not None:
                tags = read_band_tags(file, missing.bands)
            places = [band - 1 for band in missing.bands]
            class_names, class_colors = _categories(file, missing.bands)
            nodata = None if missing.nodata is not None else file.nodatavals[places[0]]
            units = next((file.units[i] for i in places if file.units[i]), None)
            attributes: dict[str, Any] = {**tags.attributes}
            if missing.remark:
                attributes["alpha_remark"] = missing.remark
            scales, offsets = (tuple(numbers[i] for i in places) for numbers in (file.scales, file.offsets))
            if any(scale != 1 for scale in scales) or any(offset != 0 for offset in offsets):
                attributes["scale"] = _one_or_all(scales)
                attributes["offset"] = _one_or_all(offsets)
            return Raster(
                path=path,
                values=values,
                format="GeoTIFF" if file.driver == "GTiff" else f"GDAL {file.driver}",
                wavelength=tags.wavelength,
                fwhm=tags.fwhm,
                band_name=tags.band_name,
                good=tags.good,
                nodata=None if nodata is None else float(nodata),
                units=units,
                class_names=class_names,
                class_colors=class_colors,
                attributes=attributes,
            )
    except FileFormatError:
        raise
    except Exception as error:  # rasterio lets errors of several libraries through
        raise FileFormatError(
            f"{path}: cannot be read as a raster, it is damaged or truncated ({one_line(error)}); "
            "copy or download it again"
        ) from error


def open_quietly(path: Path | str, **options: Any) -> Any:
    """`rasterio.open` without its warning about files that are not georeferenced."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        return rasterio.open(path, **options)


def gdal_values(path: Path, file: Any, missing: Missing | None = None) -> xr.DataArray:
    """`(band, y, x)`, lazy and georeferenced, of an open rasterio file; floats if `missing` makes pixels NaN."""
    bands = tuple(file.indexes) if missing is None else missing.bands
    missing = missing if missing is not None and missing.anything else None
    dtypes = {np.dtype(file.dtypes[band - 1]) for band in bands}
    if any(dtype.kind == "c" for dtype in dtypes):
        raise FileFormatError(f"{path}: holds complex numbers; expected real ones (save its amplitude)")
    dtype = np.result_type(*dtypes, *([] if missing is None else [np.float32]))
    shape = (len(bands), file.height, file.width)
    block = file.block_shapes[0] if file.count else (1, 1)
    source = GdalFile(path=path, shape=shape, dtype=dtype, bands=bands, missing=missing)
    values = xr.DataArray(lazy(source, window_chunks(shape, dtype, block=block)), dims=("band", "y", "x"))
    return georeferenced(values, crs=file.crs, transform=file.transform)


def check_blocks(path: Path, file: Any) -> None:
    """Refuse a TIFF whose header promises blocks beyond the end of the file.

    Such a file opens without complaint; only reading would fail, perhaps after an hour of work.
    """
    if file.driver != "GTiff":
        return
    size = path.stat().st_size
    rows, columns = file.block_shapes[0]
    n_rows, n_columns = -(-file.height // rows), -(-file.width // columns)
    separate = file.interleaving is None or file.interleaving.name.lower() == "band"
    bands = range(1, file.count + 1) if separate else [1]
    places = [(x, y) for y in range(n_rows) for x in range(n_columns)]
    if len(places) * len(bands) > _BLOCKS_CHECKED:
        places = places[-max(1, _BLOCKS_CHECKED // len(bands)) :]  # files are mostly written front to back
    for band in bands:
        for x, y in places:
            start = file.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", band)
            length = file.get_tag_item(f"BLOCK_SIZE_{x}_{y}", "TIFF", band)
            if start is not None and length is not None and int(start) + int(length) > size:
                raise FileFormatError(
                    f"{path}: is truncated: band {band} needs {int(start) + int(length)} bytes, the file has "
                    f"{size}; copy or download it again"
                )


def _categories(file: Any, bands: tuple[int, ...]) -> tuple[dict[int, str], dict[int, str]]:
    """Names and colours of a single-band map of classes."""
    if len(bands) != 1:
        return {}, {}
    names: dict[int, str] = {}
    for key, text in file.tags(bands[0]).items():
        # written by many tools as one tag a value: "class_3=water"
        if key.lower().startswith("class_") and key[6:].lstrip("-").isdigit():
            names[int(key[6:])] = text
    try:
        table = file.colormap(bands[0])
    except ValueError:
        return names, {}
    grey = all(len(set(color[:3])) == 1 for color in table.values())
    colors = (
        {} if grey else {value: "#{:02x}{:02x}{:02x}".format(*color[:3]) for value, color in table.items()}
    )
    return names, colors


def _one_or_all(numbers: tuple[float, ...]) -> float | list[float]:
    return float(numbers[0]) if len(set(numbers)) == 1 else [float(n) for n in numbers]
