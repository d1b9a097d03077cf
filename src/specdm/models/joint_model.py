"""Codecs and denoiser put together: tiles to latents, latents to tiles; `drawing` makes noise to latents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from specdm.models.codecs import Codec
from specdm.models.denoiser import JointDenoiser
from specdm.models.flow import level_by_channel
from specdm.models.image_codec import ImageCodec
from specdm.models.pair_codec import PairCodec
from specdm.models.pixels import Pixels, TileShape
from specdm.models.spectral_basis import SpectralBasis
from specdm.models.streams import Stream

ComponentChange = Callable[[torch.Tensor, Pixels], torch.Tensor]
"""Components `(n, components, y, x)` of the images of tiles whose masks are decoded already, to others."""


@dataclass(frozen=True)
class EncodedTiles:
    """Latents with what is known of them.

    Attributes:
        latents: `(n, channels, y, x)`, all streams concatenated, each standardised.
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
        self.codecs = nn.ModuleDict(dict(codecs))  # type: ignore[arg-type]
        self.denoiser = denoiser

    @property
    def stream_channels(self) -> tuple[int, ...]:
        return self.denoiser.stream_channels

    @property
    def factor(self) -> int:
        """Pixels along a latent cell."""
        return next(iter(self.codecs.values())).factor  # type: ignore[return-value]

    def codec_of(self, stream: Stream) -> Codec:
        return self.codecs[stream.codec]  # type: ignore[return-value]

    @property
    def tile_shape(self) -> TileShape:
        """What the tiles hold, of all sensors together."""
        if self.streams[0].kind == "pair":
            config: Any = self.codecs[self.streams[0].codec].config
            return TileShape(config["dates"], config["bands"], config["layers"], config["quantities"])

        def most(kind: str, end: Callable[[Stream], int]) -> int:
            return max((end(stream) for stream in self.streams if stream.kind == kind), default=0)

        return TileShape(
            dates=most("image", lambda stream: stream.position + 1),
            bands=most("image", lambda stream: self._end(stream, "bands")),
            layers=most("classes", lambda stream: stream.position + 1),
            quantities=most("amounts", lambda stream: self._end(stream, "quantities")),
        )

    def _end(self, stream: Stream, key: str) -> int:
        return stream.span[1] if stream.span else int(self.codecs[stream.codec].config[key])  # type: ignore[index]

    @property
    def device(self) -> torch.device:
        return next(self.denoiser.parameters()).device

    def split(self, latents: torch.Tensor) -> list[torch.Tensor]:
        """Latents by stream."""
        return list(latents.split(self.stream_channels, dim=1))

    @torch.no_grad()
    def encode(self, tiles: Pixels) -> EncodedTiles:
        """Latents of tiles, and which of their cells are known."""
        latents, known = [], []
        for stream in self.streams:
            codec, values = self.codec_of(stream), tiles.of(stream)
            latents.append(codec.encode(values))
            known.append(codec.known_cells(values))
        return EncodedTiles(self.denoiser.standardise(torch.cat(latents, dim=1)), torch.cat(known, dim=1))

    def latent_importance(self) -> list[torch.Tensor]:
        """How far each standardised latent moves what is decoded, `(channels,)` with mean 1 for each stream."""
        codec = torch.cat([self.codec_of(stream).latent_importance() for stream in self.streams])
        parts = (codec * self.denoiser.latent_std.to(codec.device)).split(self.stream_channels)
        return [part / part.mean().clamp(min=1e-12) for part in parts]

    @torch.no_grad()
    def decode(
        self, latents: torch.Tensor, *, dense: bool = False, correct: ComponentChange | None = None
    ) -> Pixels:
        """Tiles from latents; what no stream has (a band of another sensor's date) is NaN.

        Args:
            latents: `(n, channels, y, x)`.
            dense: label all ground, also what the model says real masks would leave unlabelled.
            correct: what is done to components of the images before they become bands; default: nothing.
        """
        n, (height, width) = len(latents), (side * self.factor for side in latents.shape[-2:])
        tiles = Pixels.unknown(n, height, width, shape=self.tile_shape, device=latents.device)
        others, decoded, shown = [], [], []
        for stream, part in zip(self.streams, self.split(self.denoiser.restore(latents)), strict=True):
            codec = self.codec_of(stream)
            if isinstance(codec, ImageCodec):
                shown.append(codec.components(part))
                continue
            others.append(stream)
            # where one codec has all, what is unlabelled is a class of its own
            decoded.append(codec.decode(part, dense=dense) if isinstance(codec, PairCodec) else codec.decode(part))
        tiles.put(others, decoded, dense=dense)
        if shown:
            components = torch.cat(shown, dim=1)
            if correct is not None:
                components = correct(components, tiles)
            for stream, own in zip(self._image_streams(), components.split(self.component_counts, dim=1), strict=True):
                tiles.of(stream).copy_(self._basis(stream).decode(own))
        return tiles

    @property
    def bases(self) -> tuple[SpectralBasis, ...]:
        """Spectral basis of each date; empty for a model without image streams."""
        return tuple(self._basis(stream) for stream in self._image_streams())

    @property
    def component_counts(self) -> tuple[int, ...]:
        """Components of the spectral basis of each date; empty for a model without image streams."""
        return tuple(basis.components for basis in self.bases)

    @property
    def component_snr(self) -> torch.Tensor:
        """Variance of each component in units of the sensor's noise, of all dates after each other."""
        return torch.cat([basis.snr for basis in self.bases])

    @torch.no_grad()
    def image_components(self, tiles: Pixels) -> torch.Tensor:
        """Components of all dates after each other, `(n, components, y, x)`, NaN where a pixel has no data."""
        return torch.cat([self._basis(s).encode(tiles.of(s)) for s in self._image_streams()], dim=1)

    def _image_streams(self) -> list[Stream]:
        return [stream for stream in self.streams if stream.kind == "image"]

    def _basis(self, stream: Stream) -> SpectralBasis:
        return self.codecs[stream.codec].basis  # type: ignore[return-value]

    @torch.no_grad()
    def sensor_noise(self, size: int, generators: Sequence[torch.Generator]) -> torch.Tensor:
        """Noise for decoded images, `(n, date, band, size, size)`, tile i from generator i; 0 where no image is."""
        shape = self.tile_shape
        noise = torch.zeros(len(generators), shape.dates, shape.bands, size, size)
        for i, generator in enumerate(generators):
            for stream in self._image_streams():
                drawn = self._basis(stream).residual_noise((1, size, size), generator=generator)
                noise[i, stream.position, stream.channels] = drawn[0].cpu()
        return noise.to(self.device)

    def values(self, state: torch.Tensor, s: int) -> torch.Tensor:
        """What the latents `(n, channels, y, x)` of all streams decode to in stream `s`."""
        part = self.split(self.denoiser.restore(state))[s]
        return self.codec_of(self.streams[s]).decode(part)

    def encoded(self, s: int, values: torch.Tensor) -> torch.Tensor:
        """Latents of values of stream `s`, standardised as the denoiser has them."""
        mean, std = self.statistics_of(s)
        return (self.codec_of(self.streams[s]).encode(values) - mean) / std

    def statistics_of(self, s: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and spread by which the denoiser standardises stream `s`, `(channels, 1, 1)` each."""
        both = (self.denoiser.latent_mean, self.denoiser.latent_std)
        mean, std = (x.split(self.stream_channels)[s][:, None, None] for x in both)
        return mean, std

    def by_channel(self, by_stream: torch.Tensor) -> torch.Tensor:
        """`(n, streams, y, x)` to `(n, channels, y, x)`."""
        return level_by_channel(by_stream, self.stream_channels)
