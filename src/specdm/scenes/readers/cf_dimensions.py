"""Which dimension of a variable is which: by its name, then by what the CF conventions say about its coordinate."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.readers.arrays import ArrayOptions

_Y = {"y", "lat", "latitude", "row", "rows", "line", "lines", "northing", "downtrack", "height", "j"}
_X = {
    "x", "lon", "longitude", "col", "cols", "column", "columns", "sample", "samples", "easting", "crosstrack",
    "width", "i",
}  # fmt: skip
BAND_NAMES = {"band", "bands", "wavelength", "wavelengths", "wl", "lambda", "spectral", "channel", "channels", "b"}
_DATE = {"time", "times", "date", "dates", "t"}
_Y_STANDARD = {"projection_y_coordinate", "latitude"}
_X_STANDARD = {"projection_x_coordinate", "longitude"}
BAND_STANDARD = {"radiation_wavelength", "sensor_band_central_radiation_wavelength"}


def role_of(data: xr.Dataset, dim: str) -> str | None:
    """ "y", "x", "band" or None: what a dimension is, by its name, then by its coordinate's attributes."""
    name = dim.lower()
    for role, names in (("y", _Y), ("x", _X), ("band", BAND_NAMES)):
        if name in names:
            return role
    attrs = data[dim].attrs if dim in data.coords else {}
    standard, axis = attrs.get("standard_name", ""), str(attrs.get("axis", "")).upper()
    if standard in _Y_STANDARD or axis == "Y":
        return "y"
    if standard in _X_STANDARD or axis == "X":
        return "x"
    return "band" if standard in BAND_STANDARD else None


def date_of(data: xr.Dataset, array: xr.DataArray) -> str | None:
    """The dimension of dates, if the array has one."""
    for dim in map(str, array.dims):
        attrs = data[dim].attrs if dim in data.coords else {}
        stated = (attrs.get("standard_name") == "time", str(attrs.get("axis", "")).upper() == "T")
        if dim.lower() in _DATE or any(stated):
            return dim
    return None


def _roles(data: xr.Dataset, array: xr.DataArray) -> dict[str, str]:
    roles = {role: str(dim) for dim in array.dims if (role := role_of(data, str(dim))) is not None}
    rest = [str(dim) for dim in array.dims if str(dim) not in roles.values()]
    if len(rest) == 1 and len(roles) == 2 and array.ndim == 3:
        missing = next(role for role in ("band", "y", "x") if role not in roles)
        roles[missing] = rest[0]
    return roles


def shape_as_yxb(data: xr.Dataset, array: xr.DataArray, options: ArrayOptions) -> tuple[int, ...]:
    """Shape in the order in which `pick_variable` compares arrays."""
    roles = _roles(data, array)
    keys = ("y", "x", "band") if array.ndim == 3 else ("y", "x")
    shape = (
        tuple(array.sizes[roles[key]] for key in keys) if all(key in roles for key in keys) else array.shape
    )
    return (shape[2], *shape[:2]) if options.layout == "byx" and len(shape) == 3 and roles else shape


def dimensions(path: Path, data: xr.Dataset, array: xr.DataArray, options: ArrayOptions) -> tuple[str, ...]:
    """The variable's dimensions as bands (if it has them), rows and columns.

    Raises:
        FileFormatError: there are three, and neither they nor the user tell which is which.
    """
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
