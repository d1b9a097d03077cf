"""What is in a file, for someone who has just been handed it: `specdm info`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.scenes.bands import find_problem_bands
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.labels import MOST_CLASSES
from specdm.scenes.raster import Raster
from specdm.scenes.readers import read_raster

WHOLE_BYTES = 200 * 2**20
"""Files up to this size are looked at whole, larger ones by windows."""

_WINDOW = 64
_WINDOWS_A_SIDE = 5


@dataclass(frozen=True)
class FileDescription:
    """What a file holds.

    Attributes:
        path: the file.
        format: what kind of file it is, in words.
        shape: rows, columns, bands of the array that would be taken.
        dtype: type of the stored values.
        n_bands: number of bands.
        wavelength_range: first and last band centre in nm, or None if unknown.
        band_names: names of the bands; empty if the file gives none.
        georeference: coordinate system and pixel size, or None.
        value_range: least and greatest valid value, as stored; None if there is none.
        nodata: stored value that means "no data", or None.
        units: unit of the values, or None.
        classes: value -> (name or "", pixels) if the file looks like a mask, else None.
        variables: other arrays in the file, name -> shape.
        variable: the array described, where the file holds several.
        sampled: whether only windows of the values were looked at, so that counts and problems are partial.
        problems: one line each.
        attributes: other things the file states.
        date: day of acquisition that a sensor product states, or None.
        facts: what is done in reading a sensor product, one line each.
    """

    path: Path
    format: str
    shape: tuple[int, int, int]
    dtype: str
    n_bands: int
    wavelength_range: tuple[float, float] | None = None
    band_names: tuple[str, ...] = ()
    georeference: str | None = None
    value_range: tuple[float, float] | None = None
    nodata: float | None = None
    units: str | None = None
    classes: dict[int, tuple[str, int]] | None = None
    variables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    variable: str | None = None
    sampled: bool = False
    problems: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    date: str | None = None
    facts: list[str] = field(default_factory=list)


def describe_file(path: str | Path, **options: Any) -> FileDescription:
    """Describe one image or mask file; cheap for large ones, whose values are looked at in 25 windows.

    Args:
        path: the file.
        options: as for `read_raster`.

    Raises:
        FileFormatError: the file cannot be read.
    """
    raster = read_raster(path, **options)
    rows, columns = raster.grid
    sampled = raster.values.size * raster.values.dtype.itemsize > WHOLE_BYTES
    values = _windows(raster.values) if sampled else raster.values.compute()
    numbers = as_float(raster, values, ImageOptions())
    classes = _classes(raster, values)
    low, high = _range(numbers)
    return FileDescription(
        path=raster.path,
        format=raster.format,
        shape=(rows, columns, raster.n_bands),
        dtype=str(raster.values.dtype),
        n_bands=raster.n_bands,
        wavelength_range=None
        if raster.wavelength is None
        else (float(raster.wavelength.min()), float(raster.wavelength.max())),
        band_names=raster.band_name or (),
        georeference=_georeference(raster.values),
        value_range=None if low is None or high is None else (low, high),
        nodata=raster.nodata,
        units=raster.units,
        classes=classes,
        variables=raster.other_variables,
        variable=raster.variable,
        sampled=sampled,
        problems=_problems(raster, numbers, classes),
        attributes=raster.attributes,
        date=raster.date,
        facts=raster.facts,
    )


def _windows(values: xr.DataArray) -> xr.DataArray:
    """Windows spread evenly over the scene, one below the other."""
    height, width = values.sizes["y"], values.sizes["x"]
    size_y, size_x = min(_WINDOW, height), min(_WINDOW, width)
    tops = np.unique(np.linspace(0, height - size_y, _WINDOWS_A_SIDE).astype(int))
    lefts = np.unique(np.linspace(0, width - size_x, _WINDOWS_A_SIDE).astype(int))
    parts = [
        values.isel(y=slice(top, top + size_y), x=slice(left, left + size_x)).values
        for top in tops
        for left in lefts
    ]
    return xr.DataArray(np.concatenate(parts, axis=1), dims=("band", "y", "x"))


def _classes(raster: Raster, values: xr.DataArray) -> dict[int, tuple[str, int]] | None:
    """Values and pixels if this can be a mask: one band of few whole numbers."""
    if raster.n_bands != 1:
        return None
    plane = values.values[0]
    if plane.dtype.kind == "f":
        plane = plane[~np.isnan(plane)]
        if not plane.size or not (np.isfinite(plane).all() and (plane == np.round(plane)).all()):
            return None
    found, counts = np.unique(plane, return_counts=True)
    if len(found) > MOST_CLASSES:
        return None
    return {
        int(value): (raster.class_names.get(int(value), ""), int(count))
        for value, count in zip(found, counts, strict=True)
    }


def _problems(raster: Raster, numbers: xr.DataArray, classes: dict[int, tuple[str, int]] | None) -> list[str]:
    lines = [str(text) for key, text in raster.attributes.items() if key.endswith("_remark")]
    if raster.n_bands > 1 and raster.wavelength is None:
        lines.append("no wavelengths; give them for false-colour pictures and spectra in nm")
    infinite = sum(int(np.isinf(band.values).sum()) for band in numbers)
    if infinite:
        lines.append(f"{infinite} infinite values")
    if classes is not None and raster.n_bands == 1:
        if len(classes) == 1:
            lines.append(f"one value only: {next(iter(classes))}")
        return lines
    reasons: dict[str, list[int]] = {}
    for band, reason in find_problem_bands(numbers, good=raster.good).items():
        reasons.setdefault(reason, []).append(band + 1)
    for reason, bands in reasons.items():
        lines.append(f"{len(bands)} band{'s' if len(bands) > 1 else ''} {reason}: {_ranges(bands)}")
    usable = [i for i in range(raster.n_bands) if not any(i + 1 in bands for bands in reasons.values())]
    if usable:
        missing = np.zeros(numbers.shape[1:], bool)
        for i in usable:
            missing |= np.isnan(numbers.values[i])
        if missing.any():
            lines.append(f"{missing.mean():.1%} of pixels have no data in some band")
    return lines


def _ranges(bands: list[int]) -> str:
    """1, 2, 3, 7 as "1-3, 7"."""
    runs: list[list[int]] = []
    for band in bands:
        if runs and band == runs[-1][1] + 1:
            runs[-1][1] = band
        else:
            runs.append([band, band])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _range(numbers: xr.DataArray) -> tuple[float | None, float | None]:
    low = high = None
    for band in numbers.values:
        valid = band[np.isfinite(band)]
        if valid.size:
            low = float(valid.min()) if low is None else min(low, float(valid.min()))
            high = float(valid.max()) if high is None else max(high, float(valid.max()))
    return low, high


def _georeference(values: xr.DataArray) -> str | None:
    if "spatial_ref" not in values.coords:
        return None
    import rioxarray  # noqa: F401

    crs, transform = values.rio.crs, values.rio.transform()
    code = crs.to_epsg() if crs is not None else None
    system = (
        f"EPSG:{code}" if code else "unnamed coordinate system" if crs is not None else "no coordinate system"
    )
    unit = " m" if crs is not None and crs.is_projected else " degrees" if crs is not None else ""
    return f"{system}, pixels of {abs(transform.a):g} x {abs(transform.e):g}{unit}"
