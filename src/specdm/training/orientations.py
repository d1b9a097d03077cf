"""The eight orientations of a square tile (dihedral group): a field has no up."""

from __future__ import annotations

import torch

ORIENTATIONS = 8


def orient(tiles: torch.Tensor, orientation: int) -> torch.Tensor:
    """Rotate by `orientation % 4` quarter turns the last two axes, transposed before if `orientation >= 4`."""
    if orientation >= 4:
        tiles = tiles.transpose(-1, -2)
    return torch.rot90(tiles, orientation % 4, dims=(-2, -1))


def turned_back(tiles: torch.Tensor, orientation: int) -> torch.Tensor:
    """The opposite of `orient`."""
    tiles = torch.rot90(tiles, -(orientation % 4), dims=(-2, -1))
    return tiles.transpose(-1, -2) if orientation >= 4 else tiles
