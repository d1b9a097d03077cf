"""Small scenes whose pixels say where they come from."""

from __future__ import annotations

import numpy as np
import xarray as xr

from specdm.scenes.classes import Classes
from specdm.scenes.scene import Scene


def made_scene(
    height=48,
    width=40,
    *,
    bands=3,
    classes=4,
    seed=0,
    name="made",
    split_map=None,
    image=None,
    mask=None,
    **options,
):
    """A scene whose band 0 holds row * 1000 + column, with labels in patches of 5 px and some unlabelled."""
    rng = np.random.default_rng(seed)
    if image is None:
        y, x = np.mgrid[:height, :width]
        image = np.stack([y * 1000 + x + band for band in range(bands)]).astype(np.float32)[None]
    if mask is None:
        patches = rng.integers(-1, classes, (height // 5 + 1, width // 5 + 1))
        mask = np.kron(patches, np.ones((5, 5)))[:height, :width].astype(np.int16)
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x")),
        mask=xr.DataArray(mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]}),
        classes=Classes.create(range(classes)),
        wavelength=np.linspace(450.0, 2400.0, image.shape[1]),
        name=name,
        units="reflectance",
        split_map=split_map,
        **options,
    )


def pixels_of(tiles):
    """The (scene, row, column) of every pixel of a tile set."""
    found = set()
    for source, y, x in zip(
        *(tiles.dataset[key].values for key in ("source", "window_y", "window_x")), strict=True
    ):
        for row in range(y, y + tiles.size):
            found |= {(str(source), int(row), int(column)) for column in range(x, x + tiles.size)}
    return found
