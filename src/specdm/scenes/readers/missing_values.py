"""What the attributes of an array say about values that are no data: CF's, and those that HDF5 products use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

NODATA_NAMES = ("_fillvalue", "missing_value", "data_ignore_value")
"""Attributes, in lower case, that state numbers meaning "no data"."""

_NUMBERS = (*NODATA_NAMES, "valid_range", "valid_min", "valid_max", "flag_values")


def as_meant(values: xr.DataArray) -> xr.DataArray:
    """Integers with the sign that `_Unsigned` says, with the attributes that hold such integers.

    NetCDF 3 has no unsigned ones, so 200 in a byte is stored as -56.
    """
    stated, dtype = str(values.attrs.get("_Unsigned", "")).lower(), values.dtype
    if (stated, dtype.kind) not in (("true", "i"), ("false", "u")):
        return values
    meant = np.dtype(f"{'u' if dtype.kind == 'i' else 'i'}{dtype.itemsize}")
    attrs = dict(values.attrs)
    for key, given in values.attrs.items():
        if str(key).lower() in _NUMBERS and np.asarray(given).dtype.kind in "iu":
            attrs[key] = np.asarray(given).astype(meant)
    return values.astype(meant).assign_attrs(attrs)


def without_missing(values: xr.DataArray, attrs: Mapping[Any, Any]) -> tuple[xr.DataArray, float | None, list[str]]:
    """Values, lazily, of which one number at most still means "no data"; that number; and what else was made NaN.

    A reader can hand on one number as the file has it. Further ones, and values outside the valid range, become NaN,
    for which integers become floats.

    Args:
        values: as stored.
        attrs: of the array. The valid range is that of stored values, unless it can only be that of unpacked ones: if
            it is given in the type of the scale factor, and the stored type is another.
    """
    numbers = _nodata(attrs)
    finite = [number for number in numbers if np.isfinite(number)]
    nodata = finite[0] if finite else (float("nan") if numbers else None)
    low, high = _limits(attrs, values.dtype)
    if len(finite) < 2 and low is None and high is None:
        return values, nodata, []
    missing = xr.zeros_like(values, dtype=bool)
    notes = []
    if len(finite) > 1:
        for number in finite[1:]:
            missing = missing | (values == _as_stored(number, values.dtype))
        notes.append(f"{', '.join(f'{number:g}' for number in finite)} are no data")
    # only comparisons that hold count, so that NaN stays what it is
    if low is not None:
        missing = missing | (values < low)
        notes.append(f"below {low:g} is no data")
    if high is not None:
        missing = missing | (values > high)
        notes.append(f"above {high:g} is no data")
    if nodata is not None and np.isfinite(nodata):
        # a number that names "no data" stays, wherever the valid range ends: users may name it as a class
        missing = missing & (values != _as_stored(nodata, values.dtype))
    floats = values.astype(np.result_type(values.dtype, np.float32))
    return floats.where(~missing), nodata, notes


def _nodata(attrs: Mapping[Any, Any]) -> list[float]:
    """Numbers that mean "no data", each once, in the order of `NODATA_NAMES`."""
    by_name = {str(key).lower(): given for key, given in attrs.items()}
    found = [number for name in NODATA_NAMES if name in by_name for number in numbers_of(by_name[name])]
    return list(dict.fromkeys(found))


def _limits(attrs: Mapping[Any, Any], dtype: np.dtype) -> tuple[Any, Any]:
    """Least and greatest valid value as stored, or None where every value is."""
    if dtype.kind == "b":
        return None, None
    low, high, given = None, None, None
    for key in ("valid_min", "valid_max"):
        numbers = numbers_of(attrs.get(key))
        if len(numbers) == 1:
            given = attrs[key]
            low, high = (numbers[0], high) if key == "valid_min" else (low, numbers[0])
    if len(numbers_of(attrs.get("valid_range"))) == 2:
        given = attrs["valid_range"]
        low, high = numbers_of(given)
    if low is None and high is None:
        return None, None
    scale, offset = (numbers_of(attrs.get(key)) for key in ("scale_factor", "add_offset"))
    packing = np.asarray(attrs.get("scale_factor", attrs.get("add_offset", 0))).dtype
    if dtype.kind in "iu" and (scale or offset) and packing.kind == "f" and np.asarray(given).dtype == packing:
        factor, shift = (scale or [1.0])[0], (offset or [0.0])[0]
        low, high = (None if limit is None else (limit - shift) / factor for limit in (low, high))
        if factor < 0:
            low, high = high, low
        # what is not a whole number is so by rounding or lies between two that can be stored
        low = None if low is None else float(np.ceil(low - 1e-3))
        high = None if high is None else float(np.floor(high + 1e-3))
    least, greatest = (
        (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype.kind in "iu" else (-np.inf, np.inf)
    )
    low = None if low is None or np.isnan(low) or low <= least else _as_stored(low, dtype)
    high = None if high is None or np.isnan(high) or high >= greatest else _as_stored(high, dtype)
    return low, high


def numbers_of(given: Any) -> list[float]:
    """The numbers in an attribute, which may be a list or a text; none if it holds something else."""
    if given is None:
        return []
    try:
        return [float(item) for item in np.ravel(np.asarray(given))]
    except (TypeError, ValueError):
        return []


def _as_stored(number: float, dtype: np.dtype) -> Any:
    """-3.4e38 in double precision is not the float32 in the file."""
    return dtype.type(number) if dtype.kind == "f" else number
