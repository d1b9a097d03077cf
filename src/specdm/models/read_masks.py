"""Masks that were read off images which are given, before masks are drawn for these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class ReadMasks:
    """What a reader says of tiles; NaN where nothing was read.

    Attributes:
        classes: probabilities `(n, layer, classes, y, x)`; no layers where masks have no classes.
        amounts: `(n, quantity, y, x)`, in the user's units; no quantities where masks have none.
    """

    classes: torch.Tensor
    amounts: torch.Tensor

    def apply(self, change: Callable[[torch.Tensor], torch.Tensor]) -> ReadMasks:
        """Both changed alike, such as cropped."""
        return ReadMasks(change(self.classes), change(self.amounts))

    def where(self, shown: torch.Tensor) -> ReadMasks:
        """Nothing was read elsewhere.

        Args:
            shown: `(n, y, x)` boolean.
        """
        nothing = float("nan")
        return ReadMasks(
            self.classes.masked_fill(~shown[:, None, None], nothing), self.amounts.masked_fill(~shown[:, None], nothing)
        )

    @property
    def planes(self) -> torch.Tensor:
        """All of it one after the other, `(n, layer * classes + quantity, y, x)`."""
        return torch.cat([self.classes.flatten(1, 2), self.amounts], dim=1)

    @classmethod
    def of_planes(cls, planes: torch.Tensor, *, layers: int, quantities: int) -> ReadMasks:
        """The opposite of `planes`."""
        of_classes = planes.shape[1] - quantities
        classes = of_classes // max(1, layers)
        return cls(planes[:, :of_classes].unflatten(1, (layers, classes)), planes[:, of_classes:])
