"""Small scenes whose pixels say where they come from."""

from __future__ import annotations

import numpy as np
import xarray as xr

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
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


def amount_scene(height=48, width=40, *, seed=0, name="made", sum_to_one=False, quantities=3, dates=1, **options):
    """A scene with amounts and no mask, some of them unknown; images as in `made_scene`."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    image = np.stack([[y * 1000 + x + 10 * date + band for band in range(2)] for date in range(dates)])
    patches = rng.uniform(0.1, 9.0, (quantities, height // 5 + 1, width // 5 + 1))
    amounts = np.kron(patches, np.ones((1, 5, 5)))[:, :height, :width]
    if sum_to_one:
        amounts = amounts / amounts.sum(axis=0)
    amounts = np.where(rng.random((height, width)) < 0.1, np.nan, amounts).astype(np.float32)
    names = [f"part {i + 1}" for i in range(quantities)]
    return Scene.create(
        image=xr.DataArray(image.astype(np.float32), dims=("date", "band", "y", "x")),
        amounts=xr.DataArray(amounts, dims=("quantity", "y", "x")),
        quantities=Quantities.create(names, units=None if sum_to_one else "m", sum_to_one=sum_to_one),
        name=name,
        **options,
    )


def dated_scene(height=32, width=32, *, layers, dates=("before", "after"), seed=0, name="made", **options):
    """A scene of several dates with the given mask layers, two classes of values 1 and 4, some unlabelled."""
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(len(dates), 3, height, width)).astype(np.float32)
    mask = rng.choice(np.array([-1, 1, 4], np.int16), (len(layers), height, width))
    return Scene.create(
        image=xr.DataArray(image, dims=("date", "band", "y", "x"), coords={"date": list(dates)}),
        mask=xr.DataArray(mask, dims=("layer", "y", "x"), coords={"layer": list(layers)}),
        classes=Classes.create([1, 4], ["meadow", "roof"]),
        name=name,
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
