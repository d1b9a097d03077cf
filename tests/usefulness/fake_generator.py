"""A generator whose reading stands in the image, so that a test knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from tiny_tiles import GRASS, ROOF, class_tiles

from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet


@dataclass
class FakeGenerator:
    """A model whose reading stands in the image: band 0 is the chance of roof in the first layer (of grass in others),
    band 1 the amount."""

    reader: object | None = "a reader"
    read: int = 0
    drawn: list[dict[str, Any]] = field(default_factory=list)
    device: str | None = None
    model_id: str = "model"

    def to(self, device: str) -> FakeGenerator:
        self.device = device
        return self

    def posterior(self, tiles: TileSet) -> Posterior:
        self.read += 1
        images = tiles.images()[:, 0]
        roof, n_layers = images[:, :1], len(tiles.layers) if tiles.classes is not None else 0
        layers = [(1 - roof, roof) if layer == 0 else (roof, 1 - roof) for layer in range(n_layers)]
        chances = [np.concatenate(layer, axis=1) for layer in layers]
        shape = (len(tiles), 0, 0, tiles.size, tiles.size)
        amounts = images[:, 1:2] if tiles.quantities is not None else None
        return Posterior(np.stack(chances, axis=1) if chances else np.zeros(shape, np.float32), amounts, amounts)

    def sample(self, n: int, **options: Any) -> TileSet:
        self.drawn.append({"n": n, **options})
        images = np.random.default_rng(options["seed"]).random((n, 1, 3, 2, 2)).astype(np.float32)
        masks = np.full((n, 1, 2, 2), ROOF if options.get("balance") else GRASS)
        return class_tiles(
            masks, images=images, split="synthetic", source="model", seed=options["seed"], index=range(n)
        )


def with_chances(*roof: float, amounts: tuple[float, ...] = (0, 0, 0, 0)) -> np.ndarray:
    """An image of four pixels."""
    image = np.zeros((1, 1, 3, 2, 2), np.float32)
    image[0, 0, 0].flat, image[0, 0, 1].flat = roof, amounts
    return image


def labels_of(tiles: TileSet, layer: int = 0) -> list[int]:
    return tiles.masks()[:, layer].ravel().tolist()
