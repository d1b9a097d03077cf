"""Bands that lie in several files, perhaps with pixels of other sizes, as one image that is read by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.georeference import georeferenced
from specdm.scenes.readers.geotiff import check_blocks, open_quietly
from specdm.scenes.readers.lazy import WindowedFile, lazy, one_line, window_chunks
from specdm.scenes.readers.products.files import ProductFiles
from specdm.scenes.readers.products.jpeg2000 import check_jpeg2000


@dataclass(frozen=True)
class Plane:
    """One band of a file that GDAL opens, beside the grid of the image.

    Attributes:
        file: what GDAL calls the file.
        band: its number in the file, from 1.
        shrink: pixels of the file along one pixel of the grid; several are averaged.
        grow: pixels of the grid along one pixel of the file, which is repeated. One of the two is 1.
    """

    file: str
    band: int = 1
    shrink: int = 1
    grow: int = 1


@dataclass(frozen=True)
class Band:
    """One band of the image: stored values times `scale` plus `offset` are those meant.

    Attributes:
        plane: where it is stored.
        scale, offset: see above.
        invalid: stored values that are no measurement (nodata, saturation).
    """

    plane: Plane
    scale: float = 1.0
    offset: float = 0.0
    invalid: tuple[float, ...] = ()


@dataclass(frozen=True)
class Flag:
    """Pixels that a quality layer marks.

    Attributes:
        name: one of `options.FLAGS`.
        plane: the quality layer.
        values: stored values that mark a pixel; none: any value but 0.
        bits: bits of which one is enough, for layers of bits.
        band: position of the only band that is marked; None: all of them.
    """

    name: str
    plane: Plane
    values: tuple[int, ...] = ()
    bits: int = 0
    band: int | None = None

    def marks(self, stored: np.ndarray) -> np.ndarray:
        """Which of the stored values mark their pixel, boolean."""
        if self.bits:
            return (stored & np.asarray(self.bits, stored.dtype)) != 0
        return np.isin(stored, self.values) if self.values else stored != 0


@dataclass(frozen=True)
class PlaneImage(WindowedFile):
    """The image `(band, y, x)` of these bands as float32, NaN where no data or where a flag marks a pixel."""

    bands: tuple[Band, ...] = ()
    flags: tuple[Flag, ...] = field(default=())

    def read(self, key: tuple[slice, ...]) -> np.ndarray:
        bands, rows, columns = key
        wanted = self.bands[bands]
        image = np.empty((len(wanted), rows.stop - rows.start, columns.stop - columns.start), np.float32)
        for at, group in _grouped([band.plane for band in wanted]):
            stored = read_planes(group, rows, columns)
            for position, values in zip(at, stored, strict=True):
                image[position] = _as_meant(values, wanted[position])
        flags = [flag for flag in self.flags if flag.band is None or bands.start <= flag.band < bands.stop]
        for at, group in _grouped([flag.plane for flag in flags]):
            for position, values in zip(at, read_planes(group, rows, columns), strict=True):
                flag = flags[position]
                marked = _any_in_blocks(flag.marks(values), flag.plane)
                if flag.band is None:
                    image[:, marked] = np.nan
                else:
                    image[flag.band - bands.start, marked] = np.nan
        return image


def plane_image(
    path: Path, bands: Sequence[Band], flags: Sequence[Flag], *, grid: tuple[int, int], crs: Any, transform: Any
) -> xr.DataArray:
    """`(band, y, x)` float32, lazy and georeferenced.

    Args:
        path: the product, for messages.
        bands: in order.
        flags: whose pixels become no data.
        grid: rows and columns.
        crs, transform: place of the grid.
    """
    shape = (len(bands), *grid)
    source = PlaneImage(
        path=path, shape=shape, dtype=np.dtype(np.float32), bands=tuple(bands), flags=tuple(flags)
    )
    chunks = window_chunks(shape, source.dtype, block=_block([band.plane for band in bands]))
    values = xr.DataArray(lazy(source, chunks), dims=("band", "y", "x"))
    return georeferenced(values, crs=crs, transform=transform)


def _block(planes: Sequence[Plane]) -> tuple[int, int]:
    """Rows and columns of the grid that a file stores together: of one with the grid's pixels, if there is one."""
    nearest = min(planes, key=lambda plane: (plane.grow, plane.shrink))
    with open_quietly(nearest.file) as file:
        rows, columns = file.block_shapes[0]
    return (max(1, rows * nearest.grow // nearest.shrink), max(1, columns * nearest.grow // nearest.shrink))


def opened(files: ProductFiles, name: str) -> Any:
    """An open rasterio file of a product, checked to be whole.

    Args:
        files: of the product.
        name: one of them.

    Raises:
        FileFormatError: damaged or truncated.
    """
    files.check(name)
    called, size = files.gdal(name), files.size(name)
    try:
        file = open_quietly(called)
        if size is not None and file.driver == "JP2OpenJPEG":
            check_jpeg2000(Path(called))
        elif size is not None:
            check_blocks(Path(called), file)
    except FileFormatError:
        raise
    except Exception as error:  # rasterio lets errors of several libraries through
        raise FileFormatError(
            f"{files.path}: {Path(name).name} cannot be read, it is damaged or truncated ({one_line(error)}); copy or "
            "download the product again"
        ) from error
    return file


def plane_of(files: ProductFiles, name: str, grid: tuple[int, int], *, band: int = 1) -> Plane:
    """One band of a file of a product, fitted to the grid.

    Args:
        files: of the product.
        name: one of them.
        grid: rows and columns.
        band: its number in the file, from 1.

    Raises:
        FileFormatError: damaged or truncated, or it does not fit the grid.
    """
    with opened(files, name) as file:
        size = file.shape
    shrink, grow = on_grid(size, grid, where=str(files.place / name))
    return Plane(files.gdal(name), band=band, shrink=shrink, grow=grow)


def on_grid(plane_size: tuple[int, int], grid: tuple[int, int], *, where: str) -> tuple[int, int]:
    """`shrink` and `grow` of a file of this size on the grid.

    Raises:
        FileFormatError: not a whole number of pixels fits, the same along rows and columns.
    """
    for (large, small), shrinks in (((plane_size, grid), True), ((grid, plane_size), False)):
        step = max(1, round(large[0] / small[0]))
        if tuple(n * step for n in small) == tuple(large):
            return (step, 1) if shrinks else (1, step)
    raise FileFormatError(
        f"{where}: has {plane_size[0]} x {plane_size[1]} px, which does not fit the image's {grid[0]} x {grid[1]} px; "
        "it is of another product, or damaged"
    )


def read_planes(planes: Sequence[Plane], rows: slice, columns: slice) -> np.ndarray:
    """A window of planes of one file: repeated where the grid is finer; as stored, `shrink` times as large, where it
    is coarser."""
    from rasterio import Env

    first = planes[0]
    top, left = rows.start * first.shrink // first.grow, columns.start * first.shrink // first.grow
    bottom, right = (-(-stop * first.shrink // first.grow) for stop in (rows.stop, columns.stop))
    # JPEG 2000 is slow to decode; GDAL does it on all cores if it is told
    with Env(GDAL_NUM_THREADS="ALL_CPUS"), open_quietly(first.file) as file:
        stored = file.read([plane.band for plane in planes], window=((top, bottom), (left, right)))
    if first.grow == 1:
        return stored
    repeated = stored.repeat(first.grow, axis=1).repeat(first.grow, axis=2)
    y, x = rows.start - top * first.grow, columns.start - left * first.grow
    return repeated[:, y : y + rows.stop - rows.start, x : x + columns.stop - columns.start]


def _grouped(planes: Sequence[Plane]) -> list[tuple[list[int], list[Plane]]]:
    """Positions and planes that one reading of one file gives."""
    order = sorted(range(len(planes)), key=lambda i: (planes[i].file, i))
    groups = groupby(order, key=lambda i: (planes[i].file, planes[i].shrink, planes[i].grow))
    return [(at, [planes[i] for i in at]) for at in (list(group) for _, group in groups)]


def _as_meant(stored: np.ndarray, band: Band) -> np.ndarray:
    """Values on the grid: the mean of what is valid in each pixel of it, scaled."""
    values = stored.astype(np.float32)
    for number in band.invalid:
        values[stored == number] = np.nan
    step = band.plane.shrink
    if step > 1:
        height, width = (n // step for n in values.shape)
        blocks = values.reshape(height, step, width, step)
        there = np.isfinite(blocks)
        count = there.sum(axis=(1, 3))
        with np.errstate(invalid="ignore"):
            values = np.where(there, blocks, 0).sum(axis=(1, 3)) / np.where(count == 0, np.nan, count)
    return values * np.float32(band.scale) + np.float32(band.offset)


def _any_in_blocks(marked: np.ndarray, plane: Plane) -> np.ndarray:
    step = plane.shrink
    if step == 1:
        return marked
    height, width = (n // step for n in marked.shape)
    return np.asarray(marked.reshape(height, step, width, step).any(axis=(1, 3)))
