"""The set of abundances: none negative, all summing to one."""

from __future__ import annotations

import torch


def project_to_simplex(values: torch.Tensor, *, dim: int = 1) -> torch.Tensor:
    """The nearest point (Euclidean) whose entries along `dim` are at least 0 and sum to one.

    Duchi et al. 2008, "Efficient projections onto the l1-ball", figure 1. Unlike a softmax it gives exact zeros,
    and it never moves a value away from any true abundance, since those form a convex set.
    """
    sorted_values = values.sort(dim=dim, descending=True).values
    shape = [1] * values.ndim
    shape[dim] = values.shape[dim]
    rank = torch.arange(1, values.shape[dim] + 1, device=values.device, dtype=values.dtype).view(shape)
    excess = sorted_values.cumsum(dim) - 1.0
    support = (sorted_values * rank > excess).sum(dim=dim, keepdim=True)
    threshold = excess.gather(dim, support - 1) / support
    kept = (values - threshold).clamp(min=0.0)
    # a last division takes away what float32 left over
    return kept / kept.sum(dim=dim, keepdim=True)
