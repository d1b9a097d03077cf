"""Tiles of any size for a network that halves them."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Padded(nn.Module):
    """Pads tiles by their mirror image to sides that a network can halve, and cuts its output back.

    Args:
        network: maps `(n, channels, y, x)` to `(n, outputs, y, x)`.
        multiple: what sides must be multiples of.
    """

    def __init__(self, network: nn.Module, *, multiple: int):
        super().__init__()
        self.network = network
        self.multiple = multiple

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        height, width = tiles.shape[-2:]
        top, bottom = self._margins(height)
        left, right = self._margins(width)
        if not (bottom or right):
            return self.network(tiles)
        # a mirror shows no more than what is there; smaller tiles go on as their last row does
        mode = "reflect" if max(top, bottom) < height and max(left, right) < width else "replicate"
        wide = F.pad(tiles, (left, right, top, bottom), mode=mode)
        return self.network(wide)[..., top : top + height, left : left + width]

    def _margins(self, side: int) -> tuple[int, int]:
        missing = -side % self.multiple
        return missing // 2, missing - missing // 2
