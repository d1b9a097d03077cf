"""NetCDF and Zarr with named dimensions, by the CF conventions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError, MaskError
from specdm.scenes.classes import Classes
from specdm.scenes.georeference import georeferenced
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, pick_variable
from specdm.scenes.readers.lazy import one_line
from specdm.scenes.wavelengths import known_unit, to_nanometres

_Y = {"y", "lat", "latitude", "row", "rows", "line", "lines", "northing", "downtrack", "height", "j"}
_X = {
    "x", "lon", "longitude", "col", "cols", "column", "columns", "sample", "samples", "easting", "crosstrack",
    "width", "i",
}  # fmt: skip
_BAND = {"band", "bands", "wavelength", "wavelengths", "wl", "lambda", "spectral", "channel", "channels", "b"}
_DATE = {"time", "times", "date", "dates", "t"}
_Y_STANDARD = {"projection_y_coordinate", "latitude"}
_X_STANDARD = {"projection_x_coordinate", "longitude"}
_BAND_STANDARD = {"radiation_wavelength", "sensor_band_central_radiation_wavelength"}


def read_netcdf(path: Path, options: ArrayOptions, *, engine: Literal["netcdf4", "zarr"]) -> Raster:
    """One variable of a NetCDF file or Zarr store.

    Packing (`scale_factor`, `add_offset`) is handed on in `scale` and `offset`, `_FillValue` in `nodata`.

    Raises:
        FileFormatError: damaged, truncated, a tile set, no usable variable, several that could be meant, or
            dimensions that cannot be told apart.
    """
    data = _opened(path, engine)
    if options.position is not None:
        dates = {dim for array in data.data_vars.values() if (dim := _date_of(data, array)) is not None}
        data = data.isel(dict.fromkeys(dates, options.position))
    arrays = {str(name): array for name, array in data.data_vars.items() if array.dtype.kind in "iufb"}
    shapes = {name: _as_yxb(data, array, options) for name, array in arrays.items() if 2 <= array.ndim <= 3}
    if not shapes:
        many = next((array for array in arrays.values() if array.ndim > 3), None)
        date = None if many is None else _date_of(data, many)
        hint = "" if many is None else f"; {many.name} has the dimensions {', '.join(map(str, many.dims))}"
        hint += "" if date is None else f", say dates= with {data.sizes[date]} labels"
        raise FileFormatError(f"{path}: has no variable with rows and columns{hint}")
    name = pick_variable(shapes, path=path, options=options)
    array = arrays[name]
    order = _dimensions(path, data, array, options)
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
    fill = array.attrs.get("_FillValue", array.attrs.get("missing_value"))
    return Raster(
        path=path,
        values=_place(plain, data, array, order[-2:]),
        format="Zarr" if engine == "zarr" else "NetCDF",
        wavelength=wavelength,
        fwhm=fwhm,
        band_name=names,
        good=good,
        nodata=None if fill is None else float(np.ravel(fill)[0]),
        scale=float(array.attrs.get("scale_factor", 1.0)),
        offset=float(array.attrs.get("add_offset", 0.0)),
        units=array.attrs.get("units"),
        class_names=class_names,
        class_colors=class_colors,
        variable=name,
        other_variables={str(n): tuple(a.shape) for n, a in data.variables.items() if n != name and a.ndim},
        attributes=attributes,
    )


def netcdf_shapes(path: Path, *, engine: Literal["netcdf4", "zarr"]) -> dict[str, tuple[int, ...]]:
    """The numeric variables, as `(y, x)`, `(y, x, band)` or with a dimension of dates in front.

    Raises:
        FileFormatError: damaged, truncated, or a tile set.
    """
    data = _opened(path, engine)
    shapes = {}
    for name, array in data.data_vars.items():
        date = _date_of(data, array)
        still = array if date is None else array.isel({date: 0})
        if array.dtype.kind in "iufb" and still.ndim in (2, 3):
            shape = _as_yxb(data, still, ArrayOptions())
            shapes[str(name)] = shape if date is None else (data.sizes[date], *shape)
    return shapes


def _opened(path: Path, engine: Literal["netcdf4", "zarr"]) -> xr.Dataset:
    try:
        if engine == "netcdf4":
            _check_classic(path)
        # told beforehand, since xarray warns if it has to find out
        options_of_zarr: dict[str, Any] = {"consolidated": _is_consolidated(path)} if engine == "zarr" else {}
        data = xr.open_dataset(
            path,
            engine=engine,
            chunks={},
            mask_and_scale=False,
            decode_times=False,
            decode_coords="all",
            **options_of_zarr,
        )
    except Exception as error:  # the engines raise many kinds for damaged files
        kind = "NetCDF" if engine == "netcdf4" else "Zarr"
        raise FileFormatError(
            f"{path}: cannot be read as {kind}, it is damaged, truncated or has no named dimensions "
            f"({one_line(error)})"
        ) from error
    if "tile" in data.dims:
        raise FileFormatError(
            f"{path}: is a tile set, not a scene; specdm.open_tiles opens it, specdm.fit trains on it"
        )
    return data.squeeze([dim for dim, n in data.sizes.items() if n == 1 and _role_of(data, str(dim)) is None])


def _check_classic(path: Path) -> None:
    """The C library reads zeros beyond the end of a truncated classic file; scipy notices."""
    with path.open("rb") as file:
        head = file.read(4)
    if head in (b"CDF\x01", b"CDF\x02"):
        from scipy.io import netcdf_file

        netcdf_file(str(path), "r", mmap=True).close()


def _is_consolidated(path: Path) -> bool:
    if (path / ".zmetadata").is_file():
        return True
    metadata = path / "zarr.json"
    return metadata.is_file() and bool(json.loads(metadata.read_text()).get("consolidated_metadata"))


def _role_of(data: xr.Dataset, dim: str) -> str | None:
    """ "y", "x", "band" or None: what a dimension is, by its name, then by its coordinate's attributes."""
    name = dim.lower()
    for role, names in (("y", _Y), ("x", _X), ("band", _BAND)):
        if name in names:
            return role
    attrs = data[dim].attrs if dim in data.coords else {}
    standard, axis = attrs.get("standard_name", ""), str(attrs.get("axis", "")).upper()
    if standard in _Y_STANDARD or axis == "Y":
        return "y"
    if standard in _X_STANDARD or axis == "X":
        return "x"
    return "band" if standard in _BAND_STANDARD else None


def _date_of(data: xr.Dataset, array: xr.DataArray) -> str | None:
    """The dimension of dates, if the array has one."""
    for dim in map(str, array.dims):
        attrs = data[dim].attrs if dim in data.coords else {}
        stated = (attrs.get("standard_name") == "time", str(attrs.get("axis", "")).upper() == "T")
        if dim.lower() in _DATE or any(stated):
            return dim
    return None


def _roles(data: xr.Dataset, array: xr.DataArray) -> dict[str, str]:
    roles = {role: str(dim) for dim in array.dims if (role := _role_of(data, str(dim))) is not None}
    rest = [str(dim) for dim in array.dims if str(dim) not in roles.values()]
    if len(rest) == 1 and len(roles) == 2 and array.ndim == 3:
        missing = next(role for role in ("band", "y", "x") if role not in roles)
        roles[missing] = rest[0]
    return roles


def _as_yxb(data: xr.Dataset, array: xr.DataArray, options: ArrayOptions) -> tuple[int, ...]:
    """Shape in the order in which `pick_variable` compares arrays."""
    roles = _roles(data, array)
    keys = ("y", "x", "band") if array.ndim == 3 else ("y", "x")
    shape = (
        tuple(array.sizes[roles[key]] for key in keys) if all(key in roles for key in keys) else array.shape
    )
    return (shape[2], *shape[:2]) if options.layout == "byx" and len(shape) == 3 and roles else shape


def _dimensions(path: Path, data: xr.Dataset, array: xr.DataArray, options: ArrayOptions) -> tuple[str, ...]:
    roles = _roles(data, array)
    keys = ("band", "y", "x") if array.ndim == 3 else ("y", "x")
    if all(key in roles for key in keys):
        return tuple(roles[key] for key in keys)
    dims = tuple(str(dim) for dim in array.dims)
    if array.ndim == 2:
        return dims
    if options.layout is None:
        raise FileFormatError(
            f"{path}: which of the dimensions {', '.join(dims)} of {array.name} are rows, columns and "
            f"bands cannot "
            'be told; say layout="yxb" or layout="byx"'
        )
    return dims if options.layout == "byx" else (dims[2], dims[0], dims[1])


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
        name.lower() in _BAND - {"band", "bands", "b", "channel", "channels"} or "wavelength" in name.lower()
    )
    return (
        named
        or variable.attrs.get("standard_name") in _BAND_STANDARD
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
    values: xr.DataArray, data: xr.Dataset, array: xr.DataArray, dims: tuple[str, ...]
) -> xr.DataArray:
    import rioxarray  # noqa: F401
    from rasterio.transform import from_origin

    y, x = dims
    if x not in data.coords or y not in data.coords or min(data.sizes[x], data.sizes[y]) < 2:
        return values
    try:
        across, down = np.asarray(data[x].values, float), np.asarray(data[y].values, float)
        crs = array.rio.set_spatial_dims(x_dim=x, y_dim=y).rio.crs
    except Exception:  # a grid mapping that cannot be understood leaves the scene without a place, not unread
        return values
    step_x, step_y = across[1] - across[0], down[1] - down[0]
    even = np.allclose(np.diff(across), step_x, rtol=1e-3) and np.allclose(np.diff(down), step_y, rtol=1e-3)
    if not even or step_x == 0 or step_y == 0:
        return values
    if crs is None and (step_x, step_y, across[0], down[0]) in ((1, 1, 0, 0), (1, 1, 1, 1)):
        return values  # row and column numbers
    transform = from_origin(across[0] - step_x / 2, down[0] - step_y / 2, step_x, -step_y)
    return georeferenced(values, crs=crs, transform=transform)
