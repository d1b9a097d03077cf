"""What PRISMA and EMIT have in common: HDF5 files whose attributes and arrays are read one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError
from specdm.scenes.readers.lazy import one_line


def open_hdf5(path: Path) -> Any:
    """An open h5py file.

    Raises:
        FileFormatError: damaged or truncated.
    """
    import h5py

    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise FileFormatError(
            f"{path}: cannot be read as HDF5, it is damaged or truncated ({one_line(error)}); copy or download it again"
        ) from error


def item(file: Any, name: str) -> Any:
    """A dataset of an open file.

    Raises:
        FileFormatError: it is not there.
    """
    if name not in file:
        raise FileFormatError(
            f"{file.filename}: there is no {name}; the product is not whole or of another kind, download it again"
        )
    return file[name]


def attribute(file: Any, name: str) -> Any:
    """An attribute of an open file, as text or an array.

    Raises:
        FileFormatError: it is not there.
    """
    if name not in file.attrs:
        raise FileFormatError(f"{file.filename}: has no attribute {name}; the product is not whole, download it again")
    value = file.attrs[name]
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return value if isinstance(value, str) else np.asarray(value)


def number(file: Any, name: str) -> float:
    """An attribute that is one number.

    Raises:
        FileFormatError: it is not there, or no number.
    """
    value = attribute(file, name)
    try:
        return float(np.ravel(value)[0])
    except (TypeError, ValueError, IndexError):
        raise FileFormatError(f"{file.filename}: the attribute {name} is {value!r}; expected a number") from None


def text(file: Any, name: str) -> str:
    """An attribute as text.

    Raises:
        FileFormatError: it is not there.
    """
    value = attribute(file, name)
    if isinstance(value, str):
        return value
    first = np.ravel(value)[0] if np.size(value) else ""
    return first.decode("utf-8", errors="replace") if isinstance(first, bytes) else str(first)
