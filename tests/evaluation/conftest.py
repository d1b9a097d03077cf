"""A real tile set with known classes, and synthetic twins of it to spoil."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from evaluation_tiles import as_tiles, cut, ground, windows

from specdm.scenes.samples import indian_pines
from specdm.tiles.tileset import TileSet

Spoil = Callable[..., TileSet]


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
