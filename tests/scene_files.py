"""Scenes and masks written as GeoTIFFs, as users have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from specdm.scenes.scene import Scene

PLACE = from_origin(500_000, 4_100_000, 30, 30)
CRS = "EPSG:32633"


def write_tif(
    path: Path,
    array: np.ndarray,
    *,
    wavelength: np.ndarray | None = None,
    names: Mapping[int, str] | None = None,
    nodata: float | None = None,
) -> Path:
    """`(band, y, x)` or `(y, x)` at `PLACE`; `names` of mask values are tags `class_N`."""
    array = array if array.ndim == 3 else array[None]
    with rasterio.open(
        path, "w", driver="GTiff", count=len(array), height=array.shape[1], width=array.shape[2], dtype=array.dtype,
        nodata=nodata, crs=CRS, transform=PLACE,
    ) as file:  # fmt: skip
        file.write(array)
        for band, centre in enumerate(wavelength if wavelength is not None else (), start=1):
            file.update_tags(band, wavelength=f"{centre:.2f}", wavelength_units="nanometers")
        for value, name in (names or {}).items():
            file.update_tags(1, **{f"class_{value}": name})
    return path


def write_date(folder: Path, scene: Scene, date: int = 0, *, name: str = "scene.tif") -> Path:
    """One date of a scene."""
    image = scene.dataset["image"].values[date]
    return write_tif(folder / name, image, wavelength=scene.wavelength)


def write_mask(folder: Path, scene: Scene, *, name: str = "mask.tif") -> Path:
    """The first layer of its mask, with 0 for unlabelled and the names of its classes."""
    mask = scene.dataset["mask"].values[0]
    assert scene.classes is not None
    plane = np.where(mask < 0, 255 if 0 in scene.classes.values else 0, mask).astype(np.uint8)
    names = dict(zip(scene.classes.values, scene.classes.names, strict=True))
    return write_tif(folder / name, plane, names=names, nodata=255 if 0 in scene.classes.values else None)
