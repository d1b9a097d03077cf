"""Layers shared by the codecs: residual convolutions without normalisation across pixels.

Group normalisation would divide a tile's spectra by the spread of the whole tile; a codec of physical
values has to keep them, so its blocks are plain.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from specdm.models.batch_share import WHOLE, BatchShare


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip; starts as the identity."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(F.silu(self.first(F.silu(x))))


class Encoder(nn.Module):
    """`(n, inputs, y, x)` to posterior mean and log-variance, each `(n, outputs, y / factor, x / factor)`.

    A linear map of each cell's pixels plus a residual network that starts at zero: the linear part can be set
    in closed form (`fit_linear`), so that training starts from the best linear codec.
    """

    def __init__(self, inputs: int, outputs: int, *, width: int, factor: int, blocks: int):
        super().__init__()
        self.gather = nn.PixelUnshuffle(factor)
        self.linear = nn.Conv2d(inputs * factor**2, outputs, 1)
        self.residual = _residual(inputs * factor**2, outputs, width=width, blocks=blocks)
        self.log_variance = nn.Conv2d(inputs * factor**2, outputs, 1)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.constant_(self.log_variance.bias, -5.0)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gathered = self.gather(x)
        mean = self.linear(gathered) + self.residual(gathered)
        return mean, self.log_variance(gathered).clamp(-20, 10)


class Decoder(nn.Module):
    """`(n, inputs, y / factor, x / factor)` to `(n, outputs, y, x)`; linear plus residual like `Encoder`."""

    def __init__(self, inputs: int, outputs: int, *, width: int, factor: int, blocks: int):
        super().__init__()
        self.linear = nn.Conv2d(inputs, outputs * factor**2, 1)
        self.residual = _residual(inputs, outputs * factor**2, width=width, blocks=blocks)
        self.spread = nn.PixelShuffle(factor)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.spread(self.linear(z) + self.residual(z))


def _residual(inputs: int, outputs: int, *, width: int, blocks: int) -> nn.Module:
    last = nn.Conv2d(width, outputs, 1)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)  # type: ignore[arg-type]
    first = nn.Conv2d(inputs, width, 3, padding=1)
    return nn.Sequential(first, *[ResidualBlock(width) for _ in range(blocks)], nn.SiLU(), last)


@torch.no_grad()
def fit_linear(encoder: Encoder, decoder: Decoder, inputs: torch.Tensor, *, weights: torch.Tensor) -> None:
    """Set the linear parts to the best linear codec: principal components of the weighted cells.

    Args:
        encoder, decoder: of one codec.
        inputs: `(n, channels, y, x)`.
        weights: `(channels,)`, how much the squared error of each channel counts.
    """
    cells = encoder.gather(inputs).movedim(1, -1).flatten(0, -2).double()
    scale = weights.double().clamp(min=1e-8).sqrt().repeat_interleave(cells.shape[1] // len(weights))
    mean = cells.mean(dim=0)
    values, vectors = torch.linalg.eigh(torch.atleast_2d(torch.cov(((cells - mean) * scale).T)))
    kept = min(encoder.linear.out_channels, cells.shape[1])
    axes = vectors.flip(1)[:, :kept]
    spread = values.flip(0)[:kept].clamp(min=1e-8).sqrt()
    analysis = (axes / spread).T * scale
    synthesis = axes * spread / scale[:, None]
    encoder.linear.weight.zero_()
    decoder.linear.weight.zero_()
    encoder.linear.weight[:kept, :, 0, 0] = analysis.float()
    decoder.linear.weight[:, :kept, 0, 0] = synthesis.float()
    encoder.linear.bias.zero_()  # type: ignore[union-attr]
    encoder.linear.bias[:kept] = -(analysis @ mean).float()  # type: ignore[index]
    decoder.linear.bias.copy_(mean.float())  # type: ignore[union-attr]


class LatentStatistics(nn.Module):
    """Standardises latents to zero mean and unit variance by channel, with stored statistics."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("std", torch.ones(channels))

    @torch.no_grad()
    def fit(self, latents: torch.Tensor) -> None:
        """From latents `(cells, channels)`."""
        self.mean.copy_(latents.mean(dim=0))
        self.std.copy_(latents.std(dim=0, correction=0).clamp(min=1e-4))

    def standardise(self, latents: torch.Tensor) -> torch.Tensor:
        return (latents - self.mean[:, None, None]) / self.std[:, None, None]

    def restore(self, latents: torch.Tensor) -> torch.Tensor:
        return latents * self.std[:, None, None] + self.mean[:, None, None]


def kl_to_standard_normal(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """Mean over latent entries of KL(N(mean, exp(log_variance)) || N(0, 1)), Kingma & Welling 2014, app. B."""
    return 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()


def draw(
    mean: torch.Tensor, log_variance: torch.Tensor, *, generator: torch.Generator | None, share: BatchShare = WHOLE
) -> torch.Tensor:
    """A reparametrised draw from N(mean, exp(log_variance)), of a batch's `share`."""
    noise = share.normal(mean.shape, generator=generator, device=mean.device, dtype=mean.dtype)
    return mean + (0.5 * log_variance).exp() * noise


def latent_importance(decoder: Decoder, statistics: LatentStatistics, *, weights: torch.Tensor) -> torch.Tensor:
    """How far each standardised latent moves what is decoded: `(latents,)`, mean 1, by the linear part alone.

    Root of the weighted squared length of the decoder's column; principal components differ by orders of magnitude.

    Args:
        decoder, statistics: of one codec.
        weights: `(outputs,)`, how much the squared error of each output channel counts.
    """
    columns = decoder.linear.weight[:, :, 0, 0].detach()
    per_cell = weights.repeat_interleave(columns.shape[0] // len(weights))
    length = (per_cell[:, None] * columns.square()).sum(dim=0).sqrt() * statistics.std
    return length / length.mean().clamp(min=1e-12)
