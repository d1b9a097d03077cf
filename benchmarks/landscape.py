"""A simulated landscape at two dates, as files: large enough that test ground is more than a tile or two."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from fidelity_sets import Set

SIDE = 256
DATES = ("2023-06-08", "2024-08-20")


def simulated_landscape(folder: Path, named: Set) -> Set:
    """The set with its files, which are written to the folder if they are not there."""
    from specdm.simulation.change import simulate_change

    images, mask = [folder / f"{date}.npy" for date in DATES], folder / "mask.npy"
    wavelengths = folder / "wavelengths.npy"
    if not all(path.exists() for path in (*images, mask, wavelengths)):
        folder.mkdir(parents=True, exist_ok=True)
        scene = simulate_change(size=(SIDE, SIDE), dates=DATES).scene.dataset
        np.save(wavelengths, scene["wavelength"].values)
        np.save(mask, scene["mask"].values[0])
        for path, image in zip(images, scene["image"].values, strict=True):
            np.save(path, np.moveaxis(image, 0, -1).astype(np.float32))
    options = {
        "dates": list(DATES),
        "mask": mask,
        "mask_kind": "change",
        "wavelengths": np.load(wavelengths).tolist(),
    }
    return replace(named, inputs=tuple(images), options=options)
