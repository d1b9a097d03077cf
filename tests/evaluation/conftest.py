"""A real tile set with known classes, and synthetic twins of it to spoil."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from specdm.scenes.classes import Classes
from specdm.scenes.samples import indian_pines
from specdm.tiles.tileset import TileSet

CLASSES = Classes.create([2, 5, 7, 9], ["grass", "bare soil", "water", "roof"])
WAVELENGTH = np.linspace(450.0, 1000.0, 12)
SIZE = 16
GROUND = (48, 80)

Spoil = Callable[..., TileSet]


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


@pytest.fixture(scope="session")
def real() -> TileSet:
    """Overlapping training windows on the left, one validation and two test tiles on the right."""
    train, held = windows(8, range(0, 49, 8)), np.array([(0, 64), (16, 64), (32, 64)])
    yx = np.concatenate([train, held])
    images, masks = cut(*ground(), yx)
    split = ["train"] * len(train) + ["val", "test", "test"]
    return as_tiles(
        images,
        masks,
        split=split,
        source="fields",
        window_y=yx[:, 0],
        window_x=yx[:, 1],
        image_units="counts",
    )


@pytest.fixture(scope="session")
def twin(real: TileSet) -> Spoil:
    """Makes synthetic tiles that are as good as the training tiles, but for what is done to them."""

    def make(
        spoil: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None, **options
    ):
        images, masks = real.train.images().copy(), real.train.masks().copy()
        # another draw of the noise, so that the tiles are not the training tiles themselves
        images += np.random.default_rng(1).normal(0, 2, images.shape).astype(np.float32)
        if spoil is not None:
            images, masks = spoil(images, masks)
        return as_tiles(images, masks, **options)

    return make


class Codec:
    """Reconstructs tiles as told."""

    def __init__(self, change: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]) -> None:
        self.change = change

    def reconstruct(self, tiles: TileSet) -> TileSet:
        images, masks = self.change(tiles.images().copy(), tiles.masks().copy())
        return TileSet(
            tiles.dataset.assign(
                image=(tiles.dataset["image"].dims, images.astype(np.float32)),
                mask=(tiles.dataset["mask"].dims, masks, tiles.dataset["mask"].attrs),
            )
        )


@pytest.fixture
def codec() -> type[Codec]:
    return Codec


PINES_SIZE, PINES_STRIDE, PINES_EVERY = 32, 9, 8


@pytest.fixture(scope="session")
def pines():
    """Every other window of Indian Pines is real, the others stand for synthetic ones: twins of the real ones."""
    scene = indian_pines()
    image = np.asarray(scene.dataset["image"].values, np.float32)[0, ::PINES_EVERY]
    mask = scene.dataset["mask"].values[0]
    firsts = range(0, 145 - PINES_SIZE + 1, PINES_STRIDE)
    yx = np.array([(y, x) for y in firsts for x in firsts])
    order = np.random.default_rng(0).permutation(len(yx))
    shared = {"classes": scene.classes, "wavelength": scene.wavelength[::PINES_EVERY]}

    def tiles(part, **options):
        images = np.stack([image[:, y : y + PINES_SIZE, x : x + PINES_SIZE] for y, x in part])[:, None]
        masks = np.stack([mask[y : y + PINES_SIZE, x : x + PINES_SIZE] for y, x in part])[:, None]
        return TileSet.from_arrays(images=images, masks=masks, **shared, **options)

    one, other = yx[np.sort(order[::2])], yx[np.sort(order[1::2])]
    real = tiles(one, split="train", source="pines", window_y=one[:, 0], window_x=one[:, 1])
    return real, tiles(other, split="synthetic", source="model"), shared
