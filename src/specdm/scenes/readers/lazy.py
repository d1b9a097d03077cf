"""Arrays that read from a file only the window that is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import FileFormatError

CHUNK_BYTES = 8 * 2**20
"""Size of a chunk in memory. A chunk is read whole even for a small window of it, so it is not much larger
than a tile of a hyperspectral scene (64 x 64 px of 224 bands are 3.5 MB)."""


@dataclass(frozen=True)
class WindowedFile:
    """An array in a file, for `dask.array.from_array`; opened anew for each window, so it can be pickled and
    used by several threads and processes.

    Attributes:
        path: the file.
        shape, dtype: of the whole array.
        variable: the array within the file, where there are several.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    variable: str | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        """One window; `key` holds a slice without step for each dimension."""
        raise NotImplementedError

    def __getitem__(self, key: Any) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        key = key + (slice(None),) * (self.ndim - len(key))
        single = tuple(0 if isinstance(k, (int, np.integer)) else slice(None) for k in key)
        spans = [_span(k, n) for k, n in zip(key, self.shape, strict=True)]
        if not all(span is not None and span.step == 1 for span in spans):
            return np.asarray(self.read(tuple(slice(0, n) for n in self.shape)))[key]
        bounds = tuple(slice(span.start, span.stop) for span in spans if span is not None)
        try:
            return np.asarray(self.read(bounds))[single]
        except FileFormatError:
            raise
        except Exception as error:  # each format's library raises its own kinds for damaged data
            raise FileFormatError(
                f"{self.path}: is damaged or truncated, its values cannot be read "
                f"({one_line(error)}); copy or download it again"
            ) from error


def _span(key: Any, length: int) -> range | None:
    """The positions that an index takes from a dimension, if it is a slice or one position."""
    if isinstance(key, slice):
        return range(length)[key]
    if not isinstance(key, (int, np.integer)):
        return None
    position = range(length)[key]
    return range(position, position + 1)


def lazy(source: WindowedFile, chunks: tuple[int, ...]) -> Any:
    """A dask array that reads from the file."""
    import dask.array as da

    # name=False: a random name; hashing the file's content would read all of it
    return da.from_array(source, chunks=chunks, name=False, meta=np.empty((0,) * source.ndim, source.dtype))


def window_chunks(
    shape: tuple[int, int, int], dtype: np.dtype, *, block: tuple[int, int] | None = None
) -> tuple[int, int, int]:
    """Chunks of a `(band, y, x)` array: all bands of a window, as tiling reads it.

    Args:
        shape: of the array.
        dtype: of the array.
        block: rows and columns that the file stores together, if it is blocked.
    """
    n_bands, height, width = shape
    pixels = max(1, CHUNK_BYTES // max(1, n_bands * dtype.itemsize))
    block_rows, block_columns = block or (1, width)
    if block_columns >= width:  # stored in whole rows
        rows = max(1, pixels // width)
        rows = max(block_rows, rows - rows % block_rows)
        return n_bands, min(height, rows), width
    side = max(1, math.isqrt(pixels))
    rows = max(block_rows, side - side % block_rows)
    columns = max(block_columns, side - side % block_columns)
    return n_bands, min(height, rows), min(width, columns)


def one_line(error: BaseException) -> str:
    """An error of another library in one short line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else text[:157] + "..."
