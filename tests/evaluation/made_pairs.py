"""Tiles of two dates with known change, and synthetic twins of them to spoil."""

from __future__ import annotations

import numpy as np

from specdm.scenes.classes import Classes
from specdm.tiles.tileset import TileSet

WAVELENGTH = np.linspace(450.0, 1000.0, 12)
COVER = Classes.create([2, 5, 7], ["grass", "bare soil", "water"])
CHANGE = Classes.create([1, 2], ["unchanged", "changed"])
SIZE = 16
DATES = ["2000-03-17", "2003-02-06"]


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images `(date, band, y, x)` and class positions `(date, y, x)` of fields of 8 x 10 px, a fifth changed."""
    random = np.random.default_rng(seed)
    spectra = np.stack(
        [
            1500 + 2500 / (1 + np.exp(-(WAVELENGTH - 715) / 15)),
            1200 + 2.4 * (WAVELENGTH - 450),
            1100 * np.exp(-(WAVELENGTH - 450) / 200) + 150,
        ]
    )
    rows, columns = np.mgrid[:48, :80]
    field = (rows // 8) * 8 + columns // 10
    first = random.permutation(np.arange(48) % 3)
    last = first.copy()
    last[random.permutation(48)[:10]] += 1
    positions = np.stack([first, last % 3])[:, field]
    images = np.moveaxis(spectra[positions], -1, 1)
    season = np.stack([np.ones(12), np.linspace(0.97, 1.08, 12)])[:, :, None, None]
    return images * season + random.normal(0, 30, images.shape), positions


def make(images, masks, *, like: TileSet | None = None, **options) -> TileSet:
    """A tile set of two dates; synthetic unless told otherwise."""
    given = {"split": "synthetic", "source": "model", "wavelength": WAVELENGTH, "dates": DATES} | options
    if like is not None:
        given |= {"classes": like.classes, "layers": like.layers}
    return TileSet.from_arrays(
        images=np.ascontiguousarray(images, np.float32), masks=np.ascontiguousarray(masks, np.int16), **given
    )


def real_tiles(layer_a_date: bool) -> TileSet:
    """Overlapping training windows on the left, one validation and two test tiles on the right."""
    images, positions = scene()
    yx = np.array([(y, x) for y in range(0, 33, 8) for x in range(0, 49, 8)] + [(0, 64), (16, 64), (32, 64)])
    masks = COVER.values_of(positions) if layer_a_date else 1 + (positions[:1] != positions[1:]).astype(np.int16)
    given = {
        "split": ["train"] * (len(yx) - 3) + ["val", "test", "test"],
        "source": "fields",
        "window_y": yx[:, 0],
        "window_x": yx[:, 1],
        "classes": COVER if layer_a_date else CHANGE,
        "layers": DATES if layer_a_date else ["change"],
    }
    cut = [(images[..., y : y + SIZE, x : x + SIZE], masks[..., y : y + SIZE, x : x + SIZE]) for y, x in yx]
    return make(*(np.stack(part) for part in zip(*cut, strict=True)), **given)


def twin(real: TileSet, spoil=None) -> TileSet:
    """Synthetic tiles as good as the training tiles, but for what is done to them."""
    images, masks = real.train.images().copy(), real.train.masks().copy()
    images += np.random.default_rng(1).normal(0, 2, images.shape).astype(np.float32)
    if spoil is not None:
        images, masks = spoil(images, masks)
    return make(images, masks, like=real)


class Codec:
    """Gives back what it got, with the bands of the second date bent."""

    def reconstruct(self, tiles: TileSet) -> TileSet:
        images = tiles.images().copy()
        images[:, 1] *= np.linspace(0.7, 1.3, 12, dtype=np.float32)[:, None, None]
        return TileSet(tiles.dataset.assign(image=(tiles.dataset["image"].dims, images)))
