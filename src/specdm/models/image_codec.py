"""The codec of spectral images: spectral basis, then a small spatial VAE on its components."""

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
from specdm.models.spectral_basis import SpectralBasis


class ImageCodec(ModelMixin, ConfigMixin):
    """Spectral images `(n, bands, y, x)` in the user's units to latents `(n, channels, y / f, x / f)` and back.

    Args:
        bands: number of bands.
        components: components of the spectral basis.
        latent_channels: channels of the latent.
        width: channels of the residual networks.
        blocks: residual blocks of encoder and of decoder, each.
        factor: spatial factor f; tile sizes must be a multiple of it.
        unit_weight: share of unit-variance error beside error in noise units in the loss, 0..1.
    """

    config_name = "config.json"  # type: ignore[assignment]

    @register_to_config
    def __init__(
        self,
        bands: int,
        components: int = 24,
        latent_channels: int = 16,
        width: int = 96,
        blocks: int = 2,
        factor: int = 2,
        unit_weight: float = 0.2,
    ):
        super().__init__()
        self.basis = SpectralBasis(bands, components)
        kept = self.basis.components
        self.encoder = Encoder(kept, latent_channels, width=width, factor=factor, blocks=blocks)
        self.decoder = Decoder(latent_channels, kept, width=width, factor=factor, blocks=blocks)
        self.statistics = LatentStatistics(latent_channels)
        self.factor = factor

    @property
    def latent_channels(self) -> int:
        return self.config["latent_channels"]

    def component_weights(self) -> torch.Tensor:
        """Weight of the squared error of each unit-variance component, mean 1, `(components,)`.

        In noise units the error of component k counts snr_k times (the log-likelihood under the sensor's
        own noise); a share of equal weights keeps the weak components that tell the classes apart.
        """
        noise_units = self.basis.snr / self.basis.snr.mean()
        share = self.config["unit_weight"]
        return (1 - share) * noise_units + share

    def fit_linear(self, components: torch.Tensor) -> None:
        """Start from the best linear codec of components `(n, k, y, x)`."""
        fit_linear(self.encoder, self.decoder, components, weights=self.component_weights())

    def loss(
        self,
        components: torch.Tensor,
        valid: torch.Tensor,
        *,
        kl_weight: float,
        generator: torch.Generator | None,
        share: BatchShare = WHOLE,
    ) -> torch.Tensor:
        """Weighted squared error on valid pixels plus KL.

        Args:
            components: `(n, components, y, x)` of the basis.
            valid: `(n, 1, y, x)`, 1 where the pixel has data.
            kl_weight: of the KL.
            generator: of the draw.
            share: which part of a batch this is.
        """
        mean, log_variance = self.encoder(components)
        decoded = self.decoder(draw(mean, log_variance, generator=generator, share=share))
        weight = self.component_weights()[:, None, None]
        error = (weight * (decoded - components).square()).mean(dim=1, keepdim=True)
        known = share.mean((error * valid).sum(), valid.sum())
        return known + kl_weight * kl_to_standard_normal(mean, log_variance)

    def prepare(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Components `(n, k, y, x)`, and which pixels have data `(n, 1, y, x)`; others take the mean spectrum."""
        valid = images.isfinite().all(dim=1, keepdim=True)
        filled = torch.where(valid, images, self.basis.mean[:, None, None])
        return self.basis.encode(filled), valid.to(images.dtype)

    def raw_latents(self, components: torch.Tensor) -> torch.Tensor:
        """Posterior means, not yet standardised."""
        return self.encoder(components)[0]

    def augment(
        self, prepared: tuple[torch.Tensor, ...], *, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """As it is: a spectrum is what was measured."""
        return prepared

    def known_cells(self, images: torch.Tensor) -> torch.Tensor:
        """Which latent cells have data in all their pixels, `(n, 1, y / f, x / f)` in 0/1."""
        valid = images.isfinite().all(dim=1, keepdim=True).float()
        return (F.avg_pool2d(valid, self.factor) == 1).float()

    def statistics_rows(self, components: torch.Tensor, valid: torch.Tensor) -> torch.Tensor:
        """Latents `(cells, channels)` that their statistics are taken from."""
        parts = [self.raw_latents(part) for part in components.split(64)]
        return torch.cat(parts).movedim(1, -1).flatten(0, -2)

    def latent_importance(self) -> torch.Tensor:
        """How far each standardised latent moves what is decoded, `(channels,)`, mean 1."""
        return latent_importance(self.decoder, self.statistics, weights=self.component_weights())

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """Standardised latents (posterior means)."""
        return self.statistics.standardise(self.raw_latents(self.prepare(images)[0]))

    def components(self, latents: torch.Tensor) -> torch.Tensor:
        """Components `(n, k, y, x)` of the spectral basis from standardised latents."""
        return self.decoder(self.statistics.restore(latents))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Images in the user's units from standardised latents."""
        return self.basis.decode(self.components(latents))
