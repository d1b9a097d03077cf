"""Rasters of one grid written together, so that the readers of this project find again what was meant.

Files are written beside their final names, and renamed when all of all of them is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import numpy as np

from specdm.errors import RunError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.raster_files import RasterFacts, RasterWriter, new_raster
from specdm.scenes.write_failures import not_written

SUFFIXES = (".tif", ".tiff", ".npy", ".png")
BLOCK = 16
"""Blocks of a GeoTIFF are multiples of this."""


def mask_storage(classes: Classes) -> tuple[np.dtype, int]:
    """Number type and unlabelled value by which a mask of these classes is stored: uint8 with 0 or 255 if possible."""
    if min(classes.values) >= 0 and max(classes.values) <= 255:
        free = next((value for value in (0, 255) if value not in classes.values), None)
        if free is not None:
            return np.dtype(np.uint8), free
    return np.dtype(np.int16), UNLABELLED


def check_output(path: Path, *, overwrite: bool, suffixes: Sequence[str] = SUFFIXES) -> None:
    """Raise RunError if a raster of this name cannot be written, or is there and shall stay."""
    if path.suffix.lower() not in suffixes:
        raise RunError(f"{path}: cannot be written as {path.suffix or 'a file without ending'}; expected one of "
                       f"{', '.join(suffixes)}")  # fmt: skip
    if path.is_dir():
        raise RunError(f"{path} is a folder; choose another name")
    if path.exists() and not overwrite:
        raise RunError(f"{path} exists already; add --overwrite to replace it, or choose another name")


class RasterSet:
    """Several rasters of one grid; use as a context manager. All get their names at the end, or none of them does.

    Raises:
        RunError: one of them cannot be written, found when it is begun, written to or finished.

    Example:
        >>> with RasterSet({Path("mask.tif"): facts}) as rasters:
        ...     rasters.write(Path("mask.tif"), 0, 0, values)
    """

    def __init__(self, rasters: Mapping[Path, RasterFacts]) -> None:
        self._facts = dict(rasters)
        self._writers: dict[Path, RasterWriter] = {}

    def __enter__(self) -> RasterSet:
        try:
            for path, facts in self._facts.items():
                with _told(path):
                    self._writers[path] = new_raster(path, facts)
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, path: Path, y: int, x: int, values: np.ndarray) -> None:
        """Write `(band, rows, columns)` of one of the rasters; each pixel once."""
        facts = self._facts[path]
        with _told(path):
            self._writers[path].write(y, x, np.asarray(values).astype(facts.dtype, copy=False))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                # none has its name before all are whole
                for path, writer in self._writers.items():
                    with _told(path):
                        writer.close()
                for path, writer in self._writers.items():
                    with _told(path):
                        writer.take_name()
        finally:
            self._discard()

    def _discard(self) -> None:
        for writer in self._writers.values():
            writer.discard()


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(not_written(path, error)) from error


def block_of(pixels: int) -> int:
    """The largest multiple of `BLOCK` that is not above, at least `BLOCK`."""
    return max(BLOCK, math.floor(pixels / BLOCK) * BLOCK)
