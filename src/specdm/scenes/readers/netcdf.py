"""NetCDF and Zarr with named dimensions, by the CF conventions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError, MaskError
from specdm.scenes.classes import Classes
from specdm.scenes.georeference import georeferenced
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, pick_variable
from specdm.scenes.readers.cf_dimensions import BAND_NAMES, BAND_STANDARD, date_of, dimensions, shape_as_yxb
from specdm.scenes.readers.missing_values import as_meant, without_missing
from specdm.scenes.readers.netcdf_open import Engine, group_arrays, opened
from specdm.scenes.wavelengths import known_unit, to_nanometres

_EVEN = 0.1
"""Part of a pixel by which coordinates may be off an even grid: as far as a mask may be off its image."""


def read_netcdf(path: Path, options: ArrayOptions, *, engine: Engine) -> Raster:
    """One variable of a NetCDF file or Zarr store; one in a group is called GROUP/NAME.

    Packing (`scale_factor`, `add_offset`) is handed on in `scale` and `offset`, `_FillValue` in `nodata`. What else is
    no data, by `missing_value` or the valid range, is NaN.

    Raises:
        FileFormatError: damaged, truncated, a tile set, no usable variable, several that could be meant, or
            dimensions that cannot be told apart.
    """
    named = (options.variable or "").strip("/")
    group = named.rpartition("/")[0]
    if group:
        _check_in_group(path, engine, named)
        options = replace(options, variable=named)
    data = opened(path, engine, group=group)
    prefix = f"{group}/" if group else ""
    if options.position is not None:
        dates = {dim for array in data.data_vars.values() if (dim := date_of(data, array)) is not None}
        data = data.isel(dict.fromkeys(dates, options.position))
    arrays = {f"{prefix}{name}": array for name, array in data.data_vars.items() if array.dtype.kind in "iufb"}
    shapes = {name: shape_as_yxb(data, array, options) for name, array in arrays.items() if 2 <= array.ndim <= 3}
    if not shapes:
        many = next((array for array in arrays.values() if array.ndim > 3), None)
        date = None if many is None else date_of(data, many)
        hint = "" if many is None else f"; {many.name} has the dimensions {', '.join(map(str, many.dims))}"
        hint += "" if date is None else f", say dates= with {data.sizes[date]} labels"
        hint = hint or _in_groups(path, engine, options)
        raise FileFormatError(f"{path}: has no variable with rows and columns{hint}")
    name = pick_variable(shapes, path=path, options=options)
    array = as_meant(arrays[name])
    order = dimensions(path, data, array, options)
    band = order[0] if len(order) == 3 else None
    values = array.transpose(*order)
    plain = xr.DataArray(
        (values if band else values.expand_dims("band")).data,
        dims=("band", "y", "x"),
        attrs=dict(array.attrs),
    )
    attributes: dict[str, Any] = {}
    wavelength, fwhm, names, good = _bands(data, band, plain.sizes["band"], attributes)
    class_names, class_colors = _flags(array.attrs)
    known, nodata, notes = without_missing(plain, array.attrs)
    if notes:
        attributes["no data"] = "; ".join(notes)
    return Raster(
        path=path,
        values=_place(known, data, array, order[-2:], attributes),
        format="Zarr" if engine == "zarr" else "NetCDF",
        wavelength=wavelength,
        fwhm=fwhm,
        band_name=names,
        good=good,
        nodata=nodata,
        scale=float(array.attrs.get("scale_factor", 1.0)),
        offset=float(array.attrs.get("add_offset", 0.0)),
        units=array.attrs.get("units"),
        class_names=class_names,
        class_colors=class_colors,
        variable=name,
        other_variables={
            f"{prefix}{n}": tuple(a.shape)
            for n, a in data.variables.items()
            if f"{prefix}{n}" != name and a.ndim
        },
        attributes=attributes,
    )


def netcdf_shapes(path: Path, *, engine: Engine) -> dict[str, tuple[int, ...]]:
    """The numeric variables, as `(y, x)`, `(y, x, band)` or with a dimension of dates in front.

    Raises:
        FileFormatError: damaged, truncated, or a tile set.
    """
    data = opened(path, engine)
    shapes = {}
    for name, array in data.data_vars.items():
        date = date_of(data, array)
        still = array if date is None else array.isel({date: 0})
        if array.dtype.kind in "iufb" and still.ndim in (2, 3):
            shape = shape_as_yxb(data, still, ArrayOptions())
            shapes[str(name)] = shape if date is None else (data.sizes[date], *shape)
    return shapes


def _check_in_group(path: Path, engine: Engine, name: str) -> None:
    found = group_arrays(path, engine)
    if name not in found:
        raise FileFormatError(
            f"{path}: there is no variable {name!r} with rows and columns; its groups hold "
            f"{_listed(found) or 'none'}"
        )


def _in_groups(path: Path, engine: Engine, options: ArrayOptions) -> str:
    """A hint at the arrays that lie in groups, if there are any."""
    found = group_arrays(path, engine)
    option = "mask_variable" if options.role == "mask" else "variable"
    return f" outside its groups, which hold {_listed(found)}; name one with {option}=" if found else ""


def _listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
    return ", ".join(f"{name} ({' x '.join(map(str, shape))})" for name, shape in shapes.items())


def _bands(
    data: xr.Dataset, band: str | None, n_bands: int, attributes: dict[str, Any]
) -> tuple[np.ndarray | None, np.ndarray | None, tuple[str, ...] | None, np.ndarray | None]:
    """Centres, widths, names and marks that variables along the band dimension give."""
    if band is None:
        return None, None, None, None
    along = {str(n): v for n, v in data.variables.items() if v.dims == (band,)}
    centre = next((n for n, v in along.items() if _is_centre(n, v)), None)
    width = next((n for n in along if "fwhm" in n.lower() or "bandwidth" in n.lower()), None)
    wavelength = fwhm = None
    if centre is not None:
        unit = along[centre].attrs.get("units")
        wavelength, remark = to_nanometres(along[centre].values, unit)
        if remark:
            attributes["wavelength_remark"] = remark
        if wavelength is not None and width is not None:
            unit = along[width].attrs.get("units", unit)
            fwhm, _ = to_nanometres(along[width].values, unit, width_of=along[centre].values)
    texts = next((v.values for n, v in along.items() if v.dtype.kind in "UOST"), None)
    marks = next(
        (v.values for n, v in along.items() if n.lower() in ("bbl", "good_wavelengths", "good_bands")), None
    )
    return (
        wavelength,
        fwhm,
        None if texts is None or len(texts) != n_bands else tuple(str(text) for text in texts),
        None if marks is None else np.asarray(marks) != 0,
    )


def _is_centre(name: str, variable: xr.Variable) -> bool:
    if variable.dtype.kind not in "iuf" or "fwhm" in name.lower() or "width" in name.lower():
        return False
    if name.lower().startswith("good"):
        return False
    named = (
        name.lower() in BAND_NAMES - {"band", "bands", "b", "channel", "channels"} or "wavelength" in name.lower()
    )
    return (
        named
        or variable.attrs.get("standard_name") in BAND_STANDARD
        or known_unit(variable.attrs.get("units"))
    )


def _flags(attrs: dict[Any, Any]) -> tuple[dict[int, str], dict[int, str]]:
    if "flag_values" not in attrs:
        return {}, {}
    try:
        classes = Classes.from_attrs(attrs)
    except (MaskError, TypeError, ValueError):
        return {}, {}
    names = dict(zip(classes.values, classes.names, strict=True))
    colors = dict(zip(classes.values, classes.colors, strict=True)) if "flag_colors" in attrs else {}
    return names, colors


def _place(
    values: xr.DataArray,
    data: xr.Dataset,
    array: xr.DataArray,
    dims: tuple[str, ...],
    attributes: dict[str, Any],
) -> xr.DataArray:
    import rioxarray  # noqa: F401
    from rasterio.transform import from_origin

    y, x = dims
    if x not in data.coords or y not in data.coords or min(data.sizes[x], data.sizes[y]) < 2:
        return values
    try:
        across, down = np.asarray(data[x].values, np.float64), np.asarray(data[y].values, np.float64)
        crs = array.rio.set_spatial_dims(x_dim=x, y_dim=y).rio.crs
    except Exception:  # a grid mapping that cannot be understood leaves the scene without a place, not unread
        return values
    step_x, step_y = _step(across), _step(down)
    if not step_x or not step_y:
        attributes["place_remark"] = f"the coordinates {x} and {y} are not evenly spaced: the place is not used"
        return values
    if crs is None and (step_x, step_y, across[0], down[0]) in ((1, 1, 0, 0), (1, 1, 1, 1)):
        return values  # row and column numbers
    transform = from_origin(across[0] - step_x / 2, down[0] - step_y / 2, step_x, -step_y)
    return georeferenced(values, crs=crs, transform=transform)


def _step(centres: np.ndarray) -> float | None:
    """Distance of neighbouring pixels, or None if they are not evenly spaced.

    It is taken from both ends, since float32 rounds single degrees to about a metre: neighbours of 30 m then differ in
    their distance by several percent, while no pixel lies further than a few percent from where it should.
    """
    step = float(centres[-1] - centres[0]) / (len(centres) - 1)
    off = np.abs(centres - (centres[0] + step * np.arange(len(centres))))
    return step if step and off.max() <= _EVEN * abs(step) else None
