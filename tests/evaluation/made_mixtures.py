"""Tiles with abundances or free values, and synthetic twins of them to spoil."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

WAVELENGTH = np.linspace(450.0, 1000.0, 12)
PARTS = Quantities.create(["tree", "soil", "water"], sum_to_one=True)
FREE = Quantities.create(["height", "chlorophyll"], units=["m", "ug/cm2"])
PURE = np.stack(
    [
        1500 + 2500 / (1 + np.exp(-(WAVELENGTH - 715) / 15)),
        1200 + 2.4 * (WAVELENGTH - 450),
        1100 * np.exp(-(WAVELENGTH - 450) / 200) + 150,
    ]
)
SIZE = 16


def scene() -> tuple[np.ndarray, np.ndarray]:
    """Image `(band, y, x)` and abundances `(material, y, x)`."""
    random = np.random.default_rng(0)
    smooth = np.stack([gaussian_filter(random.normal(0, 1, (48, 80)), 3, mode="wrap") for _ in range(3)])
    raised = np.exp(2.0 * smooth / smooth.std())
    amounts = raised / raised.sum(axis=0)
    image = np.tensordot(PURE.T, amounts, 1) + random.normal(0, 40, (12, 48, 80))
    return image, amounts


def real_tiles(quantities: Quantities = PARTS) -> TileSet:
    """Overlapping training windows on the left, one validation and two test tiles on the right."""
    image, amounts = scene()
    if quantities is FREE:
        # the water's share tells neither
        amounts = np.stack([30 * amounts[0], 40 + 20 * amounts[1]])
    yx = np.array([(y, x) for y in range(0, 33, 8) for x in range(0, 49, 8)] + [(0, 64), (16, 64), (32, 64)])
    cut = [(image[None, :, y : y + SIZE, x : x + SIZE], amounts[:, y : y + SIZE, x : x + SIZE]) for y, x in yx]
    images, values = (np.stack(part).astype(np.float32) for part in zip(*cut, strict=True))
    if quantities is FREE:
        values[:, 1, 5, :4] = np.nan
    given = {
        "split": ["train"] * (len(yx) - 3) + ["val", "test", "test"],
        "source": "mixtures",
        "window_y": yx[:, 0],
        "window_x": yx[:, 1],
        "wavelength": WAVELENGTH,
    }
    return TileSet.from_arrays(images=images, amounts=values, quantities=quantities, **given)


def changed(tiles: TileSet, images: np.ndarray, amounts: np.ndarray) -> TileSet:
    """The same tiles with other values; unlike `from_arrays`, this lets amounts be wrong."""
    found = {
        name: (tiles.dataset[name].dims, values.astype(np.float32), tiles.dataset[name].attrs)
        for name, values in (("image", images), ("amount", amounts))
    }
    return TileSet(tiles.dataset.assign(found))


def twin(real: TileSet, spoil=None) -> TileSet:
    """Synthetic tiles as good as the training tiles, but for what is done to them."""
    images, amounts = real.train.images().copy(), real.train.amounts().copy()
    images += np.random.default_rng(1).normal(0, 2, images.shape).astype(np.float32)
    if spoil is not None:
        images, amounts = spoil(images, amounts)
    n = len(images)
    tiles = changed(real.train, images, amounts)
    coords = {"split": ["synthetic"] * n, "source": ["model"] * n, "window_y": [-1] * n, "window_x": [-1] * n}
    return TileSet(tiles.dataset.assign_coords({key: ("tile", value) for key, value in coords.items()}))


def swap_tiles(images, amounts):
    return images, np.roll(amounts, 7, axis=0)


class Codec:
    def __init__(self, change) -> None:
        self.change = change

    def reconstruct(self, tiles: TileSet) -> TileSet:
        return changed(tiles, *self.change(tiles.images().copy(), tiles.amounts().copy()))
