"""The data sets of reliability.py, and harder versions of them for the rule to learn from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from bars import SHARED
from fidelity_sets import SETS as FIDELITY_SETS
from fidelity_sets import Set
from scipy import ndimage

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

_PINES, _JASPER, _SAMSON = SHARED / "indian_pines", SHARED / "jasper_ridge", SHARED / "samson"
_MUUFL = SHARED / "muufl_gulfport_crop" / "muffle_dataset_130_90.mat"
_USUAL = {one.name: one for one in FIDELITY_SETS}


def _dominant(name: str, file: Path, variable: str, about: str) -> Set:
    options = {"variable": "Y", "mask": file, "mask_variable": variable, "mask_kind": "dominant"}
    return Set(name, (file,), about, options)


def _renamed(name: str, usual: str) -> Set:
    one = _USUAL[usual]
    return Set(name, one.inputs, one.about, one.options)


JUDGED = (
    _USUAL["indian_pines"],
    Set(
        "indian_pines_map",
        (_PINES / "Indian_pines_corrected.npy",),
        "AVIRIS, 16 classes, given disjoint training map",
        {
            "mask": _PINES / "Indian_pines_gt.npy",
            "split_map": _PINES / "indianpines_disjoint_dset.mat",
            "split_map_kind": "train",
        },
    ),
    _USUAL["enmap_potsdam"],
    _USUAL["sentinel2_lulc"],
    _dominant("jasper_ridge", _JASPER / "jasperRidge2_R198.mat", "A", "AVIRIS, dominant one of 4 materials"),
    _dominant("samson", _SAMSON / "Samson.mat", "S_GT", "SAMSON, dominant one of 3 materials"),
    _USUAL["taizhou"],
    _USUAL["indian_pines_change"],
    _USUAL["simulated"],
)
"""Sets with bars, and simulated ones."""

TAUGHT = (
    *JUDGED,
    _dominant("muufl", _MUUFL, "label", "CASI, dominant one of 5 materials"),
    Set("simulated_change", (Path("simulated_change"),), "simulated landscape at two dates, change"),
)
"""Sets with classes that rules are fitted on."""

AMOUNTS = (
    _renamed("jasper_ridge_amounts", "jasper_ridge"),
    _renamed("samson_amounts", "samson"),
    Set(
        "muufl_amounts",
        (_MUUFL,),
        "CASI, abundances of 5 materials",
        {"variable": "Y", "mask": _MUUFL, "mask_variable": "label", "mask_kind": "abundances"},
    ),
    Set("simulated_abundances", (Path("simulated_abundances"),), "simulated landscape, abundances"),
)

VARIANTS = ("plain", "few", "noisy", "blurred", "strange")
"""Versions of a set: as it is; with a few training tiles; with a part of other pixels' spectra in every spectrum; with
blurred images and masks whose borders wander; with fields on held-out ground that look like none in training. Rules are
fitted on all, and judged on the plain ones."""

WITH_A_MODEL = ("plain", "strange")
"""Versions with the training tiles of the set itself, so that one model reads the held-out tiles of both."""

FEW, OTHERS, BLUR, WANDER, PATCH, STRANGE = 0.04, 0.4, 0.7, 1.2, 4.0, 0.6
MOST_VARIED = 150


@dataclass(frozen=True, eq=False)
class Version:
    """A set in one version with one seed of the split."""

    set: Set
    variant: str = "plain"
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.set.name}-{self.variant}-seed{self.seed}"

    @property
    def settings(self) -> dict[str, Any]:
        """Of the tiling; a quarter of the ground is held out, as small scenes else have one test tile."""
        given = {"seed": self.seed, "training.picture_seconds": 1e9}
        split = {"tiles.split": "map"} if self.set.name.endswith("_map") else {"tiles.test_share": 0.25}
        return {**given, **split}


def family(name: str) -> str:
    """Sets of the same place or the same simulator are one family: a rule tested on one is fitted on none of it."""
    for start in ("indian_pines", "jasper_ridge", "samson", "muufl", "simulated"):
        if name.startswith(start):
            return start
    return name


def varied(tiles: TileSet, variant: str, *, seed: int) -> TileSet:
    """A tile set in one of `VARIANTS`."""
    from specdm.tiles.tileset import TileSet

    if variant == "plain":
        return tiles
    random = np.random.default_rng([seed, VARIANTS.index(variant)])
    train, held = np.flatnonzero(tiles.split == "train"), np.flatnonzero(tiles.split != "train")
    most = max(4, round(FEW * len(train))) if variant == "few" else MOST_VARIED
    tiles = tiles.select(np.sort(np.concatenate([random.permutation(train)[:most], held])))
    if variant == "few":
        return tiles
    images, masks = tiles.images(), tiles.masks()
    if variant == "noisy":
        images = np.stack([(1 - OTHERS) * one + OTHERS * _drawn(images, random) for one in images])
    elif variant == "strange":
        images = _strange(images, masks, held=tiles.split != "train", random=random)
    else:
        images = ndimage.gaussian_filter(images, (0, 0, 0, BLUR, BLUR))
        masks = np.stack([_wandering(mask, random) for mask in masks])
    image, mask = tiles.dataset["image"], tiles.dataset["mask"]
    changed = {"image": (image.dims, images.astype(np.float32), image.attrs), "mask": (mask.dims, masks, mask.attrs)}
    return TileSet(tiles.dataset.assign(changed), where=f"{tiles.where}, {variant}")


def _drawn(images: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A spectrum of any pixel of any tile for every pixel, `(date, band, y, x)`."""
    n, _, _, height, width = images.shape
    tile, y, x = (random.integers(most, size=(height, width)) for most in (n, height, width))
    return np.moveaxis(images[tile, :, :, y, x], (0, 1), (2, 3))


def _strange(images: np.ndarray, masks: np.ndarray, *, held: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Images `(n, date, band, y, x)` in which every region of held-out tiles is mixed with one spectrum of training.

    Real fields of a class differ from each other by more than the pixels of one do; in small scenes all those of
    held-out ground may be unlike all others.
    """
    from specdm.evaluation.reliability.mask_shapes import regions

    found, donors, side = images.copy(), np.flatnonzero(~held), images.shape[-1]
    for at in np.flatnonzero(held):
        for mask in masks[at]:
            numbers = regions(mask)
            for number in np.unique(numbers[numbers >= 0]):
                y, x = random.integers(side, size=2)
                other = images[random.choice(donors), :, :, y, x]
                share, where = random.uniform(0, STRANGE), numbers == number
                found[at][:, :, where] = (1 - share) * images[at][:, :, where] + share * other[..., None]
    return found


def _wandering(mask: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A mask `(layer, y, x)` whose pixels are taken from about `WANDER` px away, neighbours from alike places."""
    shape = mask.shape[-2:]
    steps = [ndimage.gaussian_filter(random.normal(size=shape), PATCH) for _ in shape]
    places = [
        np.clip(np.rint(grid + WANDER * step / step.std()), 0, size - 1).astype(np.int64)
        for grid, step, size in zip(np.indices(shape), steps, shape, strict=True)
    ]
    return mask[:, places[0], places[1]]
