"""Tiny tile sets of every task, real and synthetic, made of three materials with known spectra."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

N, SIZE = 24, 16
WAVELENGTH = np.linspace(450.0, 1000.0, 12)
SPECTRA = np.stack(
    [
        1500 + 2500 / (1 + np.exp(-(WAVELENGTH - 715) / 15)),
        1200 + 2.4 * (WAVELENGTH - 450),
        1100 * np.exp(-(WAVELENGTH - 450) / 200) + 150,
    ]
)
COVER = Classes.create([2, 5, 7], ["grass", "soil", "water"])
CHANGE = Classes.create([0, 1], ["unchanged", "changed"])
DATES = ("2000-03-17", "2003-02-06")


class Ground:
    """Covers of two dates, smooth mixtures of three materials, and the images of these."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        rows, columns = np.mgrid[:SIZE, :SIZE]
        shift = self.random.integers(0, 16, (N, 2))
        field = ((rows + shift[:, :1, None]) // 8) * 3 + (columns + shift[:, 1:, None]) // 8
        self.before = (field % 3).astype(np.int16)
        turned = (field % 5 == 0) & (self.random.random((N, 1, 1)) < 0.7)
        self.after = np.where(turned, (self.before + 1) % 3, self.before).astype(np.int16)
        x, y = columns / SIZE + self.random.random((N, 1, 1)), rows / SIZE + self.random.random((N, 1, 1))
        parts = np.stack([1 + np.sin(4 * x), 1 + np.cos(5 * y), 1 + np.sin(3 * (x + y))], axis=1)
        self.abundances = (parts / parts.sum(axis=1, keepdims=True)).astype(np.float32)

    def image(self, cover: np.ndarray, *, gain: float = 1.0) -> np.ndarray:
        """float32 `(n, band, y, x)` of one material a pixel."""
        return self._noisy(gain * np.moveaxis(SPECTRA[cover], -1, 1))

    def mixed_image(self) -> np.ndarray:
        """The same of the abundances."""
        return self._noisy(np.einsum("nqyx,qb->nbyx", self.abundances, SPECTRA))

    def _noisy(self, image: np.ndarray) -> np.ndarray:
        return (image + self.random.normal(0, 25, image.shape)).astype(np.float32)

    def hide(self, values: np.ndarray, share: float, nothing: float) -> np.ndarray:
        """With blocks of pixels of which nothing is known."""
        values = values.copy()
        values[..., : round(SIZE * share), :4] = nothing
        return values


def _segmentation(ground: Ground) -> dict:
    return {"images": ground.image(ground.before)[:, None], "masks": _values(ground.before)[:, None], "classes": COVER}


def _values(cover: np.ndarray) -> np.ndarray:
    return np.array(COVER.values, np.int16)[cover]


def _dates(ground: Ground) -> np.ndarray:
    return np.stack([ground.image(ground.before), ground.image(ground.after, gain=1.15)], axis=1)


def _change(ground: Ground) -> dict:
    changed = ground.hide((ground.before != ground.after).astype(np.int16), 0.5, -1)
    return {
        "images": _dates(ground), "masks": changed[:, None], "classes": CHANGE, "dates": DATES, "layers": ["change"],
        "attrs": {"note": "semi-synthetic: date 2 was made from date 1"},
    }  # fmt: skip


def _semantic_change(ground: Ground) -> dict:
    masks = np.stack([_values(ground.before), ground.hide(_values(ground.after), 0.3, -1)], axis=1)
    return {"images": _dates(ground), "masks": masks, "classes": COVER, "dates": DATES, "layers": list(DATES)}


def _two_sensors(ground: Ground) -> dict:
    """Date 1 has 12 bands, date 2 four others."""
    fine, coarse = ground.image(ground.before), ground.image(ground.after)[:, 1::3]
    images = np.full((N, 2, 16, SIZE, SIZE), np.nan, np.float32)
    images[:, 0, :12], images[:, 1, 12:] = fine, coarse
    found = _change(ground)
    del found["attrs"]
    return found | {
        "images": images, "wavelength": np.concatenate([WAVELENGTH, WAVELENGTH[1::3]]),
        "date_sensor": [0, 1], "band_sensor": [0] * 12 + [1] * 4,
    }  # fmt: skip


def _abundances(ground: Ground) -> dict:
    return {
        "images": ground.mixed_image()[:, None], "amounts": ground.hide(ground.abundances, 0.3, np.nan),
        "quantities": Quantities.create(["tree", "soil", "water"], sum_to_one=True),
    }  # fmt: skip


def _free(ground: Ground) -> dict:
    height = 30 * ground.abundances[:, 0] ** 2
    chlorophyll = 10 + 60 * ground.abundances[:, 2]
    return {
        "images": ground.mixed_image()[:, None],
        "amounts": ground.hide(np.stack([height, chlorophyll], axis=1), 0.3, np.nan),
        "quantities": Quantities.create(["canopy height", "chlorophyll"], units=["m", "µg/cm²"]),
    }


KINDS: dict[str, Callable[[Ground], dict]] = {
    "segmentation": _segmentation, "change": _change, "semantic_change": _semantic_change,
    "two_sensors": _two_sensors, "abundances": _abundances, "free": _free,
}  # fmt: skip


def make_sets(kind: str) -> tuple[TileSet, TileSet]:
    """Real tiles (two thirds training, the rest test) and synthetic ones of one of `KINDS`."""
    sets = []
    for seed, facts in ((0, {"split": ["train"] * 16 + ["test"] * 8, "source": kind}), (1, {"split": "synthetic"})):
        place = (
            {"window_y": np.arange(N) * SIZE, "window_x": np.zeros(N, int)}
            if seed == 0
            else {"source": "model-1", "seed": 0, "index": np.arange(N)}
        )
        given = {"wavelength": WAVELENGTH, "image_units": "reflectance x 10000"} | KINDS[kind](Ground(seed))
        sets.append(TileSet.from_arrays(**(given | facts | place)))
    return sets[0], sets[1]
