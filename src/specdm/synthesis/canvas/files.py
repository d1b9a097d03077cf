"""What a scene on disk says beside its values, and the kinds of file it can be written to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import xarray as xr

from specdm.errors import ConfigError, SceneError
from specdm.models.pixels import Pixels
from specdm.scenes.georeference import georeferenced
from specdm.scenes.scene import Scene
from specdm.synthesis.canvas.windows import Area
from specdm.synthesis.facts import TileFacts
from specdm.tiles.export.names import file_words

SUFFIXES = (".nc", ".tif", ".tiff")


@dataclass(frozen=True)
class SceneHead:
    """Everything about a drawn scene but its values.

    Attributes:
        facts: of the model: bands, dates, classes, quantities.
        height, width: in pixels.
        name: what reports call it.
        transform, crs: where it lies, as rasterio has them; None if nowhere.
        note: what must be said wherever it is shown.
        attrs: plain attributes, such as the model's id and the seed.
    """

    facts: TileFacts
    height: int
    width: int
    name: str
    transform: Any
    crs: Any
    note: str
    attrs: dict[str, str | int]

    def scene(self, path: Path, image: Any, masks: Sequence[Any], amounts: Any) -> Scene:
        """The scene from arrays that may be lazy.

        Args:
            path: of the file.
            image: `(date, band, y, x)`.
            masks: `(y, x)`, one a layer.
            amounts: `(quantity, y, x)`, or None.
        """
        facts = self.facts
        values = xr.DataArray(image, dims=("date", "band", "y", "x"), coords={"date": np.asarray(facts.dates)})
        layers = [xr.DataArray(mask, dims=("y", "x")) for mask in masks]
        scene = Scene.create(
            image=georeferenced(values, crs=self.crs, transform=self.transform),
            mask=xr.concat(layers, dim="layer").assign_coords(layer=facts.layers) if layers else None,
            classes=facts.classes if layers else None,
            amounts=None if amounts is None else xr.DataArray(amounts, dims=("quantity", "y", "x")),
            quantities=facts.quantities,
            date_sensor=facts.date_sensor,
            band_sensor=facts.band_sensor,
            wavelength=facts.wavelength,
            fwhm=facts.fwhm,
            band_name=facts.band_name,
            name=self.name,
            sources=[path],
            units=facts.image_units,
            note=self.note,
        )
        scene.dataset.attrs.update(self.attrs)
        return scene

    def values(self, pixels: Pixels, area: Area) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Image `(date, band, y, x)`, masks `(layer, y, x)` and amounts `(quantity, y, x)` as files hold them.

        Args:
            pixels: one tile, of at least the area's size; what is beyond the area is cut off.
            area: of the scene.
        """
        kept = (slice(area.height), slice(area.width))
        masks = self.facts.masks_of(pixels)[0] if self.facts.layers else np.zeros((0, *pixels.images.shape[-2:]))
        return (
            pixels.images[0].numpy().astype(np.float32)[..., *kept],
            masks.astype(np.int16)[..., *kept],
            pixels.amounts[0].numpy().astype(np.float32)[..., *kept],
        )


class SceneWriter(Protocol):
    """Writes a scene part by part into a folder, under the names it will have."""

    def write(self, area: Area, pixels: Pixels) -> None:
        """Write the pixels of an area, of which the first tile has at least the area's size."""

    def close(self) -> None:
        """Finish the files."""


def file_names(path: Path, facts: TileFacts) -> list[str]:
    """Names of the files that a scene of this name consists of, the image first.

    Raises:
        ConfigError: another kind of file, or one that cannot hold several dates.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ConfigError(f"{path}: scenes are written as NetCDF (.nc) or GeoTIFF (.tif); choose one of these endings")
    if suffix == ".nc":
        return [path.name]
    if len(facts.dates) > 1:
        raise ConfigError(f"{path}: a GeoTIFF holds one date, this model draws {len(facts.dates)}; choose a .nc file")
    masks = [f"mask{word}" for word in mask_words(facts)]
    parts = masks + (["amounts"] if facts.quantities is not None else [])
    return [path.name, *(f"{path.stem}_{part}{path.suffix}" for part in parts)]


def mask_words(facts: TileFacts) -> list[str]:
    """What tells masks of several layers apart in names, "_2000-03-17": neither files nor variables take a slash."""
    return file_words(facts.layers)


def least_bytes(path: Path, head: SceneHead) -> int:
    """What the files of a scene take at the least."""
    facts, netcdf = head.facts, path.suffix.lower() == ".nc"
    numbers = len(facts.dates) * len(facts.band_name) + len(facts.quantities or ())
    # masks are compressed in NetCDF
    return head.height * head.width * (4 * numbers + (0 if netcdf else 2 * len(facts.layers)))


def new_files(folder: Path, path: Path, head: SceneHead, *, block: int) -> SceneWriter:
    """Begin the files of a scene in a folder.

    Args:
        folder: an empty one.
        path: where they will go.
        head: of the scene.
        block: pixels along the blocks in which the scene is written.

    Raises:
        OSError: there is no room for them; so do the methods of what is returned.
    """
    from specdm.synthesis.canvas.geotiff import GeoTiffWriter
    from specdm.synthesis.canvas.netcdf import NetCDFWriter

    files = [folder / name for name in file_names(path, head.facts)]
    if path.suffix.lower() == ".nc":
        return NetCDFWriter(files[0], head, block=block)
    return GeoTiffWriter(files, head, block=block)


def open_files(path: Path, head: SceneHead) -> Scene:
    """The scene that was written, lazily.

    Raises:
        SceneError: it cannot be read.
    """
    from specdm.synthesis.canvas.geotiff import open_geotiff
    from specdm.synthesis.canvas.netcdf import open_netcdf

    files = [path.parent / name for name in file_names(path, head.facts)]
    try:
        return open_netcdf(files[0], head) if path.suffix.lower() == ".nc" else open_geotiff(files, head)
    except OSError as error:
        raise SceneError(f"{path}: cannot be read ({error})") from error
