"""Ground of fields whose classes are known, and tile sets of it."""

from __future__ import annotations

import numpy as np

from specdm.scenes.classes import Classes
from specdm.tiles.tileset import TileSet

CLASSES = Classes.create([2, 5, 7, 9], ["grass", "bare soil", "water", "roof"])
WAVELENGTH = np.linspace(450.0, 1000.0, 12)
SIZE = 16
GROUND = (48, 80)


def ground(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Image `(band, y, x)` and class positions `(y, x)` of fields of 8 x 10 px; class "roof" is rare."""
    random = np.random.default_rng(seed)
    spectra = np.stack(
        [
            1500 + 2500 / (1 + np.exp(-(WAVELENGTH - 715) / 15)),
            1200 + 2.4 * (WAVELENGTH - 450),
            1100 * np.exp(-(WAVELENGTH - 450) / 200) + 150,
            2800 - 1.5 * (WAVELENGTH - 450),
        ]
    )
    rows, columns = np.mgrid[: GROUND[0], : GROUND[1]]
    field = (rows // 8) * 8 + columns // 10
    position = random.permutation(np.r_[[0] * 19, [1] * 16, [2] * 11, [3] * 2])[field]
    image = spectra[position].transpose(2, 0, 1) * random.normal(1.0, 0.06, field.max() + 1)[field]
    return image + random.normal(0.0, 20.0, image.shape), position


def windows(stride: int, columns: range) -> np.ndarray:
    return np.array([(y, x) for y in range(0, GROUND[0] - SIZE + 1, stride) for x in columns])


def cut(image: np.ndarray, position: np.ndarray, yx: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images `(n, 1, band, y, x)` and masks `(n, 1, y, x)`."""
    images = np.stack([image[:, y : y + SIZE, x : x + SIZE] for y, x in yx])[:, None]
    index = np.stack([position[y : y + SIZE, x : x + SIZE] for y, x in yx])[:, None]
    return images.astype(np.float32), CLASSES.values_of(index)


def as_tiles(images: np.ndarray, masks: np.ndarray, **options) -> TileSet:
    given = {"split": "synthetic", "source": "model", "wavelength": WAVELENGTH, "classes": CLASSES} | options
    return TileSet.from_arrays(
        images=np.ascontiguousarray(images, np.float32), masks=np.ascontiguousarray(masks, np.int16), **given
    )
