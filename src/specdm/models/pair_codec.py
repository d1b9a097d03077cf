"""The codec of a plain latent diffusion model: one autoencoder for image and mask concatenated.

The baseline that the two streams are held against (Rombach et al. 2022, "High-resolution image synthesis with latent
diffusion models", with masks as further channels). It has the same layers and the same closed-form start as the other
codecs, so that what is compared is the one stream and the missing spectral basis, not the care taken.
"""

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

LOGIT_SCALE = 8.0
"""Logits are the decoded one-hot values times this, so that the closed-form start is already sure of its classes."""


class PairCodec(ModelMixin, ConfigMixin):
    """All of a tile `(n, dates * bands + layers + quantities, y, x)`, as `Pixels.of` gives it, to latents and back.

    Bands are standardised one by one; a mask is one-hot with one more class for "unlabelled", which is generated like
    any other.

    Args:
        dates, bands: of the image.
        layers, classes: of the mask; 0 layers for none.
        quantities: of the continuous mask; 0 for none.
        sum_to_one: whether these are abundances.
        latent_channels: channels of the latent.
        width: channels of the residual networks.
        blocks: residual blocks of encoder and of decoder, each.
        factor: spatial factor f.
    """

    config_name = "config.json"  # type: ignore[assignment]
    mean: torch.Tensor
    std: torch.Tensor
    weights: torch.Tensor

    @register_to_config
    def __init__(
        self,
        dates: int,
        bands: int,
        layers: int,
        classes: int,
        quantities: int,
        sum_to_one: bool = False,
        latent_channels: int = 32,
        width: int = 128,
        blocks: int = 1,
        factor: int = 2,
    ):
        super().__init__()
        channels = dates * bands + layers * (classes + 1) + quantities
        self.encoder = Encoder(channels, latent_channels, width=width, factor=factor, blocks=blocks)
        self.decoder = Decoder(latent_channels, channels, width=width, factor=factor, blocks=blocks)
        self.statistics = LatentStatistics(latent_channels)
        self.factor = factor
        # of bands and quantities; NaN for a band that a date has not
        self.register_buffer("mean", torch.zeros(dates * bands + quantities))
        self.register_buffer("std", torch.ones(dates * bands + quantities))
        self.register_buffer("weights", torch.ones(channels))

    @property
    def latent_channels(self) -> int:
        return self.config["latent_channels"]

    @property
    def _sizes(self) -> tuple[int, int, int]:
        """Channels of images, one-hot masks and quantities."""
        c = self.config
        return c["dates"] * c["bands"], c["layers"] * (c["classes"] + 1), c["quantities"]

    @torch.no_grad()
    def fit_start(self, values: torch.Tensor) -> None:
        """Scale of bands and quantities, and the best linear codec in which image and masks weigh alike."""
        images, _, amounts = self._split(values)
        numbers = torch.cat([images, amounts], dim=1).movedim(1, -1).flatten(0, -2).double()
        self.mean.copy_(numbers.nanmean(dim=0))
        self.std.copy_((numbers - numbers.nanmean(dim=0)).square().nanmean(dim=0).sqrt().clamp(min=1e-6))
        coded, _ = self.prepare(values)
        variance = coded.movedim(1, -1).flatten(0, -2).var(dim=0)
        # every part counts by its share of the whole variance, so that neither drowns the other
        self.weights.copy_(
            torch.cat([torch.ones_like(v) / v.sum().clamp(min=1e-6) for v in variance.split(self._sizes)])
        )
        fit_linear(self.encoder, self.decoder, coded, weights=self.weights)

    def prepare(self, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Standardised bands, one-hot masks and quantities, 0 where unknown; and which of them are known."""
        images, positions, amounts = self._split(values)
        numbers = torch.cat([images, amounts], dim=1)
        scaled = (numbers - self.mean[:, None, None]) / self.std[:, None, None]
        known = scaled.isfinite()
        scaled = torch.where(known, scaled, 0.0)
        n_images = images.shape[1]
        hot = self._one_hot(positions)
        return (
            torch.cat([scaled[:, :n_images], hot, scaled[:, n_images:]], dim=1),
            torch.cat([known[:, :n_images], torch.ones_like(hot, dtype=torch.bool), known[:, n_images:]], dim=1),
        )

    def augment(
        self, prepared: tuple[torch.Tensor, ...], *, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """As it is."""
        return prepared

    def loss(
        self,
        coded: torch.Tensor,
        known: torch.Tensor,
        *,
        kl_weight: float,
        generator: torch.Generator | None,
        share: BatchShare = WHOLE,
    ) -> torch.Tensor:
        """Mean squared error of known bands and quantities, cross-entropy of masks, plus KL."""
        mean, log_variance = self.encoder(coded)
        decoded = self.decoder(draw(mean, log_variance, generator=generator, share=share))
        total = kl_weight * kl_to_standard_normal(mean, log_variance)
        parts = [part.split(self._sizes, dim=1) for part in (decoded, coded, known.to(coded.dtype))]
        for found, wanted, there in (tuple(part[i] for part in parts) for i in (0, 2)):
            total = total + share.mean(((found - wanted).square() * there).sum(), there.sum())
        for found, wanted in zip(self._by_layer(parts[0][1]), self._by_layer(parts[1][1]), strict=True):
            total = total + F.cross_entropy(LOGIT_SCALE * found, wanted.argmax(dim=1))
        return total

    def known_cells(self, values: torch.Tensor) -> torch.Tensor:
        """Which latent cells have data in all their pixels, `(n, 1, y / f, x / f)` in 0/1."""
        images = self._split(values)[0]
        wanted = self.mean[: images.shape[1]].isfinite()
        valid = images[:, wanted].isfinite().all(dim=1, keepdim=True).float()
        return (F.avg_pool2d(valid, self.factor) == 1).float()

    def statistics_rows(self, coded: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        """Latents `(cells, channels)` that their statistics are taken from."""
        return torch.cat([self.encoder(part)[0] for part in coded.split(64)]).movedim(1, -1).flatten(0, -2)

    def latent_importance(self) -> torch.Tensor:
        """How far each standardised latent moves what is decoded, `(channels,)`, mean 1."""
        return latent_importance(self.decoder, self.statistics, weights=self.weights)

    def encode(self, values: torch.Tensor) -> torch.Tensor:
        """Standardised latents (posterior means)."""
        return self.statistics.standardise(self.encoder(self.prepare(values)[0])[0])

    def decode(self, latents: torch.Tensor, *, dense: bool = False) -> torch.Tensor:
        """All of a tile from standardised latents, laid out as what `encode` takes; `dense`: no gaps in masks."""
        images, masks, amounts = self.decoder(self.statistics.restore(latents)).split(self._sizes, dim=1)
        n_images = images.shape[1]
        numbers = torch.cat([images, amounts], dim=1) * self.std[:, None, None] + self.mean[:, None, None]
        told = self.config["classes"] + (0 if dense else 1)
        found = [layer[:, :told].argmax(dim=1, keepdim=True) for layer in self._by_layer(masks)]
        # the last class is "unlabelled"
        positions = [torch.where(p == self.config["classes"], -1, p).to(numbers.dtype) for p in found]
        amounts = numbers[:, n_images:]
        if self.config["sum_to_one"] and amounts.shape[1]:
            amounts = project_to_simplex(amounts)
        return torch.cat([numbers[:, :n_images], *positions, amounts], dim=1)

    def _split(self, values: torch.Tensor) -> tuple[torch.Tensor, ...]:
        images, _, quantities = self._sizes
        return values.split([images, self.config["layers"], quantities], dim=1)

    def _by_layer(self, masks: torch.Tensor) -> list[torch.Tensor]:
        return list(masks.split(self.config["classes"] + 1, dim=1)) if masks.shape[1] else []

    def _one_hot(self, positions: torch.Tensor) -> torch.Tensor:
        classes = self.config["classes"]
        index = torch.where(positions < 0, float(classes), positions).long()
        return F.one_hot(index, classes + 1).movedim(-1, 2).flatten(1, 2).float()
