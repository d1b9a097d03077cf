"""Rasters written window by window, so that the readers of this project find again what was meant.

A file is written beside its final name and renamed when all of it is there.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from specdm.errors import RunError
from specdm.scenes.classes import UNLABELLED, Classes

SUFFIXES = (".tif", ".tiff", ".npy", ".png")
BLOCK = 16
"""Blocks of a GeoTIFF are multiples of this."""


@dataclass(frozen=True)
class RasterFacts:
    """All about a raster but its values.

    Attributes:
        shape: bands, rows, columns.
        dtype: of the values.
        nodata: value that means nothing, or None.
        band_name: one a band, or None.
        units: unit of the values, or None.
        classes: what values mean, or None.
        georeference: `{"crs": WKT or None, "transform": [a, b, c, d, e, f]}`, or None.
        block: rows and columns of a block, multiples of `BLOCK`: windows of this size are written once.
    """

    shape: tuple[int, int, int]
    dtype: Any
    nodata: float | None = None
    band_name: Sequence[str] | None = None
    units: Sequence[str] | None = None
    classes: Classes | None = None
    georeference: Mapping[str, Any] | None = None
    block: int = 256
    tags: Mapping[str, str] = field(default_factory=dict)


class RasterWriter(Protocol):
    """Takes windows; the file has its name only after `finish`."""

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        """Write `(band, rows, columns)` at this first row and column."""

    def finish(self) -> None:
        """Give the file its name."""

    def discard(self) -> None:
        """Remove what was written, unless it is finished."""


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


def new_raster(path: Path, facts: RasterFacts) -> RasterWriter:
    """A writer for the kind of file that the ending names.

    GeoTIFF: values, names, colours and place. NumPy: `(y, x)`, or `(y, x, band)` for several bands. PNG: one band of
    uint8 classes with their colours.

    Raises:
        RunError: another ending, a PNG of something else, or a place that takes no files.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return _Array(path, facts)
    if suffix == ".png":
        if facts.shape[0] != 1 or facts.dtype != np.uint8 or facts.classes is None:
            raise RunError(f"{path}: a PNG holds one mask of class values from 0 to 255; expected .tif or .npy here")
        return _Picture(path, facts)
    return _GeoTiff(path, facts)


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


class _File:
    """A file that is written under another name first."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.partial = _partial(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"{path}: its folder cannot be made ({error.strerror or error})") from None

    def _rename(self) -> None:
        os.replace(self.partial, self.path)

    def discard(self) -> None:
        self.partial.unlink(missing_ok=True)


class _GeoTiff(_File):
    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning
        from rasterio.transform import Affine

        bands, rows, columns = facts.shape
        place = facts.georeference or {}
        options: dict[str, Any] = {}
        if min(rows, columns) > facts.block:
            options = {"tiled": True, "blockxsize": facts.block, "blockysize": facts.block}
        if place.get("transform"):
            options["transform"] = Affine(*place["transform"])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            self._file = rasterio.open(
                self.partial, "w", driver="GTiff", count=bands, height=rows, width=columns, dtype=facts.dtype,
                nodata=facts.nodata, crs=place.get("crs"), compress="deflate", BIGTIFF="IF_SAFER", **options,
            )  # fmt: skip
        self._describe(facts)

    def _describe(self, facts: RasterFacts) -> None:
        if facts.tags:
            self._file.update_tags(**facts.tags)
        for band, name in enumerate(facts.band_name or (), start=1):
            self._file.set_band_description(band, name)
        for band, unit in enumerate(facts.units or (), start=1):
            if unit:
                self._file.set_band_unit(band, unit)
        if facts.classes is None:
            return
        names = zip(facts.classes.values, facts.classes.names, strict=True)
        self._file.update_tags(1, **{f"class_{value}": name for value, name in names})
        if np.dtype(facts.dtype) == np.uint8 and facts.shape[0] == 1:
            self._file.write_colormap(1, {value: (*rgb, 255) for value, rgb in _colours(facts.classes).items()})

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        self._file.write(values, window=((y, y + rows), (x, x + columns)))

    def finish(self) -> None:
        self._file.close()
        self._rename()

    def discard(self) -> None:
        self._file.close()
        super().discard()


class _Array(_File):
    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        bands, rows, columns = facts.shape
        shape = (rows, columns) if bands == 1 else (rows, columns, bands)
        self._values = np.lib.format.open_memmap(self.partial, mode="w+", dtype=facts.dtype, shape=shape)

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        planes = values[0] if self._values.ndim == 2 else np.moveaxis(values, 0, -1)
        self._values[y : y + rows, x : x + columns] = planes

    def finish(self) -> None:
        self._values.flush()
        self._rename()


class _Picture(_File):
    """A PNG is compressed row by row, so it is held as a whole: a byte a pixel."""

    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        self._values = np.full(facts.shape[1:], 0 if facts.nodata is None else int(facts.nodata), np.uint8)
        self._classes = facts.classes

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        self._values[y : y + rows, x : x + columns] = values[0]

    def finish(self) -> None:
        from PIL import Image

        picture = Image.fromarray(self._values)
        if self._classes is not None:
            palette = np.zeros((256, 3), np.uint8)
            for value, rgb in _colours(self._classes).items():
                palette[value] = rgb
            picture.putpalette(palette.tobytes())
        picture.save(self.partial, format="PNG")
        self._rename()


def _colours(classes: Classes) -> dict[int, tuple[int, int, int]]:
    return {
        value: (int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))
        for value, color in zip(classes.values, classes.colors, strict=True)
    }


class RasterSet:
    """Several rasters of one grid; use as a context manager. All get their names at the end, or none of them does.

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
                self._writers[path] = new_raster(path, facts)
        except BaseException:
            self._discard()
            raise
        return self

    def write(self, path: Path, y: int, x: int, values: np.ndarray) -> None:
        """Write `(band, rows, columns)` of one of the rasters."""
        facts = self._facts[path]
        self._writers[path].write(y, x, np.asarray(values).astype(facts.dtype, copy=False))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for writer in self._writers.values():
                    writer.finish()
        except OSError as failed:
            raise RunError(f"{failed.filename or next(iter(self._facts))}: cannot be written ({failed})") from None
        finally:
            self._discard()

    def _discard(self) -> None:
        for writer in self._writers.values():
            writer.discard()


def block_of(pixels: int) -> int:
    """The largest multiple of `BLOCK` that is not above, at least `BLOCK`."""
    return max(BLOCK, math.floor(pixels / BLOCK) * BLOCK)
