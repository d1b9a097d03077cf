"""All randomness of sampling: tile i draws from a generator of its own, seeded by (seed, i).

Compositions are the exception: those of tiles in a row are spread evenly, so that a small set is like a large one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from specdm.models.composition_prior import CompositionPrior

GOLDEN = (5**0.5 - 1) / 2
_COMPOSITIONS = 1
"""Beside the seed, of what is drawn once for all tiles."""


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
    white, generators = [], []
    for i in indices:
        state = np.random.SeedSequence([seed, i]).generate_state(2, np.uint32)
        generator = torch.Generator().manual_seed(int(state[0]) << 31 ^ int(state[1]))
        white.append(torch.randn(shape, generator=generator))
        generators.append(generator)
    if composition is None:
        compositions = prior.at(even_places(indices, seed=seed))
    else:
        compositions = composition.expand(len(indices), -1)
    return TileDraws(torch.stack(white), compositions, generators)


def even_places(indices: Sequence[int], *, seed: int) -> torch.Tensor:
    """A place from 0 to below 1 for each tile, `(n,)`; those of tiles in a row are spread evenly.

    Steps of the golden ratio, from a start of the seed (additive recurrence, Niederreiter 1992, section 3.1).
    """
    start = np.random.default_rng([seed, _COMPOSITIONS]).random()
    return torch.from_numpy((start + GOLDEN * np.asarray(indices, np.float64)) % 1.0)
