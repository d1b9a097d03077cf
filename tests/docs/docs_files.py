"""The files that the documentation's pages name, little ones: what a reader is supposed to have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from little_scenes import make_little_scene
from PIL import Image
from scene_files import PLACE, write_date, write_mask, write_tif

from specdm.scenes.scene import Scene

ROWS, COLUMNS = 96, 80


def write_files(folder: Path) -> None:
    """Scenes, masks, dates, amounts under the names that pages use; ground of 96 x 80 px, 12 bands, three classes."""
    scene, later = (make_little_scene(height=ROWS, width=COLUMNS, seed=seed) for seed in (0, 1))
    classes = scene.dataset["mask"].values[0]
    write_date(folder, scene)
    write_mask(folder, scene, name="labels.tif")
    _write_envi(folder / "scene.hdr", scene)
    for name, seed in (("new.tif", 2), ("more.tif", 3), ("other.tif", 4)):
        write_date(folder, make_little_scene(height=32, width=48, seed=seed), name=name)
    _write_picture(folder / "drawn.png", np.where(classes < 0, 0, classes)[:32, :48])
    known = np.ones((ROWS, COLUMNS))
    known[20:40, 30:50] = 0
    _write_picture(folder / "known.png", known)
    _write_dates(folder, scene, later)
    _write_amounts(folder, scene)


def change_scene() -> Scene:
    """The dates 2000 and 2003 with their change, as `2000.tif`, `2003.tif` and `change.png` have them."""
    before, after = (make_little_scene(height=ROWS, width=COLUMNS, seed=seed) for seed in (0, 1))
    first, second, changed = _dates(before, after)
    return Scene.create(
        image=xr.DataArray(
            np.stack([first, second]), dims=("date", "band", "y", "x"), coords={"date": ["2000", "2003"]}
        ),
        mask=xr.DataArray(changed[None].astype(np.int16), dims=("layer", "y", "x"), coords={"layer": ["change"]}),
        wavelength=before.wavelength,
        name="change",
    )


def _dates(before: Scene, after: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images of the two dates `(band, y, x)`, and 1 where the second shows other ground."""
    first, second = before.dataset["image"].values[0], after.dataset["image"].values[0]
    changed = np.zeros((ROWS, COLUMNS), np.uint8)
    changed[40:, 20:60] = 1
    return first, np.where(changed == 1, second[::-1], second), changed


def _write_dates(folder: Path, before: Scene, after: Scene) -> None:
    first, second, changed = _dates(before, after)
    write_tif(folder / "2000.tif", first, wavelength=before.wavelength)
    write_tif(folder / "2003.tif", second, wavelength=before.wavelength)
    _write_picture(folder / "change.png", changed)
    write_mask(folder, before, name="classes2000.tif")
    write_mask(folder, after, name="classes2003.tif")


def _write_amounts(folder: Path, scene: Scene) -> None:
    classes = scene.dataset["mask"].values[0]
    shares = np.stack([np.where(classes == value, 0.8, 0.1) for value in (2, 5, 7)])
    shares[:, classes < 0] = 1 / 3
    write_tif(folder / "abundances.tif", shares.astype(np.float32))
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    write_tif(folder / "height.tif", (10 + np.sin(rows / 9) + np.cos(columns / 7)).astype(np.float32))


def _write_picture(path: Path, values: np.ndarray) -> None:
    Image.fromarray(values.astype(np.uint8)).save(path)


def _write_envi(path: Path, scene: Scene) -> None:
    image = scene.dataset["image"].values[0]
    data = path.with_suffix(".img")
    with rasterio.open(
        data, "w", driver="ENVI", count=len(image), height=ROWS, width=COLUMNS, dtype="float32", crs="EPSG:32633",
        transform=PLACE,
    ) as file:  # fmt: skip
        file.write(image)
    assert scene.wavelength is not None
    centres = ", ".join(f"{centre:.2f}" for centre in scene.wavelength)
    with path.open("a") as header:
        header.write(f"wavelength units = Nanometers\nwavelength = {{{centres}}}\n")
    for leftover in path.parent.glob(f"{data.name}.aux.xml"):
        leftover.unlink()
