"""The codec of continuous masks: abundances, or free values such as height."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch.nn import functional as F

from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.codec_layers import (
    Decoder,
    Encoder,
    LatentStatistics,
    draw,
    fit_linear,
    kl_to_standard_normal,
    latent_importance,
)
from specdm.models.simplex import project_to_simplex


class AmountCodec(ModelMixin, ConfigMixin):
    """Amounts `(n, quantities, y, x)`, NaN where unknown, to latents `(n, channels, y / f, x / f)` and back.

    Decoded abundances are non-negative and sum to one because the decoder ends in the projection onto that set.
    Free values have no bound: one that cannot be, such as a height below zero, stays visible.

    Args:
        quantities: number of quantities.
        sum_to_one: whether they are abundances.
        latent_channels: channels of the latent.
        width: channels of the residual networks.
        blocks: residual blocks of encoder and of decoder, each.
        factor: spatial factor f, the image codec's.
    """

    config_name = "config.json"  # type: ignore[assignment]
    mean: torch.Tensor
    std: torch.Tensor

    @register_to_config
    def __init__(
        self,
        quantities: int,
        sum_to_one: bool = False,
        latent_channels: int = 16,
        width: int = 48,
        blocks: int = 1,
        factor: int = 2,
    ):
        super().__init__()
        self.encoder = Encoder(quantities, latent_channels, width=width, factor=factor, blocks=blocks)
        self.decoder = Decoder(latent_channels, quantities, width=width, factor=factor, blocks=blocks)
        self.statistics = LatentStatistics(latent_channels)
        self.factor = factor
        self.register_buffer("mean", torch.zeros(quantities))
        self.register_buffer("std", torch.ones(quantities))

    @property
    def latent_channels(self) -> int:
        return self.config["latent_channels"]

    @torch.no_grad()
    def fit_start(self, amounts: torch.Tensor) -> None:
        """Scale of the quantities and the best linear codec, from `(n, quantities, y, x)` with known pixels."""
        known = amounts.movedim(1, -1)[amounts.isfinite().all(dim=1)].double()
        self.mean.copy_(known.mean(dim=0))
        self.std.copy_(known.std(dim=0, correction=0).clamp(min=1e-6))
        values, whole = self.prepare(amounts)
        cells = F.avg_pool2d(whole, self.factor) == 1
        # cells with an unknown pixel would teach that values are average there
        rows = self.encoder.gather(values).movedim(1, -1)[cells[:, 0]]
        if len(rows) < 2:
            rows = self.encoder.gather(values).movedim(1, -1).flatten(0, -2)
        fit_linear(
            self.encoder,
            self.decoder,
            self.decoder.spread(rows[:, :, None, None]),
            weights=torch.ones(self.config["quantities"]),
        )

    def prepare(self, amounts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values of unit variance, 0 where unknown, and which pixels are known `(n, 1, y, x)` in 0/1."""
        known = amounts.isfinite().all(dim=1, keepdim=True)
        values = (amounts - self.mean[:, None, None]) / self.std[:, None, None]
        return torch.where(known, values, 0.0), known.to(amounts.dtype)

    def augment(
        self, prepared: tuple[torch.Tensor, ...], *, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """As it is: quantities are not exchangeable."""
        return prepared

    def loss(
        self,
        values: torch.Tensor,
        known: torch.Tensor,
        *,
        kl_weight: float,
        generator: torch.Generator | None,
        share: BatchShare = WHOLE,
    ) -> torch.Tensor:
        """Squared error of known pixels in units of each quantity's spread, plus KL."""
        mean, log_variance = self.encoder(values)
        decoded = self.decoder(draw(mean, log_variance, generator=generator, share=share))
        error = (decoded - values).square().mean(dim=1, keepdim=True)
        mean_error = share.mean((error * known).sum(), known.sum())
        return mean_error + kl_weight * kl_to_standard_normal(mean, log_variance)

    def raw_latents(self, values: torch.Tensor) -> torch.Tensor:
        """Posterior means of prepared values, not yet standardised."""
        return self.encoder(values)[0]

    def known_cells(self, amounts: torch.Tensor) -> torch.Tensor:
        """Which latent cells have all their pixels known, `(n, 1, y / f, x / f)` in 0/1."""
        return (F.avg_pool2d(amounts.isfinite().all(dim=1, keepdim=True).float(), self.factor) == 1).float()

    def statistics_rows(self, values: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Latents `(cells, channels)` that their statistics are taken from: cells of known pixels."""
        latents = self.raw_latents(values).movedim(1, -1)
        whole = (F.avg_pool2d(known, self.factor) == 1)[:, 0]
        return latents[whole] if whole.any() else latents.flatten(0, -2)

    def latent_importance(self) -> torch.Tensor:
        """How far each standardised latent moves what is decoded, `(channels,)`, mean 1."""
        return latent_importance(self.decoder, self.statistics, weights=torch.ones(self.config["quantities"]))

    def encode(self, amounts: torch.Tensor) -> torch.Tensor:
        """Standardised latents (posterior means); only cells of `known_cells` mean anything."""
        return self.statistics.standardise(self.raw_latents(self.prepare(amounts)[0]))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Amounts in the user's units from standardised latents."""
        values = self.decoder(self.statistics.restore(latents))
        amounts = values * self.std[:, None, None] + self.mean[:, None, None]
        return project_to_simplex(amounts) if self.config["sum_to_one"] else amounts
