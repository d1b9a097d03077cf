"""Tiles as tensors: what streams are taken from and put back into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from specdm.models.streams import Stream


@dataclass(frozen=True)
class Pixels:
    """Tiles, as models see them.

    Attributes:
        images: float32 `(n, date, bands, y, x)`, user's units, NaN where no data or a date has not the band.
        positions: int64 `(n, layer, y, x)`, class positions, -1 where unlabelled; no layer without a mask.
        amounts: float32 `(n, quantity, y, x)`, NaN where unknown; no quantity without a continuous mask.
    """

    images: torch.Tensor
    positions: torch.Tensor
    amounts: torch.Tensor

    def __len__(self) -> int:
        return len(self.images)

    def of(self, stream: Stream) -> torch.Tensor:
        """A stream's part: `(n, bands, y, x)`, class positions `(n, y, x)`, or amounts `(n, quantities, y, x)`."""
        if stream.kind == "image":
            return self.images[:, stream.position, stream.channels]
        if stream.kind == "classes":
            return self.positions[:, stream.position]
        return self.amounts[:, stream.channels]

    def apply(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Pixels:
        """The same change for all parts, such as a rotation or a move to another device."""
        return Pixels(change(self.images), change(self.positions), change(self.amounts))

    @classmethod
    def put_together(
        cls, streams: Sequence[Stream], parts: Sequence[torch.Tensor], *, n_bands: int, n_quantities: int
    ) -> Pixels:
        """Tiles from each stream's part, the opposite of `of`; what no stream has is NaN.

        Args:
            streams: at least one image.
            parts: one a stream.
            n_bands, n_quantities: of the tiles.
        """
        n, height, width = parts[0].shape[0], *parts[0].shape[-2:]
        device = parts[0].device
        dates, layers = (
            1 + max((s.position for s in streams if s.kind == kind), default=-1) for kind in ("image", "classes")
        )
        images = torch.full((n, dates, n_bands, height, width), float("nan"), device=device)
        positions = torch.full((n, layers, height, width), -1, dtype=torch.int64, device=device)
        amounts = torch.full((n, n_quantities, height, width), float("nan"), device=device)
        tiles = cls(images, positions, amounts)
        for stream, part in zip(streams, parts, strict=True):
            tiles.of(stream).copy_(part)
        return tiles


def joined(parts: Sequence[Pixels]) -> Pixels:
    """Batches of tiles as one."""
    return Pixels(*(torch.cat([getattr(part, name) for part in parts]) for name in ("images", "positions", "amounts")))
