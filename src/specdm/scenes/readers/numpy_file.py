"""NumPy files: `.npy` through a memory map, `.npz` array by array."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, as_cube, layout_of, pick_variable
from specdm.scenes.readers.lazy import CHUNK_BYTES, WindowedFile, lazy, one_line


@dataclass(frozen=True)
class NpyFile(WindowedFile):
    """A `.npy` file in the order of dimensions it has."""

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        return np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[key])


def read_npy(path: Path, options: ArrayOptions) -> Raster:
    """A `.npy` array: `(y, x, band)` unless the layout says otherwise, `(y, x)`, or flattened.

    Raises:
        FileFormatError: truncated, holds Python objects or something other than real numbers, or of a shape
            that makes no image.
    """
    array = _mapped(path)
    _check_numbers(path, None, array.dtype)
    source = NpyFile(path=path, shape=array.shape, dtype=array.dtype)
    cube = as_cube(lazy(source, _chunks(array, options)), path=path, name=None, options=options, order="C")
    return Raster(path=path, values=xr.DataArray(cube, dims=("band", "y", "x")), format="NumPy .npy")


def read_npz(path: Path, options: ArrayOptions) -> Raster:
    """One array of a `.npz` file, loaded whole (its members are compressed as a whole).

    Raises:
        FileFormatError: truncated, no usable array, or several that could be meant.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = _member_headers(path)
            shapes = {name: shape for name, (shape, dtype) in arrays.items() if dtype.kind in "iufb"}
            name = pick_variable(shapes, path=path, options=options)
            array = file[name]
    except FileFormatError:
        raise
    except Exception as error:  # zip and NumPy raise several kinds for truncated files
        raise FileFormatError(f"{path}: cannot be read as a NumPy .npz file ({one_line(error)})") from error
    cube = as_cube(array, path=path, name=name, options=options, order="C")
    return Raster(
        path=path,
        values=xr.DataArray(cube, dims=("band", "y", "x")),
        format="NumPy .npz",
        variable=name,
        other_variables={other: shape for other, (shape, _) in arrays.items() if other != name},
    )


def npy_shape(path: Path) -> tuple[int, ...]:
    """Shape of a `.npy` array.

    Raises:
        FileFormatError: truncated, or holds Python objects.
    """
    return tuple(_mapped(path).shape)


def npz_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The numeric arrays of a `.npz` file, in the file's order.

    Raises:
        FileFormatError: truncated or damaged.
    """
    try:
        headers = _member_headers(path)
    except Exception as error:  # zip and NumPy raise several kinds for truncated files
        raise FileFormatError(f"{path}: cannot be read as a NumPy .npz file ({one_line(error)})") from error
    return {name: shape for name, (shape, dtype) in headers.items() if dtype.kind in "iufb"}


def array_raster(array: np.ndarray, *, name: str, options: ArrayOptions) -> Raster:
    """A NumPy array in memory, read by the rules of `.npy` files.

    Raises:
        FileFormatError: no real numbers, or of a shape that makes no image.
    """
    path = Path(name)
    _check_numbers(path, None, array.dtype)
    cube = as_cube(array, path=path, name=None, options=options, order="C")
    return Raster(path=path, values=xr.DataArray(cube, dims=("band", "y", "x")), format="array in memory")


def _mapped(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises several kinds for truncated files and for pickles
        raise FileFormatError(
            f"{path}: cannot be read as a NumPy array, it is truncated or holds Python objects "
            f"({one_line(error)})"
        ) from error


def _member_headers(path: Path) -> dict[str, tuple[tuple[int, ...], np.dtype]]:
    """Shapes and types without reading the values."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if not member.endswith(".npy"):
                continue
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                reader = (
                    np.lib.format.read_array_header_1_0
                    if version == (1, 0)
                    else np.lib.format.read_array_header_2_0
                )
                shape, _, dtype = reader(file)
            found[member[: -len(".npy")]] = (shape, dtype)
    return found


def _chunks(array: np.ndarray, options: ArrayOptions) -> tuple[int, ...]:
    """All bands of a few whole rows of one date, wherever the rows are; dask's own choice would split spectra."""
    if array.ndim not in (3, 4):
        return array.shape
    *dates, first, second, third = array.shape
    if layout_of((first, second, third), options) == "byx":
        return (*(1 for _ in dates), first, _rows(second, first * third * array.dtype.itemsize), third)
    return (*(1 for _ in dates), _rows(first, second * third * array.dtype.itemsize), second, third)


def _rows(rows: int, row_bytes: int) -> int:
    """Rows of a chunk."""
    return max(1, min(rows, CHUNK_BYTES // max(1, row_bytes)))


def _check_numbers(path: Path, name: str | None, dtype: np.dtype) -> None:
    if dtype.kind not in "iufb":
        what = f"variable {name} " if name else ""
        raise FileFormatError(f"{path}: {what}holds {dtype} values; expected real numbers")
