"""NetCDF files and Zarr stores opened by xarray as they are stored, the root or one group with what it inherits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar

import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.readers.cf_dimensions import role_of
from specdm.scenes.readers.lazy import one_line

Engine = Literal["netcdf4", "zarr"]
_Result = TypeVar("_Result")


def opened(path: Path, engine: Engine, *, group: str = "") -> xr.Dataset:
    """The variables of the root, or of a group such as "A/B", with the coordinates of the groups above it.

    Raises:
        FileFormatError: damaged, truncated, or a tile set.
    """
    data = _dataset(path, engine, group)
    while group:
        group = group.rpartition("/")[0]
        above = _dataset(path, engine, group)
        inherited = {
            name: variable
            for name, variable in above.variables.items()
            if name not in data.variables
            and variable.ndim <= 1
            and all(data.sizes.get(dim) == size for dim, size in variable.sizes.items())
        }
        data = data.assign_coords(inherited)
    if "tile" in data.dims:
        raise FileFormatError(
            f"{path}: is a tile set, not a scene; specdm.open_tiles opens it, specdm.fit trains on it"
        )
    return data.squeeze([dim for dim, n in data.sizes.items() if n == 1 and role_of(data, str(dim)) is None])


def group_arrays(path: Path, engine: Engine) -> dict[str, tuple[int, ...]]:
    """Numeric arrays with rows and columns that lie in groups, as GROUP/NAME, with their shapes, sorted.

    Raises:
        FileFormatError: damaged or truncated.
    """
    groups = _read(path, engine, lambda **options: xr.open_groups(path, engine=engine, **options))
    found = {
        f"{group.strip('/')}/{name}": tuple(array.shape)
        for group, data in groups.items()
        if group.strip("/")
        for name, array in data.data_vars.items()
        if array.ndim >= 2 and array.dtype.kind in "iufb"
    }
    return dict(sorted(found.items()))  # a Zarr store lists its groups as the file system does


def _dataset(path: Path, engine: Engine, group: str) -> xr.Dataset:
    return _read(
        path,
        engine,
        lambda **options: xr.open_dataset(
            path, engine=engine, group=group or None, chunks={}, decode_coords="all", **options
        ),
    )


def _read(path: Path, engine: Engine, read: Callable[..., _Result]) -> _Result:
    try:
        if engine == "netcdf4":
            _check_classic(path)
        # told beforehand, since xarray warns if it has to find out
        options_of_zarr: dict[str, Any] = {"consolidated": _is_consolidated(path)} if engine == "zarr" else {}
        return read(mask_and_scale=False, decode_times=False, **options_of_zarr)
    except Exception as error:  # the engines raise many kinds for damaged files
        kind = "NetCDF" if engine == "netcdf4" else "Zarr"
        raise FileFormatError(
            f"{path}: cannot be read as {kind}, it is damaged, truncated or has no named dimensions "
            f"({one_line(error)})"
        ) from error


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
