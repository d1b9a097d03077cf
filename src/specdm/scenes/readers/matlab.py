"""MATLAB files up to version 7 (`.mat` v4 and v5); version 7.3 is HDF5, see `hdf5`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, as_cube, pick_variable
from specdm.scenes.readers.companions import (
    COLUMN_NAMES,
    FWHM_NAMES,
    NAME_LISTS,
    ROW_NAMES,
    SCALE_NAMES,
    WAVELENGTH_NAMES,
    first_names,
    stated_bands,
    stated_factors,
    stated_grid,
)
from specdm.scenes.readers.lazy import one_line

_NUMERIC = {
    "double",
    "single",
    "logical",
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
}
_COMPANIONS = ROW_NAMES | COLUMN_NAMES | WAVELENGTH_NAMES | FWHM_NAMES | NAME_LISTS | SCALE_NAMES


def read_matlab5(path: Path, options: ArrayOptions) -> Raster:
    """One variable of a MATLAB file; loaded whole, since such files cannot be read by window.

    Matrices `bands x pixels` or `pixels x bands` are put onto the grid given, or stated by the file as
    `nRow` and `nCol` or the like, column by column unless the order says otherwise (MATLAB's own order).

    Raises:
        FileFormatError: damaged, truncated, no usable variable, or several that could be meant.
    """
    from scipy.io import loadmat, whosmat

    try:
        listing = whosmat(str(path), appendmat=False)
        shapes = {name: tuple(shape) for name, shape, kind in listing if kind in _NUMERIC}
        companions = [
            name
            for name, shape, _ in listing
            if name.lower() in _COMPANIONS and (name not in shapes or _is_vector(shapes[name]))
        ]
        beside = loadmat(str(path), appendmat=False, variable_names=companions) if companions else {}
        scalars = {n: float(v.ravel()[0]) for n, v in beside.items() if n in shapes and np.size(v) == 1}
        grid = stated_grid(scalars)
        name = pick_variable(shapes, path=path, options=options, grid=grid)
        array = np.asarray(loadmat(str(path), appendmat=False, variable_names=[name])[name])
    except FileFormatError:
        raise
    except Exception as error:  # scipy raises many kinds for damaged files, zlib's and struct's among them
        raise _damaged(path, error) from error
    if array.dtype.kind not in "iufb":
        raise FileFormatError(f"{path}: variable {name} holds {array.dtype} values; expected real numbers")

    cube = as_cube(array, path=path, name=name, options=options, grid=grid, order="F")
    wavelength, fwhm, remark = stated_bands(
        {n: v for n, v in beside.items() if n in shapes and n != name}, cube.shape[0]
    )
    lists = (_strings(v) for n, v in beside.items() if n.lower() in NAME_LISTS and n not in shapes)
    class_names = first_names(lists, cube.shape[0])
    return Raster(
        path=path,
        values=xr.DataArray(cube, dims=("band", "y", "x")),
        format="MATLAB",
        wavelength=wavelength,
        fwhm=fwhm,
        class_names=class_names,
        variable=name,
        other_variables={n: tuple(s) for n, s, _ in listing if n != name},
        attributes={**stated_factors(scalars), **({"wavelength_remark": remark} if remark else {})},
    )


def matlab5_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The numeric arrays of a MATLAB file, in the file's order.

    Raises:
        FileFormatError: damaged or truncated.
    """
    from scipy.io import whosmat

    try:
        return {n: tuple(s) for n, s, kind in whosmat(str(path), appendmat=False) if kind in _NUMERIC}
    except Exception as error:  # scipy raises many kinds for damaged files
        raise _damaged(path, error) from error


def _damaged(path: Path, error: BaseException) -> FileFormatError:
    return FileFormatError(
        f"{path}: cannot be read as a MATLAB file, it is damaged or truncated ({one_line(error)}); "
        "copy or download it again"
    )


def _is_vector(shape: tuple[int, ...]) -> bool:
    return sum(n > 1 for n in shape) <= 1


def _strings(cell: Any) -> list[str]:
    """Texts of a cell array, or the lines of a character array."""
    texts = []
    for item in np.asarray(cell).ravel():
        while isinstance(item, np.ndarray) and item.size:
            item = item.ravel()[0]
        texts.append(str(item).strip())
    return texts
