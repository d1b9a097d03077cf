"""A batch that several processes work on together, so that it teaches what it would teach one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class BatchShare:
    """The part of each batch that this process works on; by default it is alone and works on all of it.

    Every process draws the whole batch from the same generator and takes its part of it. A mean over what is known in a
    batch is no mean of the means of its parts, which may know more or less: `mean` divides by the count of all parts,
    scaled so that the average over processes, which is what data-parallel training takes of gradients, is the mean over
    the whole batch.

    Attributes:
        rank: of this process, 0 to `ranks - 1`.
        ranks: processes. With more than one, `torch.distributed` must have been initialised with as many.
    """

    rank: int = 0
    ranks: int = 1

    def of(self, values: torch.Tensor) -> torch.Tensor:
        """This process's part of `(n, ...)`, `(n / ranks, ...)`; n is a multiple of `ranks`."""
        each = len(values) // self.ranks
        return values[self.rank * each : (self.rank + 1) * each]

    def normal(
        self, shape: torch.Size, *, generator: torch.Generator | None, device: torch.device, dtype: torch.dtype
    ) -> torch.Tensor:
        """This process's part of standard normal draws for the whole batch; `shape` is that of the part."""
        whole = (shape[0] * self.ranks, *shape[1:])
        return self.of(torch.randn(whole, generator=generator, device=device, dtype=dtype))

    def total(self, value: torch.Tensor) -> torch.Tensor:
        """The sum over processes, without gradient. All processes must come here."""
        if self.ranks == 1:
            return value.detach()
        summed = value.detach().clone()
        torch.distributed.all_reduce(summed)
        return summed

    def mean(self, errors: torch.Tensor, count: torch.Tensor | Any) -> torch.Tensor:
        """What to average over processes for the mean error of the whole batch. All processes must come here.

        Args:
            errors: the sum over this process's part.
            count: of what was summed there.
        """
        return self.ranks * errors / self.total(count).clamp(min=1)

    def average(self, value: torch.Tensor) -> torch.Tensor:
        """The average over processes, without gradient. All processes must come here."""
        return self.total(value) / self.ranks


WHOLE = BatchShare()
