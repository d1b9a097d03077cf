"""Little scenes that are always there, of one date and of two."""

from __future__ import annotations

import numpy as np
import xarray as xr

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.scene import Scene


def make_little_scene(*, seed: int = 0, height: int = 48, width: int = 40, name: str = "little") -> Scene:
    """The scene of the fixture `little_scene`, in other sizes and with other noise.

    Fields are 8 x 10 px with borders that are not labelled, as are single pixels here and there; class values
    are 2, 5 and 7, so that no test passes that takes values for positions.
    """
    random = np.random.default_rng(seed)
    wavelength = np.linspace(450.0, 1000.0, 12)
    spectra = np.stack(
        [
            1500 + 2500 / (1 + np.exp(-(wavelength - 715) / 15)),  # vegetation: a step at the red edge
            1200 + 2.4 * (wavelength - 450),  # soil: a slope
            1100 * np.exp(-(wavelength - 450) / 200) + 150,  # water: dark towards the infrared
        ]
    )
    rows, columns = np.mgrid[:height, :width]
    field = (rows // 8) * 5 + columns // 10
    position = np.array([0, 1, 0, 2, 1, 2, 0])[field % 7]
    image = spectra[position].transpose(2, 0, 1)
    brightness = random.normal(1.0, 0.05, field.max() + 1)[field]
    image = image * brightness + random.normal(0.0, 25.0, image.shape)
    border = (rows % 8 == 0) | (columns % 10 == 0)
    mask = np.array([2, 5, 7], np.int16)[position]
    mask[border | (random.random(mask.shape) < 0.1)] = UNLABELLED
    return Scene.create(
        image=xr.DataArray(image[None].astype(np.float32), dims=("date", "band", "y", "x")),
        mask=xr.DataArray(mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]}),
        classes=Classes.create([2, 5, 7], ["grass", "bare soil", "water"]),
        wavelength=wavelength,
        fwhm=np.full(12, 50.0),
        band_name=[f"B{i + 1}" for i in range(12)],
        name=name,
        sources=[f"{name}.npy"],
        units="reflectance x 10000",
    )


def make_little_change() -> Scene:
    """`make_little_scene` at the dates 2000 and 2003, with a mask of change (0 unchanged, 1 changed) in its south."""
    before, after = make_little_scene(name="change"), make_little_scene(seed=1)
    first, second = (scene.dataset["image"].values[0] for scene in (before, after))
    changed = np.zeros((before.height, before.width), np.int16)
    changed[24:, 10:30] = 1
    second = np.where(changed[None] == 1, second[::-1], second)
    return Scene.create(
        image=xr.DataArray(
            np.stack([first, second]), dims=("date", "band", "y", "x"), coords={"date": ["2000", "2003"]}
        ),
        mask=xr.DataArray(changed[None], dims=("layer", "y", "x"), coords={"layer": ["change"]}),
        classes=Classes.create([0, 1], ["unchanged", "changed"]),
        wavelength=before.wavelength,
        fwhm=before.fwhm,
        band_name=before.band_name,
        name="change",
        units=before.units,
    )
