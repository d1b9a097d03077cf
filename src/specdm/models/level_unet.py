"""A U-Net that is told how noisy each stream and cell is, and what classes a tile shall have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.unets.unet_2d import UNet2DModel
from torch import nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from specdm.models.flow import level_by_channel

LEAST_LEVEL = 0.3
"""Noise level t below which (z_t - guess) / t is divided by this instead: a velocity all the same, since that is what
training holds it against, and a guess a little beyond the latents."""


class LevelNetwork(nn.Module):
    """Velocity of streams from their noisy latents and noise levels; diffusers' UNet2DModel is the backbone.

    It is told the levels twice: as one embedding (the sum of an embedding of each stream's mean level, and of the class
    composition where given; it enters every residual block as scale and shift) and as one plane of levels per stream
    beside the latents.
    """

    def _build(
        self,
        stream_channels: Sequence[int],
        *,
        conditions: int,
        widths: Sequence[int],
        layers: int,
        head_channels: int,
        patch: int = 1,
    ) -> None:
        """Make the parts: what a subclass begins with.

        Args:
            patch: cells along a square that is one place of the first resolution. The others: see `JointDenoiser`.
        """
        self._by_stream, self._conditions, self._patch = tuple(stream_channels), conditions, patch
        channels, streams = sum(stream_channels), len(stream_channels)
        deeper, embedding = len(widths) - 1, 4 * widths[0]
        self.unet = UNet2DModel(
            in_channels=(channels + streams) * patch**2,
            out_channels=channels * patch**2,
            block_out_channels=tuple(widths),
            down_block_types=("DownBlock2D", *["AttnDownBlock2D"] * deeper),
            up_block_types=(*["AttnUpBlock2D"] * deeper, "UpBlock2D"),
            layers_per_block=layers,
            attention_head_dim=head_channels,
            norm_num_groups=16,
            time_embedding_dim=embedding,
            resnet_time_scale_shift="scale_shift",
            class_embed_type="identity",
        )
        self.level_features = Timesteps(widths[0], flip_sin_to_cos=True, downscale_freq_shift=0)
        self.level_embeddings = nn.ModuleList([TimestepEmbedding(widths[0], embedding) for _ in range(streams)])
        # One more input than classes: 1 where a composition is given, so that "none" differs from "all zero".
        self.composition_embedding = nn.Linear(conditions + 1, embedding, bias=False) if conditions else None

    def found(self, noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor | None) -> torch.Tensor:
        """What the network says of the latents, `(n, channels, y, x)`; arguments as in `JointDenoiser.forward`."""
        # what is unknown has nothing to show
        noisy = torch.where(level_by_channel(levels, self._by_stream) < 1, noisy, 0.0)
        stream_levels = levels.mean(dim=(2, 3))
        embedding = sum(
            embed(self.level_features(stream_levels[:, s] * 1000.0).to(noisy.dtype))
            for s, embed in enumerate(self.level_embeddings)
        )
        if self.composition_embedding is not None:
            if composition is None:
                composition = noisy.new_full((len(noisy), self._conditions), float("nan"))
            given = composition.isfinite().all(dim=1, keepdim=True)
            row = torch.cat([torch.where(given, composition, 0.0), given.to(noisy.dtype)], dim=1)
            embedding = embedding + self.composition_embedding(row)
        inputs = pixel_unshuffle(torch.cat([noisy, levels * 2 - 1], dim=1), self._patch)
        overall = stream_levels.mean(dim=1) * 1000.0
        return pixel_shuffle(self.unet(inputs, overall, class_labels=embedding, return_dict=False)[0], self._patch)


class MaskNetwork(LevelNetwork):
    """Draws class masks by themselves, before there is any image.

    Their latents are few things in many numbers: which class, and where it ends. So it guesses the latents themselves
    (Li & He 2025, "Back to basics: let denoising generative models denoise", arXiv 2511.13720), a square of cells at a
    time; noise, of which a velocity is half, would have to pass through all its layers.

    Args:
        stream_channels: latent channels of each stream of masks.
        options: of `LevelNetwork`.
    """

    def __init__(self, stream_channels: Sequence[int], **options: Any) -> None:
        super().__init__()
        self._build(stream_channels, **options)

    def velocity(self, noisy: torch.Tensor, levels: torch.Tensor, composition: torch.Tensor | None) -> torch.Tensor:
        """`noise - latent` of the streams of masks; arguments as in `JointDenoiser.forward`, of these streams."""
        guess = self.found(noisy, levels, composition)
        return (noisy - guess) / level_by_channel(levels, self._by_stream).clamp(min=LEAST_LEVEL)
