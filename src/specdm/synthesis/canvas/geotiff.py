"""Scenes as GeoTIFF: the image, and beside it a file for each mask layer and one for amounts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rasterio.errors import RasterioError

from specdm.models.pixels import Pixels
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.raster_files import colours
from specdm.scenes.raster_writer import mask_storage
from specdm.scenes.readers.geotiff import open_quietly, read_geotiff
from specdm.scenes.scene import Scene
from specdm.scenes.write_failures import LOST, os_errors
from specdm.synthesis.canvas.files import SceneHead
from specdm.synthesis.canvas.windows import Area


class GeoTiffWriter:
    """Band centres, widths and names are tags of the bands, class names tags of the masks, as the reader takes them.

    A file is opened for each block: GDAL keeps what was written until a file is closed, a share of the machine's
    memory at the most, and peak memory would grow with the scene. It drops the errors of closing, so that what was
    written is read again.

    Args:
        files: new files: image, masks, amounts.
        head: of the scene.
        block: pixels along a block, a multiple of 16.

    Raises:
        OSError: from each method, where the place is full or not writable.
    """

    def __init__(self, files: Sequence[Path], head: SceneHead, *, block: int):
        self._files, self._head, facts = list(files), head, head.facts
        size = {"height": head.height, "width": head.width, "crs": head.crs, "transform": head.transform}
        layout = {"tiled": True, "blockxsize": block, "blockysize": block, "interleave": "band", "bigtiff": "if_safer"}
        masks, (dtype, free) = len(facts.layers), _storage(head)
        for number, path in enumerate(files):
            is_mask = 1 <= number <= masks
            count = len(facts.band_name) if number == 0 else 1 if is_mask else len(facts.quantities or ())
            kind = {"dtype": dtype, "nodata": free} if is_mask else {"dtype": "float32", "nodata": np.nan}
            options = {"driver": "GTiff", "count": count, **kind, **size, **layout}
            with os_errors(path, RasterioError), open_quietly(path, mode="w", **options) as file:
                file.update_tags(note=head.note, **{key: str(value) for key, value in head.attrs.items()})
                if number == 0:
                    _tag_bands(file, head)
                elif is_mask and facts.classes is not None:
                    pairs = zip(facts.classes.values, facts.classes.names, strict=True)
                    file.update_tags(1, **{f"class_{value}": name for value, name in pairs})
                    if dtype == np.uint8:
                        file.write_colormap(1, {value: (*rgb, 255) for value, rgb in colours(facts.classes).items()})
                elif not is_mask and facts.quantities is not None:
                    file.descriptions = facts.quantities.names
                    file.units = facts.quantities.units
            # all of it is there from now on, filled with nodata: the last pixel lies at the end of the file
            _check(path, ((head.height - 1, head.height), (head.width - 1, head.width)))

    def write(self, area: Area, pixels: Pixels) -> None:
        """Write the pixels of an area, of which the first tile has at least the area's size."""
        image, masks, amounts = self._head.values(pixels, area)
        dtype, free = _storage(self._head)
        stored = (np.where(mask == UNLABELLED, free, mask).astype(dtype)[None] for mask in masks)
        parts = [image[0], *stored, *([amounts] if len(amounts) else [])]
        window = ((area.y, area.y + area.height), (area.x, area.x + area.width))
        for path, values in zip(self._files, parts, strict=True):
            with os_errors(path, RasterioError), open_quietly(path, mode="r+") as file:
                file.write(values, window=window)
            _check(path, window, values)

    def close(self) -> None:
        """Nothing is left to do."""


def open_geotiff(files: Sequence[Path], head: SceneHead) -> Scene:
    """The scene that `GeoTiffWriter` wrote, lazily."""
    arrays = [read_geotiff(path).values for path in files]
    stop, free = 1 + len(head.facts.layers), _storage(head)[1]
    planes = [array[0].astype(np.int16) for array in arrays[1:stop]]
    masks = [plane.where(plane != free, UNLABELLED).data for plane in planes]
    amounts = arrays[stop].data if head.facts.quantities is not None else None
    return head.scene(files[0], arrays[0].data[None], masks, amounts)


def _storage(head: SceneHead) -> tuple[np.dtype, int]:
    """As masks are stored elsewhere, with colours where they fit."""
    classes = head.facts.classes
    return (np.dtype(np.int16), UNLABELLED) if classes is None else mask_storage(classes)


def _check(path: Path, window: tuple[tuple[int, int], tuple[int, int]], values: np.ndarray | None = None) -> None:
    """Raise OSError unless a window is there to read, with these values if any are given."""
    with os_errors(path):
        try:
            with open_quietly(path) as file:
                found = file.read(window=window)
        except RasterioError:
            raise OSError(LOST) from None
        if values is not None and not np.array_equal(found, values, equal_nan=True):
            raise OSError(LOST)


def _tag_bands(file: Any, head: SceneHead) -> None:
    facts = head.facts
    file.descriptions = tuple(facts.band_name)
    if facts.image_units:
        file.units = (facts.image_units,) * file.count
    for band in range(file.count):
        tags = {
            name: repr(float(numbers[band]))
            for name, numbers in (("wavelength", facts.wavelength), ("fwhm", facts.fwhm))
            if numbers is not None
        }
        if tags:
            file.update_tags(band + 1, wavelength_units="nm", **tags)
