"""Codecs and denoiser put together: tiles to latents, noise to latents, latents to tiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from specdm.models.denoiser import JointDenoiser
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.solver import Progress, guided_velocity, solve_flow
from specdm.models.streams import Stream

Codec = ImageCodec | MaskCodec


@dataclass(frozen=True)
class EncodedTiles:
    """Latents with what is known of them.

    Attributes:
        latents: `(n, channels, y, x)`, all streams concatenated, standardised.
        known: `(n, streams, y, x)`, 1 where a stream's cell is backed by data or labels.
    """

    latents: torch.Tensor
    known: torch.Tensor

    def __len__(self) -> int:
        return len(self.latents)


class JointModel(nn.Module):
    """The codecs by name, the denoiser, and the streams that bind them."""

    def __init__(self, *, streams: Sequence[Stream], codecs: Mapping[str, Codec], denoiser: JointDenoiser):
        super().__init__()
        self.streams = tuple(streams)
        self.codecs = nn.ModuleDict(dict(codecs))
        self.denoiser = denoiser

    @property
    def stream_channels(self) -> tuple[int, ...]:
        return self.denoiser.stream_channels

    @property
    def factor(self) -> int:
        """Pixels along a latent cell."""
        return next(iter(self.codecs.values())).factor  # type: ignore[return-value]

    @property
    def device(self) -> torch.device:
        return next(self.denoiser.parameters()).device

    def split(self, latents: torch.Tensor) -> list[torch.Tensor]:
        """Latents by stream."""
        return list(latents.split(self.stream_channels, dim=1))

    @torch.no_grad()
    def encode(self, images: torch.Tensor, positions: torch.Tensor) -> EncodedTiles:
        """Latents of tiles.

        Args:
            images: `(n, date, bands, y, x)` in the user's units, NaN where no data.
            positions: `(n, layer, y, x)` class positions, -1 where unlabelled.
        """
        latents, known = [], []
        for stream in self.streams:
            codec = self.codecs[stream.codec]
            if isinstance(codec, ImageCodec):
                image = images[:, stream.position]
                latents.append(codec.encode(image))
                valid = image.isfinite().all(dim=1, keepdim=True).float()
                known.append((nn.functional.avg_pool2d(valid, self.factor) == 1).float())
            elif isinstance(codec, MaskCodec):
                mask = positions[:, stream.position]
                latents.append(codec.encode(mask))
                known.append(codec.known_cells(mask))
        return EncodedTiles(latents=torch.cat(latents, dim=1), known=torch.cat(known, dim=1))

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Images `(n, date, bands, y, x)` and class positions `(n, layer, y, x)` from latents."""
        images: list[torch.Tensor] = []
        masks: list[torch.Tensor] = []
        for stream, part in zip(self.streams, self.split(latents), strict=True):
            codec = self.codecs[stream.codec]
            (images if stream.kind == "image" else masks).append(codec.decode(part))  # type: ignore[operator]
        return torch.stack(images, dim=1), torch.stack(masks, dim=1)

    @torch.no_grad()
    def sensor_noise(self, size: int, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """Noise for decoded images, `(n, date, bands, size, size)`, tile i from generator i."""
        dates = [stream for stream in self.streams if stream.kind == "image"]
        tiles = []
        for generator in generators:
            noise = [
                self.codecs[stream.codec].basis.residual_noise((1, size, size), generator=generator)  # type: ignore[union-attr, operator]
                for stream in dates
            ]
            tiles.append(torch.cat(noise))
        return torch.stack(tiles)

    @torch.no_grad()
    def solve(
        self,
        noise: torch.Tensor,
        *,
        steps: int,
        shift: float,
        guidance: float = 0.0,
        composition: torch.Tensor | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """Latents from noise `(n, channels, y, x)`; see `solver.solve_flow` and `solver.guided_velocity`."""

        def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
            return self.denoiser(noisy, levels, composition)

        guided = guided_velocity(
            velocity, self.denoiser, stream_channels=self.stream_channels, noise=noise, guidance=guidance
        )
        return solve_flow(
            guided, noise, stream_channels=self.stream_channels, steps=steps, shift=shift, progress=progress
        )
