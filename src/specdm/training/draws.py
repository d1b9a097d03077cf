"""Random numbers that depend on the seed and the step alone, so that a resumed run draws what it would have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import IterableDataset


def step_generator(*entropy: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator seeded by all of `entropy`, such as (seed, stage, step); each kind of device draws other numbers."""
    state = np.random.SeedSequence(entropy).generate_state(2, np.uint32)
    return torch.Generator(device).manual_seed(int(state[0]) << 31 ^ int(state[1]))


class EndlessSteps(IterableDataset):
    """Lightning wants a loader; batches are drawn in the training step from its number, so this only counts."""

    def __iter__(self) -> Iterator[int]:
        step = 0
        while True:
            yield step
            step += 1
