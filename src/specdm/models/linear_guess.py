"""The best linear guess at latents: what a denoiser knows before it has learnt anything.

Latents of neighbouring cells are alike, and how much so is known in closed form: the power spectrum of each channel.
For Gaussian latents of that spectrum the best guess at a noisy tile is the Wiener filter (Wiener 1949, "Extrapolation,
interpolation, and smoothing of stationary time series"; Gonzalez and Woods, "Digital image processing", section 5.8). A
network that only has to learn what is left over draws smooth fields from its first step on.

Spectra are those of the discrete cosine transform, whose edges do not wrap around.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch.nn import functional as F

BATCH = 1024
"""Tiles transformed at a time."""

LEAST_POWER = 0.02
"""Of any frequency, in units of the mean: what was never seen is improbable, not impossible."""

FILLS = 4
"""Rounds in which unknown cells are filled with what the filter expects there."""


def cosine_basis(n: int, *, like: torch.Tensor) -> torch.Tensor:
    """Orthonormal discrete cosine transform (type II) as a matrix `(n, n)`, frequencies first."""
    return _cosine_basis(n).to(device=like.device, dtype=like.dtype)


@cache
def _cosine_basis(n: int) -> torch.Tensor:
    # in double precision on the CPU, since not every device has it
    k = torch.arange(n, dtype=torch.float64)
    basis = torch.cos(math.pi * k[:, None] * (2 * k[None] + 1) / (2 * n)) * math.sqrt(2 / n)
    basis[0] /= math.sqrt(2)
    return basis


def transform(values: torch.Tensor) -> torch.Tensor:
    """Cosine transform of the last two axes."""
    rows, columns = (cosine_basis(n, like=values) for n in values.shape[-2:])
    return rows @ values @ columns.T


def inverse(values: torch.Tensor) -> torch.Tensor:
    """The opposite of `transform`."""
    rows, columns = (cosine_basis(n, like=values) for n in values.shape[-2:])
    return rows.T @ values @ columns


def power_spectrum(latents: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Mean power of each frequency of each channel, from cells that are known.

    The autocovariance over pairs of known cells, as a covariance of all cells of a tile, in the cosine basis. Made
    alike for all orientations of a tile.

    Args:
        latents: of zero mean and unit variance, `(n, channels, y, x)`.
        known: `(n, y, x)`, 1 where known.

    Returns:
        `(channels, y, x)`, mean 1, about `LEAST_POWER` at least; 1 throughout if no two cells are known.
    """
    _, channels, height, width = latents.shape
    # circular correlation of tiles padded to twice their size: every lag is one of a pair within the tile
    size = (2 * height, 2 * width)

    def spectrum(values: torch.Tensor) -> torch.Tensor:
        parts = (torch.fft.rfft2(part.double(), s=size).abs().square().sum(dim=0) for part in values.split(BATCH))
        return torch.fft.irfft2(torch.stack(list(parts)).sum(dim=0), s=size)

    pairs = spectrum(known)
    along = _lag_weights(height), _lag_weights(width)
    rows, columns = (torch.arange(1 - n, n) % (2 * n) for n in (height, width))
    found = torch.ones(channels, height, width)
    for c in range(channels):
        covariance = spectrum(torch.where(known > 0, latents[:, c], 0.0)) / pairs.clamp(min=0.5)
        power = along[0] @ covariance[rows][:, columns] @ along[1].T
        if height == width:
            power = (power + power.T) / 2
        power = power / power.mean()
        if torch.isfinite(power).all():
            found[c] = power.clamp(min=LEAST_POWER).float()
    return found / found.mean(dim=(1, 2), keepdim=True)


def _lag_weights(n: int) -> torch.Tensor:
    """How often each lag counts in the power of each frequency, `(n, 2 n - 1)`: lags from 1 - n to n - 1."""
    basis = cosine_basis(n, like=torch.zeros((), dtype=torch.float64))
    lags = torch.arange(1 - n, n).tolist()
    columns = [(basis[:, max(0, d) : n + min(0, d)] * basis[:, max(0, -d) : n - max(0, d)]).sum(dim=1) for d in lags]
    return torch.stack(columns, dim=1)


def stream_level(levels: torch.Tensor) -> torch.Tensor:
    """The level of a stream's cells that are neither known nor unknown, `(n, streams, 1, 1)` of `(n, streams, y, x)`.

    Where there are none: 1 if all are unknown, 0 if all are known, else between the two.
    """
    between = ((levels > 0) & (levels < 1)).to(levels.dtype)
    count = between.sum(dim=(2, 3), keepdim=True)
    mean = (levels * between).sum(dim=(2, 3), keepdim=True) / count.clamp(min=1)
    # alike levels must come out to the last digit, since they are compared
    lowest = levels.masked_fill(between == 0, 2.0).amin(dim=(2, 3), keepdim=True)
    highest = levels.masked_fill(between == 0, -1.0).amax(dim=(2, 3), keepdim=True)
    mean = torch.where(lowest == highest, lowest, mean)
    return torch.where(count > 0, mean, levels.mean(dim=(2, 3), keepdim=True))


def guess(
    noisy: torch.Tensor, levels: torch.Tensor, stream: torch.Tensor, power: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Expected velocity of Gaussian latents of a known spectrum, and the spread that is left, by frequency.

    With z_t = (1 - t) z + t e and power s, the velocity e - z has the mean (t - (1 - t) s) / d z_t and the standard
    deviation (s / d)^1/2, where d = (1 - t)^2 s + t^2. Cells of another level than the stream's are brought to it as
    far as they can be: a known cell loses no more than its share, an unknown one is filled with what its neighbours
    make the filter expect there (expectation maximisation, Dempster, Laird and Rubin 1977; a few rounds).

    Args:
        noisy: `(n, channels, y, x)`.
        levels: by channel, `(n, channels, y, x)`.
        stream: see `stream_level`, by channel, `(n, channels, 1, 1)`.
        power: `(channels, y, x)`.

    Returns:
        Velocity `(n, channels, y, x)`; spread of each frequency `(n, channels, y, x)`.
    """
    t = stream
    total = (1 - t).square() * power + t.square()
    seen = torch.where(levels <= t, noisy * (1 - t) / (1 - levels).clamp(min=1e-6), 0.0)
    seen = torch.where(levels == t, noisy, seen)
    missing = levels > t
    for _ in range(FILLS if bool(missing.any()) else 0):
        expected = inverse((1 - t).square() * power / total * transform(seen))
        seen = torch.where(missing, expected, seen)
    velocity = inverse((t - (1 - t) * power) / total * transform(seen))
    # an unknown cell's latent is what the filter makes of its neighbours
    unknown = noisy - (seen - t * velocity)
    alone = (2 * levels - 1) / ((1 - levels).square() + levels.square()) * noisy
    velocity = torch.where(levels == t, velocity, torch.where(levels == 1, unknown, alone))
    return velocity, (power / total).sqrt()


def resized(power: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """A spectrum for tiles of another size, `(channels, height, width)`."""
    if power.shape[-2:] == (height, width):
        return power
    found = F.interpolate(power[None], size=(height, width), mode="bilinear", align_corners=False)[0]
    return found / found.mean(dim=(1, 2), keepdim=True)
