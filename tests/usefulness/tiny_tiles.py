"""Tile sets of a few pixels in memory, of classes and of amounts."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

CLASSES = Classes.create([3, 7], ["grass", "roof"])
"""Values that are no positions."""

GRASS, ROOF, NONE = 3, 7, -1

HEIGHT = Quantities.create(["height"], units="m")


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal numbers, float32."""
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def class_tiles(
    masks: Any,
    *,
    images: Any = None,
    dates: int = 1,
    classes: Classes | None = CLASSES,
    split: Any = "train",
    **facts: Any,
) -> TileSet:
    """Tiles with masks `(tile, layer, y, x)` of class values; images default to noise of 3 bands."""
    masks = np.asarray(masks, np.int16)
    images = noise(len(masks), dates, 3, *masks.shape[-2:]) if images is None else np.asarray(images, np.float32)
    return TileSet.from_arrays(images=images, masks=masks, classes=classes, split=split, **({"source": "tiny"} | facts))


def amount_tiles(
    amounts: Any, *, images: Any = None, quantities: Quantities = HEIGHT, split: Any = "train", **facts: Any
) -> TileSet:
    """Tiles with amounts `(tile, quantity, y, x)`; images default to noise of 3 bands."""
    amounts = np.asarray(amounts, np.float32)
    images = noise(len(amounts), 1, 3, *amounts.shape[-2:]) if images is None else np.asarray(images, np.float32)
    return TileSet.from_arrays(
        images=images, amounts=amounts, quantities=quantities, split=split, **({"source": "tiny"} | facts)
    )
