"""All randomness of sampling: tile i draws from a generator of its own, seeded by (seed, i)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from specdm.models.composition_prior import CompositionPrior


@dataclass(frozen=True)
class TileDraws:
    """What a batch of tiles starts from.

    Attributes:
        white: `(n, *shape)`, standard normal.
        compositions: `(n, classes)`.
        generators: one a tile, for what is drawn later.
    """

    white: torch.Tensor
    compositions: torch.Tensor
    generators: list[torch.Generator]


def tile_draws(
    indices: Sequence[int],
    *,
    seed: int,
    shape: tuple[int, int, int],
    prior: CompositionPrior,
    composition: torch.Tensor | None,
) -> TileDraws:
    """Draws for tiles of these indices; drawn on the CPU, so that a GPU gives the same tiles but for ties."""
    white, compositions, generators = [], [], []
    for i in indices:
        state = np.random.SeedSequence([seed, i]).generate_state(2, np.uint32)
        generator = torch.Generator().manual_seed(int(state[0]) << 31 ^ int(state[1]))
        white.append(torch.randn(shape, generator=generator))
        drawn = prior.draw(generator)
        compositions.append(drawn if composition is None else composition)
        generators.append(generator)
    return TileDraws(torch.stack(white), torch.stack(compositions), generators)
