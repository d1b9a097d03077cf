"""Readings of a pixel and of its neighbours that look alike, put together: where ground is in fields, they tell of it.

The bilateral filter of Tomasi and Manduchi 1998, "Bilateral filtering for gray and color images", section 2, on class
probabilities with the image as guide, as in the edge-preserving filtering of Kang, Li and Benediktsson 2014,
"Spectral-spatial hyperspectral image classification with edge-preserving filtering", IEEE TGRS 52, section III.
"""

from __future__ import annotations

import torch
from torch.nn import functional as F

GUIDES = 4
"""Components of each date that say whether two pixels are alike: those farthest above the noise."""

LIKE = 1.0
"""Mean distance over the guides, which have unit variance, at which a neighbour counts exp(-1/2)."""


def with_neighbours(
    chances: torch.Tensor, components: torch.Tensor, *, reach: torch.Tensor, dates: int = 1
) -> torch.Tensor:
    """Class probabilities as the mean over neighbours with data, by how alike they look.

    Args:
        chances: `(n, layer, classes, y, x)`.
        components: of all dates, `(n, components, y, x)`, of unit variance, NaN where there are no data.
        reach: pixels to each side, `(layers,)`; 0: as they are.
        dates: with equally many components each.
    """
    found = chances.clone()
    valid = components.isfinite().all(dim=1, keepdim=True)
    guides = torch.where(valid, components, 0.0).unflatten(1, (dates, -1))[:, :, :GUIDES].flatten(1, 2)
    for pixels in sorted({int(value) for value in reach} - {0}):
        layers = torch.nonzero(reach == pixels).flatten().to(chances.device)
        found[:, layers] = _averaged(chances[:, layers], guides, valid, pixels)
    return found


def _averaged(chances: torch.Tensor, guides: torch.Tensor, valid: torch.Tensor, reach: int) -> torch.Tensor:
    height, width = chances.shape[-2:]
    around = [F.pad(values, (reach,) * 4) for values in (chances, guides, valid.to(chances.dtype))]
    total, weights = torch.zeros_like(chances), torch.zeros_like(chances[:, :, :1])
    for y in range(2 * reach + 1):
        for x in range(2 * reach + 1):
            theirs, looks, there = (values[..., y : y + height, x : x + width] for values in around)
            distance = (looks - guides).square().mean(dim=1, keepdim=True)
            weight = (there * (-distance / (2 * LIKE**2)).exp())[:, None]
            total += weight * theirs
            weights += weight
    return torch.where(weights > 0, total / weights.clamp(min=1e-12), chances)
