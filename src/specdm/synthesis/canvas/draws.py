"""All that a scene draws at random: what a place gets depends on the seed and the place alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from specdm.models.composition_prior import CompositionPrior
from specdm.synthesis.canvas.windows import Area, blocks

BLOCK = 32
"""Cells along the blocks in which noise is drawn and a scene is decoded; another number makes other scenes."""

_LATENTS, _SENSOR, _COMPOSITION = range(3)


def _generator(seed: int, what: int, row: int, column: int) -> torch.Generator:
    state = np.random.SeedSequence([seed, what, row, column]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 31 ^ int(state[1]))


def white_noise(seed: int, area: Area, channels: int) -> torch.Tensor:
    """Standard normal noise of the cells of an area, `(channels, y, x)`, on the CPU."""
    noise = torch.empty(channels, area.height, area.width)
    for part in blocks(area, BLOCK):
        row, column = part.y // BLOCK, part.x // BLOCK
        drawn = torch.randn(channels, BLOCK, BLOCK, generator=_generator(seed, _LATENTS, row, column))
        noise[:, *part.within(area)] = drawn[:, *part.within(Area(row * BLOCK, column * BLOCK, BLOCK, BLOCK))]
    return noise


def sensor_generator(seed: int, block: Area) -> torch.Generator:
    """What the sensor noise of a block is drawn from; an area of cells that lies in one block."""
    return _generator(seed, _SENSOR, block.y // BLOCK, block.x // BLOCK)


@dataclass(frozen=True)
class CompositionLattice:
    """Which classes are where: a composition for each block of ground of a tile's size.

    Attributes:
        prior: to draw them from.
        seed: of the scene.
        size: cells along a tile.
        ordered: `(parts,)`, the composition of all blocks; None: drawn for each.
    """

    prior: CompositionPrior
    seed: int
    size: int
    ordered: torch.Tensor | None = None

    def of(self, window: Area) -> torch.Tensor:
        """Composition of a window, `(parts,)`: that of the blocks it touches, by the area it shares with each."""
        if self.ordered is not None:
            return self.ordered
        parts = list(blocks(window, self.size))
        shares = torch.tensor([part.height * part.width for part in parts], dtype=torch.float64)
        rows = torch.stack([self._drawn(part) for part in parts]).double()
        return (shares[:, None] * rows).sum(dim=0).div(shares.sum()).float()

    def _drawn(self, part: Area) -> torch.Tensor:
        return self.prior.draw(_generator(self.seed, _COMPOSITION, part.y // self.size, part.x // self.size))
