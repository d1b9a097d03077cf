"""The network that sees all latents at once, with their noise levels, and predicts the velocity of all."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn

from specdm.models.flow import level_by_channel
from specdm.models.latent_noise import filtered, noise_kernels


class JointDenoiser(ModelMixin, ConfigMixin):
    """Velocity of every stream from noisy latents and the noise level of every stream and cell.

    diffusers' UNet2DModel is the backbone. It is told the levels twice: as one embedding (the sum of an
    embedding of each stream's mean level, and of the class composition where given; it enters every residual
    block as scale and shift) and as one plane of levels per stream beside the latents.

    Args:
        stream_channels: latent channels of each stream, in their order in the latent.
        conditions: number of classes of the composition condition; 0 for none.
        widths: channels at each resolution; attention at every resolution but the first.
        layers: residual blocks a resolution.
        head_channels: channels of an attention head.
        noise_reach: cells that the filters of its noise look in each direction, see `latent_noise`; 0: white noise.
    """

    config_name = "config.json"  # type: ignore[assignment]
    latent_mean: torch.Tensor
    latent_std: torch.Tensor
    noise_kernels: torch.Tensor

    @register_to_config
    def __init__(
        self,
        stream_channels: tuple[int, ...],
        conditions: int = 0,
        widths: tuple[int, ...] = (64, 192),
        layers: int = 2,
        head_channels: int = 48,
        noise_reach: int = 0,
    ):
        super().__init__()
        channels, streams = sum(stream_channels), len(stream_channels)
        self.register_buffer("latent_mean", torch.zeros(channels))
        self.register_buffer("latent_std", torch.ones(channels))
        if noise_reach:
            nothing = torch.zeros(0, channels, noise_reach + 1, noise_reach + 1)
            white = noise_kernels(nothing, nothing[:, 0], reach=noise_reach)
            self.register_buffer("noise_kernels", white)
        deeper = len(widths) - 1
        self.unet = UNet2DModel(
            in_channels=channels + streams,
            out_channels=channels,
            block_out_channels=tuple(widths),
            down_block_types=("DownBlock2D", *["AttnDownBlock2D"] * deeper),
            up_block_types=(*["AttnUpBlock2D"] * deeper, "UpBlock2D"),
            layers_per_block=layers,
            attention_head_dim=head_channels,
            norm_num_groups=16,
            time_embedding_dim=4 * widths[0],
            resnet_time_scale_shift="scale_shift",
            class_embed_type="identity",
        )
        embedding = 4 * widths[0]
        self.level_features = Timesteps(widths[0], flip_sin_to_cos=True, downscale_freq_shift=0)
        self.level_embeddings = nn.ModuleList([TimestepEmbedding(widths[0], embedding) for _ in range(streams)])
        # One more input than classes: 1 where a composition is given, so that "none" differs from "all zero".
        self.composition_embedding = nn.Linear(conditions + 1, embedding, bias=False) if conditions else None

    @torch.no_grad()
    def fit_latents(self, latents: torch.Tensor, known: torch.Tensor) -> None:
        """Take the mean and spread of each stream's channels over its known cells.

        A codec standardises the latents of all streams that share it together. Two dates may lie far apart in light
        and season; each by itself then has less than unit variance, and its structure drowns in the noise of levels
        made for unit variance.

        Args:
            latents: `(n, channels, y, x)`.
            known: `(n, streams, y, x)`, 1 where known.
        """
        start = 0
        for s, channels in enumerate(self.stream_channels):
            part = slice(start, start + channels)
            cells = latents[:, part].movedim(1, -1)[known[:, s] > 0]
            if len(cells) > 1:
                self.latent_mean[part] = cells.mean(dim=0)
                self.latent_std[part] = cells.std(dim=0, correction=0).clamp(min=1e-3)
            start += channels

    @torch.no_grad()
    def fit_noise(self, latents: torch.Tensor, known: torch.Tensor, *, streams: Sequence[int]) -> None:
        """Give the noise of these streams the power spectrum of their latents; that of the others stays as it is.

        Args:
            latents: `(n, channels, y, x)`, standardised.
            known: `(n, streams, y, x)`, 1 where known.
            streams: their numbers.
        """
        start = 0
        for s, channels in enumerate(self.stream_channels):
            part = slice(start, start + channels)
            if s in streams:
                self.noise_kernels[part] = noise_kernels(latents[:, part], known[:, s], reach=self.noise_reach)
            start += channels

    @property
    def noise_reach(self) -> int:
        return int(self.config["noise_reach"])

    def white_shape(self, cells: tuple[int, int]) -> tuple[int, int, int]:
        """Channels, rows and columns of the white noise that `noise` of so many cells is made of."""
        height, width = (length + 2 * self.noise_reach for length in cells)
        return (sum(self.stream_channels), height, width)

    def noise(self, white: torch.Tensor) -> torch.Tensor:
        """What takes the place of unknown latents, `(n, channels, y, x)`, each cell standard normal.

        Args:
            white: `(n, *white_shape((y, x)))`, standard normal.
        """
        reach = self.noise_reach
        if not reach:
            return white
        noise = white[..., reach:-reach, reach:-reach].clone()
        coloured = self.noise_kernels[:, reach, reach] < 1
        if bool(coloured.any()):
            noise[:, coloured] = filtered(white[:, coloured], self.noise_kernels[coloured])
        return noise

    def standardise(self, latents: torch.Tensor) -> torch.Tensor:
        """Codec latents to zero mean and unit variance stream by stream."""
        return (latents - self.latent_mean[:, None, None]) / self.latent_std[:, None, None]

    def restore(self, latents: torch.Tensor) -> torch.Tensor:
        """The opposite of `standardise`."""
        return latents * self.latent_std[:, None, None] + self.latent_mean[:, None, None]

    @property
    def stream_channels(self) -> tuple[int, ...]:
        return tuple(self.config["stream_channels"])

    def forward(
        self, noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Predict the velocity `noise - latent`.

        Args:
            noisy: `(n, channels, y, x)`, the noisy latents of all streams.
            levels: `(n, streams, y, x)`, noise levels in 0..1; at 1 a cell is unknown and not looked at.
            composition: `(n, classes)` fractions of each class in the tile; a row of NaN is "not given".

        Returns:
            `(n, channels, y, x)`.
        """
        by_channel = level_by_channel(levels, self.stream_channels)
        # what is unknown has nothing to show
        noisy = torch.where(by_channel < 1, noisy, 0.0)
        stream_levels = levels.mean(dim=(2, 3))
        embedding = sum(
            embed(self.level_features(stream_levels[:, s] * 1000.0).to(noisy.dtype))
            for s, embed in enumerate(self.level_embeddings)
        )
        if self.composition_embedding is not None:
            if composition is None:
                composition = noisy.new_full((len(noisy), self.config["conditions"]), float("nan"))
            given = composition.isfinite().all(dim=1, keepdim=True)
            row = torch.cat([torch.where(given, composition, 0.0), given.to(noisy.dtype)], dim=1)
            embedding = embedding + self.composition_embedding(row)
        inputs = torch.cat([noisy, levels * 2 - 1], dim=1)
        overall = stream_levels.mean(dim=1) * 1000.0
        return self.unet(inputs, overall, class_labels=embedding, return_dict=False)[0]
