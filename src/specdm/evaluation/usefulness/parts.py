"""Tiles as a downstream network trains on them: standardised channels, targets, weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from specdm.errors import TileError
from specdm.tiles.tileset import TileSet

STANDARD_TILES = 256
"""Most training tiles that means and spreads are computed from."""


@dataclass(frozen=True)
class Targets:
    """What is predicted of a tile: the class of every mask layer, or the quantities where there are no masks.

    Attributes:
        layers: mask layers; 0 for quantities.
        classes: of each layer; 0 for quantities.
        quantities: 0 for classes.
        mean, std: of the quantities, `(quantities,)`, by which they are standardised.
    """

    layers: int
    classes: int
    quantities: int
    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, tiles: TileSet) -> Targets:
        """Of a tile set; the statistics of quantities are those of its tiles.

        Raises:
            TileError: it has neither masks nor amounts.
        """
        none = np.zeros(0, np.float32)
        if tiles.layers and tiles.classes is not None:
            return cls(len(tiles.layers), len(tiles.classes), 0, none, none)
        if tiles.quantities is None:
            raise TileError(f"{tiles.where} has neither masks nor amounts, so a network has nothing to learn from it")
        telling = _tiles_with(len(tiles), lambda index: np.isfinite(tiles.amounts(index)))
        if not len(telling):
            raise TileError(f"{tiles.where}: no pixel has known amounts; expected some to learn from")
        some = tiles.amounts(telling[_spread_over(len(telling), STANDARD_TILES)]).astype(np.float64)
        known = np.isfinite(some)
        count = np.maximum(known.sum(axis=(0, 2, 3)), 1)
        mean = np.where(known, some, 0.0).sum(axis=(0, 2, 3)) / count
        off = np.where(known, some - mean[:, None, None], 0.0)
        std = np.maximum(np.sqrt(np.square(off).sum(axis=(0, 2, 3)) / count), 1e-6)
        return cls(0, 0, len(tiles.quantities), mean.astype(np.float32), std.astype(np.float32))

    @property
    def outputs(self) -> int:
        """Channels of the network's output."""
        return self.layers * self.classes or self.quantities

    def of_tiles(self, tiles: TileSet, index: np.ndarray) -> np.ndarray:
        """Class positions int64 `(n, layer, y, x)`, -1 unlabelled; or standardised quantities, NaN unknown."""
        if self.layers:
            assert tiles.classes is not None
            return tiles.classes.index_of(tiles.masks(index)).astype(np.int64)
        return (tiles.amounts(index) - self.mean[:, None, None]) / self.std[:, None, None]

    def predicted(self, outputs: torch.Tensor) -> torch.Tensor:
        """Class positions int64 `(n, layer, y, x)`, or quantities in their own units, of a network's output."""
        if self.layers:
            return outputs.unflatten(1, (self.layers, self.classes)).argmax(dim=2)
        mean, std = (torch.as_tensor(values, device=outputs.device)[:, None, None] for values in (self.mean, self.std))
        return outputs * std + mean


@dataclass(frozen=True)
class Standard:
    """How channels are standardised.

    Attributes:
        mean, std: float32 `(dates * bands,)`, of pixels with data.
    """

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, tiles: TileSet) -> Standard:
        """Of training tiles; a band without data, or of one value, has mean 0 or its value, and spread 1."""
        pixels = _channels(tiles.images(_spread_over(len(tiles), STANDARD_TILES)))
        pixels = np.moveaxis(pixels, 1, 0).reshape(pixels.shape[1], -1).astype(np.float64)
        known = np.isfinite(pixels)
        count = np.maximum(known.sum(axis=1), 1)
        mean = np.where(known, pixels, 0.0).sum(axis=1) / count
        variance = np.where(known, (pixels - mean[:, None]) ** 2, 0.0).sum(axis=1) / count
        std = np.sqrt(variance)
        return cls(mean.astype(np.float32), np.where(std > 0, std, 1.0).astype(np.float32))

    def images(self, tiles: TileSet, index: np.ndarray) -> np.ndarray:
        """Channels float32 `(n, dates * bands, y, x)`, dates first; 0, the mean, where there is no data."""
        channels = _channels(tiles.images(index))
        return np.nan_to_num((channels - self.mean[:, None, None]) / self.std[:, None, None]).astype(np.float32)


@dataclass(frozen=True)
class Part:
    """Tiles to train on.

    Attributes:
        images: float32 `(n, channels, y, x)`, standardised.
        targets: int64 `(n, layer, y, x)` or float32 `(n, quantity, y, x)`, see `Targets.of_tiles`.
        weights: of each label in the loss, float32 `(n, layer or 1, y, x)`, 0..1.
        of_tiles: how many there were that say anything.
    """

    images: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    of_tiles: int = 0

    def __len__(self) -> int:
        return len(self.images)

    def apply(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Part:
        """The same change to all three."""
        return Part(change(self.images), change(self.targets), change(self.weights), self.of_tiles)

    @classmethod
    def of(
        cls,
        tiles: TileSet,
        *,
        standard: Standard,
        targets: Targets,
        weights: np.ndarray | None = None,
        most: int,
        seed: int = 0,
    ) -> Part:
        """The tiles that say anything, or `most` of them drawn by seed.

        Args:
            tiles: any.
            standard: of the real training tiles, whatever these tiles are.
            targets: what is predicted.
            weights: `(tiles, layer or 1, y, x)`; NaN counts as 1. Default: 1 everywhere.
            most: number of tiles held in memory.
            seed: of the choice.
        """
        telling = telling_tiles(tiles, targets)
        of_tiles = len(telling)
        if len(telling) > most:
            telling = np.sort(np.random.default_rng(seed).choice(telling, most, replace=False))
        wanted = targets.of_tiles(tiles, telling)
        if weights is None:
            given = np.ones((len(telling), wanted.shape[1] if targets.layers else 1, *wanted.shape[-2:]), np.float32)
        else:
            given = np.nan_to_num(weights[telling], nan=1.0).astype(np.float32)
        images = torch.from_numpy(standard.images(tiles, telling))
        return cls(images, torch.from_numpy(wanted), torch.from_numpy(given), of_tiles)


def telling_tiles(tiles: TileSet, targets: Targets) -> np.ndarray:
    """Positions of the tiles of which anything is known."""

    def known(index: np.ndarray) -> np.ndarray:
        values = targets.of_tiles(tiles, index)
        return values >= 0 if targets.layers else np.isfinite(values)

    return _tiles_with(len(tiles), known)


def _tiles_with(n: int, known: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Positions of those of `n` tiles with a pixel that is known, told for some of them at a time."""
    found = []
    for start in range(0, n, STANDARD_TILES):
        index = np.arange(start, min(start + STANDARD_TILES, n))
        found.append(index[known(index).any(axis=(1, 2, 3))])
    return np.concatenate(found) if found else np.zeros(0, np.int64)


def _channels(images: np.ndarray) -> np.ndarray:
    """`(n, date, band, y, x)` with dates and bands in one axis."""
    return images.reshape(len(images), images.shape[1] * images.shape[2], *images.shape[-2:])


def _spread_over(n: int, most: int) -> np.ndarray:
    """At most so many positions, evenly spread."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64)) if n else np.zeros(0, np.int64)
