"""Tiles as tensors: what streams are taken from and put back into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from specdm.models.streams import Stream


@dataclass(frozen=True)
class TileShape:
    """How many dates, bands (of all sensors), mask layers and quantities a tile has."""

    dates: int
    bands: int
    layers: int
    quantities: int


@dataclass(frozen=True)
class Pixels:
    """Tiles, as models see them.

    Attributes:
        images: float32 `(n, date, bands, y, x)`, user's units, NaN where no data or a date has not the band.
        positions: int64 `(n, layer, y, x)`, class positions, -1 where unlabelled; no layer without a mask.
        amounts: float32 `(n, quantity, y, x)`, NaN where unknown; no quantity without a continuous mask.
        annotated: bool `(n, 1, 1)`, False for tiles of imagery that nobody labelled: their masks do not say that
            ground is left unlabelled, they say nothing. None: somebody labelled all of it.
    """

    images: torch.Tensor
    positions: torch.Tensor
    amounts: torch.Tensor
    annotated: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    def of(self, stream: Stream) -> torch.Tensor:
        """A stream's part.

        `(n, bands, y, x)` of an image; class positions `(n, y, x)`; 0 or 1 `(n, y, x)` for whether it is labelled, -1
        in imagery that nobody labelled; amounts `(n, quantities, y, x)`; of a pair all of these after each other as
        float, date by date and layer by layer, `(n, dates * bands + layers + quantities, y, x)`.
        """
        if stream.kind == "image":
            return self.images[:, stream.position, stream.channels]
        if stream.kind == "classes":
            return self.positions[:, stream.position]
        if stream.kind == "labelled":
            labelled = (self.positions[:, stream.position] >= 0).long()
            return labelled if self.annotated is None else torch.where(self.annotated, labelled, -1)
        if stream.kind == "pair":
            return torch.cat([self.images.flatten(1, 2), self.positions.float(), self.amounts], dim=1)
        return self.amounts[:, stream.channels]

    def apply(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Pixels:
        """The same change for all parts, such as a rotation or a move to another device."""
        annotated = None if self.annotated is None else change(self.annotated)
        return Pixels(change(self.images), change(self.positions), change(self.amounts), annotated)

    @classmethod
    def unknown(cls, n: int, height: int, width: int, *, shape: TileShape, device: torch.device) -> Pixels:
        """Tiles of which nothing is known: NaN, and -1 in masks."""
        images = torch.full((n, shape.dates, shape.bands, height, width), float("nan"), device=device)
        positions = torch.full((n, shape.layers, height, width), -1, dtype=torch.int64, device=device)
        amounts = torch.full((n, shape.quantities, height, width), float("nan"), device=device)
        return cls(images, positions, amounts)

    def put(self, streams: Sequence[Stream], parts: Sequence[torch.Tensor], *, dense: bool = False) -> None:
        """Write streams into these tiles, the opposite of `of`.

        Args:
            streams: which.
            parts: one a stream.
            dense: keep labels where a stream says that there would be none.
        """
        # what is labelled can be told only of masks that are there
        for stream, part in sorted(zip(streams, parts, strict=True), key=lambda pair: pair[0].kind == "labelled"):
            if stream.kind == "pair":
                dates, n_bands = self.images.shape[1:3]
                sizes = [dates * n_bands, self.positions.shape[1], self.amounts.shape[1]]
                images, positions, amounts = part.split(sizes, dim=1)
                self.images.copy_(images.unflatten(1, (dates, n_bands)))
                self.positions.copy_(positions.round())
                self.amounts.copy_(amounts)
            elif stream.kind != "labelled":
                self.of(stream).copy_(part)
            elif not dense:
                self.positions[:, stream.position].masked_fill_(part == 0, -1)


def joined(parts: Sequence[Pixels]) -> Pixels:
    """Batches of tiles as one."""
    return Pixels(*(torch.cat([getattr(part, name) for part in parts]) for name in ("images", "positions", "amounts")))
