"""HDF5 files without dimension names: MATLAB 7.3 and plain ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.raster import Raster
from specdm.scenes.readers.arrays import ArrayOptions, as_cube, pick_variable
from specdm.scenes.readers.companions import (
    NAME_LISTS,
    SCALE_NAMES,
    first_names,
    stated_bands,
    stated_factors,
    stated_grid,
)
from specdm.scenes.readers.lazy import CHUNK_BYTES, WindowedFile, lazy, one_line
from specdm.scenes.readers.missing_values import NODATA_NAMES, numbers_of, without_missing

_ATTRIBUTES = {*NODATA_NAMES, *SCALE_NAMES}


@dataclass(frozen=True)
class HDF5Array(WindowedFile):
    """One dataset of an HDF5 file, in the order of dimensions it is stored in."""

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        import h5py

        with h5py.File(self.path, "r") as file:
            return file[self.variable][key]


@dataclass(frozen=True)
class _Content:
    """What a file holds: numeric datasets with their attributes, short ones with values, texts, and who wrote it."""

    stored: dict[str, tuple[tuple[int, ...], np.dtype, tuple[int, ...] | None]]
    attrs: dict[str, dict[str, Any]]
    short: dict[str, np.ndarray]
    texts: dict[str, list[str]]
    matlab: bool


def is_netcdf(path: Path) -> bool:
    """Whether an HDF5 file is NetCDF 4: then its dimensions have names.

    Raises:
        FileFormatError: the file is damaged or truncated.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "_NCProperties" in file.attrs or any(
                dataset.attrs.get("CLASS") == b"DIMENSION_SCALE" for _, dataset in _datasets(file)
            )
    except Exception as error:
        raise damaged(path, error) from error


def read_hdf5(path: Path, options: ArrayOptions) -> Raster:
    """One dataset of a MATLAB 7.3 or plain HDF5 file, by window.

    MATLAB stores its arrays with the dimensions reversed; they are given back as MATLAB shows them. A file
    counts as MATLAB's by its user block, by the marks MATLAB leaves on datasets, or by the ending `.mat`.
    Plain HDF5 is read as NumPy files are: `(y, x, band)` unless the layout says otherwise. `_FillValue`,
    `missing_value` and `Data_Ignore_Value` of the dataset are no data; its `Scale_Factor` is reported in `attributes`,
    not applied.

    Raises:
        FileFormatError: damaged, truncated, no usable dataset, or several that could be meant.
    """
    try:
        content = _content(path)
    except Exception as error:  # h5py raises OSError, RuntimeError and KeyError for damaged files
        raise damaged(path, error) from error
    turn = -1 if content.matlab else 1
    shapes = {name: shape[::turn] for name, (shape, _, _) in content.stored.items()}
    scalars = {name: float(values.ravel()[0]) for name, values in content.short.items() if values.size == 1}
    grid = stated_grid(scalars)
    name = pick_variable(shapes, path=path, options=options, grid=grid)

    shape, dtype, stored_chunks = content.stored[name]
    source = HDF5Array(path=path, shape=shape, dtype=dtype, variable=name)
    array = lazy(source, _chunks(shape, dtype, stored_chunks))
    cube = as_cube(
        array.transpose() if content.matlab else array,
        path=path,
        name=name,
        options=options,
        grid=grid,
        order="F" if content.matlab else "C",
    )
    attrs = content.attrs[name]
    values, nodata, notes = without_missing(xr.DataArray(cube, dims=("band", "y", "x")), attrs)
    factors = {key: numbers[0] for key, given in attrs.items() if len(numbers := numbers_of(given)) == 1}
    n_bands = cube.shape[0]
    wavelength, fwhm, remark = stated_bands(
        {n.rsplit("/", 1)[-1]: v for n, v in content.short.items() if n != name}, n_bands
    )
    lists = (texts for n, texts in content.texts.items() if n.lower() in NAME_LISTS)
    class_names = first_names(lists, n_bands)
    return Raster(
        path=path,
        values=values,
        format="MATLAB 7.3" if content.matlab else "HDF5",
        wavelength=wavelength,
        fwhm=fwhm,
        nodata=nodata,
        class_names=class_names,
        variable=name,
        other_variables={n: s for n, s in shapes.items() if n != name},
        attributes={
            **stated_factors(scalars | factors),
            **({"wavelength_remark": remark} if remark else {}),
            **({"no data": "; ".join(notes)} if notes else {}),
        },
    )


def hdf5_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The numeric datasets of an HDF5 file, by rising name.

    Raises:
        FileFormatError: damaged or truncated.
    """
    try:
        content = _content(path)
    except Exception as error:  # h5py raises OSError, RuntimeError and KeyError for damaged files
        raise damaged(path, error) from error
    turn = -1 if content.matlab else 1
    return {name: shape[::turn] for name, (shape, _, _) in content.stored.items()}


def _content(path: Path) -> _Content:
    import h5py

    with path.open("rb") as raw:
        matlab = raw.read(10) == b"MATLAB 7.3" or path.suffix.lower() == ".mat"
    stored: dict[str, Any] = {}
    attrs: dict[str, dict[str, Any]] = {}
    short: dict[str, np.ndarray] = {}
    texts: dict[str, list[str]] = {}
    with h5py.File(path, "r") as file:
        for name, dataset in _datasets(file):
            marks = dataset.attrs
            matlab = matlab or "MATLAB_class" in marks
            if "MATLAB_empty" in marks or dataset.shape is None:
                continue
            if dataset.dtype.kind == "O" and h5py.check_ref_dtype(dataset.dtype) is h5py.Reference:
                if name.lower() in NAME_LISTS:
                    texts[name] = [_text(file[ref]) for ref in np.asarray(dataset[()]).T.ravel()]
            elif marks.get("MATLAB_class") == b"char":
                continue
            elif dataset.dtype.kind in "iufb":
                stored[name] = (tuple(dataset.shape), dataset.dtype, dataset.chunks)
                attrs[name] = {key: marks[key] for key in marks if key.lower() in _ATTRIBUTES}
                if dataset.size <= 10_000 and sum(n > 1 for n in dataset.shape) <= 1:
                    short[name] = np.asarray(dataset[()])
    return _Content(stored, attrs, short, texts, matlab)


def _datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """All datasets by their path, without MATLAB's hidden ones."""
    import h5py

    found: list[tuple[str, Any]] = []

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and not name.startswith("#"):
            found.append((name, item))

    file.visititems(visit)
    yield from found


def _text(dataset: Any) -> str:
    """A MATLAB character array: UTF-16 code units."""
    return "".join(chr(code) for code in np.asarray(dataset[()]).ravel(order="F"))


def _chunks(shape: tuple[int, ...], dtype: np.dtype, stored: tuple[int, ...] | None) -> tuple[int, ...]:
    """Chunks that hold whole stored chunks and all bands, wherever the bands are: split the longest dimension
    that is not the shortest."""
    size = int(np.prod(shape)) * dtype.itemsize
    if size <= CHUNK_BYTES or len(shape) < 2:
        return shape
    axis = int(np.argmax(shape))
    step = max(1, CHUNK_BYTES // (size // shape[axis]))
    if stored is not None:
        step = max(stored[axis], step - step % stored[axis])
    return tuple(min(n, step) if i == axis else n for i, n in enumerate(shape))


def damaged(path: Path, error: BaseException) -> FileFormatError:
    """The error that a file is no whole HDF5 file, from what h5py says."""
    return FileFormatError(
        f"{path}: cannot be read as HDF5, it is damaged or truncated ({one_line(error)}); copy or "
        f"download it again"
    )
