"""The codec of categorical masks: one-hot in, class logits out; an unlabelled pixel is all zero."""

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
    kl_to_standard_normal,
    latent_importance,
)

CODE_LENGTH = 3.0
"""Length of a class's code, in units in which the prior of the latents is standard normal."""


class MaskCodec(ModelMixin, ConfigMixin):
    """Class positions `(n, y, x)`, -1 where unlabelled, to latents `(n, channels, y / f, x / f)` and back.

    Args:
        classes: number of classes.
        latent_channels: channels of the latent.
        width: channels of the residual networks.
        blocks: residual blocks of encoder and of decoder, each.
        factor: spatial factor f, the image codec's.
    """

    config_name = "config.json"  # type: ignore[assignment]

    @register_to_config
    def __init__(
        self, classes: int, latent_channels: int = 16, width: int = 48, blocks: int = 1, factor: int = 2
    ):
        super().__init__()
        self.encoder = Encoder(classes, latent_channels, width=width, factor=factor, blocks=blocks)
        self.decoder = Decoder(latent_channels, classes, width=width, factor=factor, blocks=blocks)
        self.statistics = LatentStatistics(latent_channels)
        self.factor = factor
        self._start_from_codes()

    @torch.no_grad()
    def _start_from_codes(self) -> None:
        """Linear parts: a cell's latent is the mean code of its pixels; a pixel's logits are its nearness to codes.

        The codes are rows of an orthogonal matrix, all equally far from each other while there are no more classes
        than channels. A denoiser that is unsure between two classes gives a latent between their codes, and
        that is then nearest to one of the two: with codes left to training a third of such mixtures decoded to
        a third class (16 classes of Indian Pines), and borders between fields filled with rare classes. The
        matrix is a random one, so that no latent channel is a single, rare class.
        """
        classes, channels = self.config["classes"], self.config["latent_channels"]
        generator = torch.Generator().manual_seed(classes)
        size = max(classes, channels)
        square = torch.linalg.qr(torch.randn(size, size, generator=generator))[0]
        codes = square[:classes, :channels]
        codes = CODE_LENGTH * codes / codes.norm(dim=1, keepdim=True)
        pixels = self.factor**2
        self.encoder.linear.weight.copy_(codes.T.repeat_interleave(pixels, dim=1)[:, :, None, None] / pixels)
        self.encoder.linear.bias.zero_()  # type: ignore[union-attr]
        self.decoder.linear.weight.copy_(codes.repeat_interleave(pixels, dim=0)[:, :, None, None])
        self.decoder.linear.bias.zero_()  # type: ignore[union-attr]

    @property
    def classes(self) -> int:
        return self.config["classes"]

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

    def prepare(self, positions: torch.Tensor) -> tuple[torch.Tensor]:
        """The positions themselves."""
        return (positions,)

    def augment(
        self, prepared: tuple[torch.Tensor, ...], *, generator: torch.Generator
    ) -> tuple[torch.Tensor, ...]:
        """Half of the masks with their classes exchanged at random.

        The codec codes shapes and names; without this it never sees two rare classes beside each other and gets
        their border wrong on held-out masks.
        """
        (positions,) = prepared
        table = torch.arange(-1, self.classes).repeat(len(positions), 1)
        for i in range(0, len(positions), 2):
            table[i, 1:] = torch.randperm(self.classes, generator=generator)
        renamed = table.gather(1, (positions + 1).flatten(1).cpu())
        return (renamed.view_as(positions).to(positions.device),)

    def loss(
        self,
        positions: torch.Tensor,
        *,
        kl_weight: float,
        generator: torch.Generator | None,
        share: BatchShare = WHOLE,
    ) -> torch.Tensor:
        """Cross-entropy on labelled pixels plus KL."""
        mean, log_variance = self.encoder(self.one_hot(positions))
        drawn = draw(mean, log_variance, generator=generator, share=share)
        entropy = self._cross_entropy(drawn, positions, share=share)
        return entropy + kl_weight * kl_to_standard_normal(mean, log_variance)

    def _cross_entropy(self, latents: torch.Tensor, positions: torch.Tensor, *, share: BatchShare) -> torch.Tensor:
        target = torch.where(positions >= 0, positions.long(), -100)
        entropy = F.cross_entropy(self.decoder(latents), target, ignore_index=-100, reduction="sum")
        return share.mean(entropy, (positions >= 0).sum())

    def raw_latents(self, positions: torch.Tensor) -> torch.Tensor:
        """Posterior means, not yet standardised."""
        return self.encoder(self.one_hot(positions))[0]

    def statistics_rows(self, positions: torch.Tensor) -> torch.Tensor:
        """Latents `(cells, channels)` that their statistics are taken from: cells with a label."""
        return self.raw_latents(positions).movedim(1, -1)[self.known_cells(positions)[:, 0] > 0]

    def latent_importance(self) -> torch.Tensor:
        """How far each standardised latent moves what is decoded, `(channels,)`, mean 1."""
        return latent_importance(self.decoder, self.statistics, weights=torch.ones(self.classes))

    def encode(self, positions: torch.Tensor) -> torch.Tensor:
        """Standardised latents (posterior means); only cells of `known_cells` mean anything."""
        return self.statistics.standardise(self.raw_latents(positions))

    def encode_soft(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Standardised latents of class probabilities `(n, classes, y, x)`, as masks have them of certain classes."""
        return self.statistics.standardise(self.encoder(probabilities)[0])

    def logits(self, latents: torch.Tensor) -> torch.Tensor:
        """Class logits `(n, classes, y, x)` from standardised latents."""
        return self.decoder(self.statistics.restore(latents))

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """Most probable class positions `(n, y, x)`."""
        return self.logits(latents).argmax(dim=1)
