"""Rasters of one kind of file each, written window by window beside the final name.

A file is whole, or refused, before it gets its name.
"""

from __future__ import annotations

import os
import warnings
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from specdm.errors import RunError
from specdm.scenes.classes import Classes
from specdm.scenes.disk_room import reserve
from specdm.scenes.write_failures import LOST, os_errors


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
        block: rows and columns of a block, multiples of 16: windows of this size are written once.
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
    """Takes windows that lie side by side; what cannot be written raises OSError, in any of the methods."""

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        """Write `(band, rows, columns)` at this first row and column."""

    def close(self) -> None:
        """Finish the file under the name that it has meanwhile, and make sure that it is whole."""

    def take_name(self) -> None:
        """Give the closed file its name."""

    def discard(self) -> None:
        """Remove what was written, unless it has its name."""


def new_raster(path: Path, facts: RasterFacts) -> RasterWriter:
    """A writer for the kind of file that the ending names.

    GeoTIFF: values, names, colours and place. NumPy: `(y, x)`, or `(y, x, band)` for several bands. PNG: one band of
    uint8 classes with their colours.

    Raises:
        RunError: another ending, a PNG of something else, or a place that takes no files.
        OSError: there is no room, or it may not be written.
    """
    suffix = path.suffix.lower()
    if suffix == ".png" and (facts.shape[0] != 1 or facts.dtype != np.uint8 or facts.classes is None):
        raise RunError(f"{path}: a PNG holds one mask of class values from 0 to 255; expected .tif or .npy here")
    kinds: dict[str, type[_Array | _Picture | _GeoTiff]] = {".npy": _Array, ".png": _Picture}
    try:
        return kinds.get(suffix, _GeoTiff)(path, facts)
    except BaseException:
        with suppress(OSError):
            _partial(path).unlink(missing_ok=True)
        raise


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

    def take_name(self) -> None:
        with os_errors(self.path):
            os.replace(self.partial, self.path)

    def discard(self) -> None:
        with suppress(OSError):
            self.partial.unlink(missing_ok=True)


class _GeoTiff(_File):
    """GDAL drops the errors of closing, with which a full disk shows: what was written is read again."""

    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        import rasterio
        from rasterio.errors import NotGeoreferencedWarning, RasterioError
        from rasterio.transform import Affine

        self._errors, self._dtype = RasterioError, facts.dtype
        self._sums: dict[tuple[tuple[int, int], tuple[int, int]], int] = {}
        bands, rows, columns = facts.shape
        place = facts.georeference or {}
        options: dict[str, Any] = {}
        if min(rows, columns) > facts.block:
            options = {"tiled": True, "blockxsize": facts.block, "blockysize": facts.block}
        if place.get("transform"):
            options["transform"] = Affine(*place["transform"])
        with warnings.catch_warnings(), os_errors(path, RasterioError):
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
            self._file.write_colormap(1, {value: (*rgb, 255) for value, rgb in colours(facts.classes).items()})

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        window = ((y, y + rows), (x, x + columns))
        values = np.ascontiguousarray(values, dtype=self._dtype)
        with os_errors(self.path, self._errors):
            self._file.write(values, window=window)
        self._sums[window] = zlib.crc32(values.data)

    def close(self) -> None:
        with os_errors(self.path, self._errors):
            self._file.close()
            if not self._is_whole():
                raise OSError(LOST)

    def _is_whole(self) -> bool:
        from specdm.scenes.readers.geotiff import open_quietly

        try:
            with open_quietly(self.partial) as file:
                return all(
                    zlib.crc32(file.read(window=window).data) == written for window, written in self._sums.items()
                )
        except self._errors:
            return False

    def discard(self) -> None:
        # what is thrown away need not be whole
        with suppress(OSError, self._errors):
            self._file.close()
        super().discard()


class _Array(_File):
    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        bands, rows, columns = facts.shape
        shape = (rows, columns) if bands == 1 else (rows, columns, bands)
        with os_errors(path):
            empty = np.lib.format.open_memmap(self.partial, mode="w+", dtype=facts.dtype, shape=shape)
            start, length = empty.offset, empty.nbytes
            del empty
            reserve(self.partial, start, length)
            self._values = np.lib.format.open_memmap(self.partial, mode="r+")

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        planes = values[0] if self._values.ndim == 2 else np.moveaxis(values, 0, -1)
        self._values[y : y + rows, x : x + columns] = planes

    def close(self) -> None:
        with os_errors(self.path):
            self._values.flush()


class _Picture(_File):
    """A PNG is compressed row by row, so it is held as a whole: a byte a pixel."""

    def __init__(self, path: Path, facts: RasterFacts) -> None:
        super().__init__(path)
        self._values = np.full(facts.shape[1:], 0 if facts.nodata is None else int(facts.nodata), np.uint8)
        self._classes = facts.classes

    def write(self, y: int, x: int, values: np.ndarray) -> None:
        rows, columns = values.shape[-2:]
        self._values[y : y + rows, x : x + columns] = values[0]

    def close(self) -> None:
        from PIL import Image

        picture = Image.fromarray(self._values)
        if self._classes is not None:
            palette = np.zeros((256, 3), np.uint8)
            for value, rgb in colours(self._classes).items():
                palette[value] = rgb
            picture.putpalette(palette.tobytes())
        with os_errors(self.path):
            picture.save(self.partial, format="PNG")


def colours(classes: Classes) -> dict[int, tuple[int, int, int]]:
    """Red, green and blue of each class value, 0 to 255."""
    return {
        value: (int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16))
        for value, color in zip(classes.values, classes.colors, strict=True)
    }
