"""The codec of categorical masks: one-hot in, class logits out; an unlabelled pixel is all zero."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch.nn import functional as F

from specdm.models.codec_layers import Decoder, Encoder, LatentStatistics, draw, kl_to_standard_normal


class MaskCodec(ModelMixin, ConfigMixin):
    """Class positions `(n, y, x)`, -1 where unlabelled, to latents `(n, channels, y / f, x / f)` and back.

    Args:
        classes: number of classes.
        latent_channels: channels of the latent.
        width: channels of the residual networks.
        blocks: residual blocks of encoder and of decoder, each.
        factor: spatial factor f, the image codec's.
    """

    config_name = "config.json"

    @register_to_config
    def __init__(
        self, classes: int, latent_channels: int = 6, width: int = 48, blocks: int = 1, factor: int = 2
    ):
        super().__init__()
        self.encoder = Encoder(classes, latent_channels, width=width, factor=factor, blocks=blocks)
        self.decoder = Decoder(latent_channels, classes, width=width, factor=factor, blocks=blocks)
        self.statistics = LatentStatistics(latent_channels)
        self.factor = factor

    @property
    def latent_channels(self) -> int:
        return self.config["latent_channels"]

    def one_hot(self, positions: torch.Tensor) -> torch.Tensor:
        """`(n, y, x)` integers to `(n, classes, y, x)`, all zero where unlabelled."""
        coded = F.one_hot(positions.clamp(min=0).long(), self.config["classes"]).movedim(-1, 1).float()
        return coded * (positions >= 0).unsqueeze(1)

    def known_cells(self, positions: torch.Tensor) -> torch.Tensor:
        """Which latent cells cover a labelled pixel, `(n, 1, y / f, x / f)` in 0/1."""
        return F.max_pool2d((positions >= 0).float().unsqueeze(1), self.factor)

    def loss(
        self, positions: torch.Tensor, *, kl_weight: float, generator: torch.Generator | None
    ) -> torch.Tensor:
        """Cross-entropy on labelled pixels plus KL."""
        mean, log_variance = self.encoder(self.one_hot(positions))
        logits = self.decoder(draw(mean, log_variance, generator=generator))
        target = torch.where(positions >= 0, positions.long(), -100)
        entropy = F.cross_entropy(logits, target, ignore_index=-100, reduction="sum")
        labelled = (positions >= 0).sum().clamp(min=1)
        return entropy / labelled + kl_weight * kl_to_standard_normal(mean, log_variance)

    def raw_latents(self, positions: torch.Tensor) -> torch.Tensor:
        """Posterior means, not yet standardised."""
        return self.encoder(self.one_hot(positions))[0]

    def encode(self, positions: torch.Tensor) -> torch.Tensor:
        """Standardised latents (posterior means); only cells of `known_cells` mean anything."""
        return self.statistics.standardise(self.raw_latents(positions))

    def logits(self, latents: torch.Tensor) -> torch.Tensor:
        """Class logits `(n, classes, y, x)` from standardised latents."""
        return self.decoder(self.statistics.restore(latents))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Most probable class positions `(n, y, x)`."""
        return self.logits(latents).argmax(dim=1)
