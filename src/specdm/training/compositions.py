"""What a tile is made of, as one row of fractions: what the denoiser is conditioned on.

The row has a group a mask layer (shares of the classes) and one for abundances (their means); each group sums to
one. Free quantities have no composition.
"""

from __future__ import annotations

import numpy as np
import torch

from specdm.models.pixels import Pixels
from specdm.tiles.coverage import layer_shares, mean_amounts
from specdm.tiles.tileset import TileSet

BLOCKS = 8
"""Blocks along a tile in which it is counted how far labels reach."""

LEAST_REACH = 0.1
"""Share of a tile's blocks with a label below which its composition is not given."""


def compositions(tiles: Pixels, *, classes: int, abundances: bool) -> torch.Tensor:
    """Composition of each tile, `(n, parts)`.

    NaN (not given) where labels reach less than a tenth of a tile: a corner says little about the rest. Pixels that are
    labelled here and there over the whole tile do, even if they are few.

    Args:
        tiles: `n` tiles.
        classes: of the masks.
        abundances: whether the amounts are abundances.
    """
    groups = [_class_shares(tiles.positions[:, layer], classes) for layer in range(tiles.positions.shape[1])]
    if abundances:
        groups.append(_mean_abundances(tiles.amounts))
    if not groups:
        return torch.zeros(len(tiles), 0)
    rows = torch.cat(groups, dim=1)
    return torch.where(rows.isfinite().all(dim=1, keepdim=True), rows, float("nan"))


def ground_composition(tiles: TileSet) -> np.ndarray:
    """The same of the whole training ground, each pixel counted once, float64 `(parts,)`."""
    groups = [layer_shares(tiles).ravel()] if tiles.layers else []
    if tiles.quantities is not None and tiles.quantities.sum_to_one:
        groups.append(mean_amounts(tiles))
    return np.concatenate(groups) if groups else np.zeros(0)


def part_names(tiles: TileSet) -> list[list[str]]:
    """What the parts of each group are called: classes ("LAYER: class" with several layers), or materials."""
    groups = []
    for layer in tiles.layers:
        prefix = f"{layer}: " if len(tiles.layers) > 1 else ""
        groups.append([prefix + name for name in (tiles.classes.names if tiles.classes else ())])
    if tiles.quantities is not None and tiles.quantities.sum_to_one:
        groups.append(list(tiles.quantities.names))
    return groups


def _class_shares(positions: torch.Tensor, classes: int) -> torch.Tensor:
    one_hot = torch.nn.functional.one_hot(positions.clamp(min=0), classes) * (positions >= 0).unsqueeze(-1)
    counts = one_hot.sum(dim=(1, 2)).float()
    labelled = counts.sum(dim=1, keepdim=True)
    return torch.where(_reaching(positions >= 0), counts / labelled.clamp(min=1), float("nan"))


def _mean_abundances(amounts: torch.Tensor) -> torch.Tensor:
    known = amounts.isfinite().all(dim=1, keepdim=True)
    count = known.sum(dim=(2, 3)).float()
    mean = torch.where(known, amounts, 0.0).sum(dim=(2, 3)) / count.clamp(min=1)
    return torch.where(_reaching(known[:, 0]), mean, float("nan"))


def _reaching(known: torch.Tensor) -> torch.Tensor:
    """Whether what is known `(n, y, x)` reaches enough of a tile, bool `(n, 1)`."""
    block = max(1, known.shape[-1] // BLOCKS)
    blocks = torch.nn.functional.max_pool2d(known.float().unsqueeze(1), block, ceil_mode=True)
    reach = blocks.mean(dim=(1, 2, 3))[:, None]
    return (reach >= LEAST_REACH) & (reach > 0)
