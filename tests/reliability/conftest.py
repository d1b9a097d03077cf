"""Fields of three classes with noise and sharp borders, cut into training and test tiles, and a change of them."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

CLASSES = Classes.create([2, 5, 7], ["grass", "soil", "water"])
SIZE = 16
BANDS = 8


def fields(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Image `(band, y, x)` and class positions `(y, x)` of 64 x 128 px; grass and soil are near, water is far."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:64, :128]
    field = ((rows + 3 * np.sin(columns / 9)).astype(int) // 11) * 20 + (columns + rows // 4) // 13
    _, field = np.unique(field, return_inverse=True)
    field = field.reshape(rows.shape)
    position = random.integers(0, 3, field.max() + 1)[field]
    wave = np.linspace(0, 1, BANDS)
    spectra = np.stack([800 + 900 * wave, 1000 + 500 * wave, 300 - 200 * wave])
    light = random.normal(1.0, 0.03, field.max() + 1)[field]
    image = spectra[position].transpose(2, 0, 1) * light
    return image + random.normal(0, 45, image.shape), position


def cut(image: np.ndarray, *layers: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """First row and column of each tile, images `(n, band, y, x)`, and the layers `(n, ..., y, x)`."""
    yx = np.array([(y, x) for y in range(0, 64, SIZE) for x in range(0, 128, SIZE)])
    parts = [np.stack([one[..., y : y + SIZE, x : x + SIZE] for y, x in yx]) for one in (image, *layers)]
    return yx, parts[0], parts[1:]


def placed(yx: np.ndarray) -> dict:
    """Training tiles left of column 80, test tiles right of it."""
    split = np.where(yx[:, 1] < 80, "train", "test").tolist()
    return {"split": split, "source": "fields", "window_y": yx[:, 0], "window_x": yx[:, 1]}


@pytest.fixture(scope="session")
def land() -> TileSet:
    """Tiles with a class mask; a strip of each training tile is unlabelled."""
    image, position = fields()
    yx, images, (labels,) = cut(image, position)
    masks = CLASSES.values_of(labels)[:, None]
    masks[:20, :, -2:] = -1
    return TileSet.from_arrays(
        images=images[:, None].astype(np.float32), masks=masks, classes=CLASSES, **placed(yx)
    )  # fmt: skip


@pytest.fixture(scope="session")
def changed_land() -> TileSet:
    """Two dates and what changed between them; the second is a little brighter everywhere."""
    image, position = fields()
    blocks = np.random.default_rng(3).random((8, 16)) < 0.25
    change = np.kron(blocks, np.ones((8, 8), bool))
    wave = np.linspace(0, 1, BANDS)
    spectra = np.stack([800 + 900 * wave, 1000 + 500 * wave, 300 - 200 * wave])
    after = 1.08 * np.where(change, spectra[(position + 1) % 3].transpose(2, 0, 1), image)
    after += np.random.default_rng(4).normal(0, 45, after.shape)
    yx, images, (labels,) = cut(np.stack([image, after]), change.astype(np.int64))
    return TileSet.from_arrays(
        images=images.astype(np.float32), masks=labels[:, None].astype(np.int16) + 1, layers=["change"],
        classes=Classes.create([1, 2], ["unchanged", "changed"]), dates=["a", "b"], **placed(yx),
    )  # fmt: skip


@pytest.fixture(scope="session")
def mixtures() -> TileSet:
    """Abundances of three materials that change smoothly, and their mixed spectra."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(5)
    raw = np.stack([gaussian_filter(random.normal(size=(64, 128)), 5) for _ in range(3)])
    amounts = np.exp(40 * raw)
    amounts /= amounts.sum(axis=0)
    wave = np.linspace(0, 1, BANDS)
    pure = np.stack([800 + 900 * wave, 1500 - 500 * wave, 300 + 50 * np.sin(9 * wave)])
    image = np.einsum("kb,kyx->byx", pure, amounts) + random.normal(0, 20, (BANDS, 64, 128))
    yx, images, (parts,) = cut(image, amounts)
    return TileSet.from_arrays(
        images=images[:, None].astype(np.float32), amounts=parts.astype(np.float32),
        quantities=Quantities.create(["a", "b", "c"], sum_to_one=True), **placed(yx),
    )  # fmt: skip
