"""Noise with the power spectrum of the latents it is mixed with.

White noise drowns what is fine long before what is coarse, so the large-scale part of an image is decided while
nothing else of it can be seen, by a part of the training that is short and hard; a model of little data then draws
images that are too white. Noise of the latents' own spectrum leaves all scales at the same signal-to-noise ratio
(Falck et al. 2025, "A Fourier space perspective on diffusion models", arXiv 2505.11278, EqualSNR). Here it is white
noise after a filter of finite reach, so that an area of any size can be drawn without the rest; what is coarser than
its reach is a little weaker in the noise than in the latents.
"""

from __future__ import annotations

import torch
from torch.fft import fft2, ifft2, irfft2, rfft2

LEAST_POWER = 1e-3
"""Of the mean power of white noise; no frequency is left without noise."""

BATCH = 64
"""Tiles at a time."""


def noise_reach(cells: int) -> int:
    """Cells that a filter for tiles of so many cells looks in each direction: three quarters of a tile.

    Half of a tile leaves means of tiles 0.6 to 0.85 of their variance, all of it twice the white noise to draw.
    """
    return 3 * cells // 4


def noise_kernels(latents: torch.Tensor, known: torch.Tensor, *, reach: int) -> torch.Tensor:
    """Filters that give white noise the autocovariance of latents, averaged over flips and turns.

    The autocovariance at each lag over all pairs of known cells (Wiener-Khinchin), the root of whose spectrum is the
    filter without phase.

    Args:
        latents: `(n, channels, y, x)`, square, of mean zero.
        known: `(n, y, x)`, 1 where known.
        reach: cells that a filter looks in each direction, less than the cells of a tile.

    Returns:
        `(channels, 2 reach + 1, 2 reach + 1)`, the sum of squares 1; ones alone in the middle where nothing is known.
    """
    kernels = torch.zeros(latents.shape[1], 2 * reach + 1, 2 * reach + 1)
    kernels[:, reach, reach] = 1.0
    if not bool((known > 0).any()):
        return kernels
    covariance = _symmetric(_autocovariance(latents, known))
    spectrum = fft2(covariance).real / covariance[:, :1, :1].clamp(min=1e-12)
    kernel = ifft2(spectrum.clamp(min=LEAST_POWER).sqrt()).real
    around = torch.roll(kernel, (reach, reach), dims=(1, 2))[:, : 2 * reach + 1, : 2 * reach + 1]
    return (around / around.square().sum(dim=(1, 2), keepdim=True).sqrt()).float()


def _autocovariance(latents: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean product of known cells at each lag, `(channels, 2 y - 1, 2 x - 1)` on a torus with room for these alone.

    A lag of which there are no pairs is 0; one more on the torus would be such a lag, and a dip between the farthest.
    """
    torus = (2 * latents.shape[-2] - 1, 2 * latents.shape[-1] - 1)
    products, pairs = torch.zeros(latents.shape[1], *torus, dtype=torch.float64), torch.zeros(torus).double()
    for start in range(0, len(latents), BATCH):
        part, there = (values[start : start + BATCH].double() for values in (latents, known))
        products += irfft2(rfft2(part * there[:, None], s=torus).abs().square().sum(dim=0), s=torus)
        pairs += irfft2(rfft2(there, s=torus).abs().square().sum(dim=0), s=torus)
    return torch.where(pairs > 0.5, products / pairs.clamp(min=0.5), 0.0)


def filtered(white: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """White noise after a filter, each cell with all that its filter looks at.

    Args:
        white: `(n, channels, y + 2 reach, x + 2 reach)`, standard normal.
        kernels: see `noise_kernels`.

    Returns:
        `(n, channels, y, x)`, each cell standard normal.
    """
    reach = kernels.shape[-1] // 2
    size = (white.shape[-2], white.shape[-1])
    # all flips of a kernel are itself, so that to correlate is to convolve
    around = irfft2(rfft2(white) * rfft2(kernels, s=size), s=size)
    return around[..., 2 * reach :, 2 * reach :]


def _symmetric(covariance: torch.Tensor) -> torch.Tensor:
    """The mean over flips and turns of lags on a torus `(channels, y, x)`."""
    for axis in (1, 2):
        covariance = (covariance + torch.roll(covariance.flip(axis), 1, dims=axis)) / 2
    return (covariance + covariance.mT) / 2
