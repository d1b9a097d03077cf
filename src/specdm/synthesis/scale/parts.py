"""Tiles drawn part by part: batches whose borders depend on the batch size alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from specdm.synthesis.pipeline import SpecDMPipeline


@dataclass(frozen=True)
class Part:
    """Tiles `first`, `first + 1`, ... of a set, `n` of them."""

    first: int
    n: int


@dataclass(frozen=True)
class DrawnPart:
    """A part with its tiles, as the user's values.

    Attributes:
        first: index of the first tile.
        images: float32 `(n, date, band, y, x)`.
        masks: int16 `(n, layer, y, x)`; None without layers.
        amounts: float32 `(n, quantity, y, x)`; None without quantities.
    """

    first: int
    images: np.ndarray
    masks: np.ndarray | None
    amounts: np.ndarray | None

    def cut(self, start: int, stop: int) -> DrawnPart:
        """The tiles of it from index `start` on and before `stop`."""
        here = slice(max(start - self.first, 0), max(stop - self.first, 0))
        masks, amounts = (None if values is None else values[here] for values in (self.masks, self.amounts))
        return DrawnPart(max(start, self.first), self.images[here], masks, amounts)


@dataclass(frozen=True)
class PartDrawer:
    """Draws parts. Can be sent to another process.

    Attributes:
        pipeline: the model.
        seed: of the set.
        options: of `SpecDMPipeline.sample`.
    """

    pipeline: SpecDMPipeline
    seed: int
    options: Mapping[str, Any]

    def __call__(self, part: Part) -> DrawnPart:
        tiles = self.pipeline.sample(part.n, seed=self.seed, first=part.first, batch_size=part.n, **self.options)
        return DrawnPart(
            part.first,
            tiles.images(),
            tiles.masks() if tiles.layers else None,
            tiles.amounts() if tiles.quantities else None,
        )


def parts_of(start: int, stop: int, *, n: int, batch_size: int) -> Iterator[Part]:
    """Batches that cover the tiles `start` to `stop - 1` of a set of `n`.

    They are those of the whole set, wherever one begins: arithmetic differs in the last digits with the tiles that are
    drawn together, and a set that goes on, or a shard of it, shall equal the whole.
    """
    for first in range(start - start % batch_size, stop, batch_size):
        yield Part(first, min(batch_size, n - first))
