"""Codecs and denoiser put together: tiles to latents, noise to latents, latents to tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.functional import avg_pool2d, max_pool2d

from specdm.models.codecs import Codec
from specdm.models.denoiser import JointDenoiser
from specdm.models.pair_codec import PairCodec
from specdm.models.pixels import Pixels, TileShape
from specdm.models.solver import Progress, guided_velocity, solve_flow
from specdm.models.spectral_basis import SpectralBasis
from specdm.models.streams import Stream, image_and_mask_streams, masks_with_gaps, stage_shifts, stages_of


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
    def decode(self, latents: torch.Tensor, *, dense: bool = False) -> Pixels:
        """Tiles from latents; what no stream has (a band of another sensor's date) is NaN.

        Args:
            latents: `(n, channels, y, x)`.
            dense: label all ground, also what the model says real masks would leave unlabelled.
        """
        parts = []
        for stream, part in zip(self.streams, self.split(self.denoiser.restore(latents)), strict=True):
            codec = self.codec_of(stream)
            # where one codec has all, what is unlabelled is a class of its own
            parts.append(codec.decode(part, dense=dense) if isinstance(codec, PairCodec) else codec.decode(part))
        return Pixels.put_together(self.streams, parts, shape=self.tile_shape, dense=dense)

    @property
    def component_counts(self) -> tuple[int, ...]:
        """Components of the spectral basis of each date; empty for a model without image streams."""
        return tuple(self._basis(stream).components for stream in self._image_streams())

    @torch.no_grad()
    def image_components(self, tiles: Pixels) -> torch.Tensor:
        """Components of all dates after each other, `(n, components, y, x)`, NaN where a pixel has no data."""
        return torch.cat([self._basis(s).encode(tiles.of(s)) for s in self._image_streams()], dim=1)

    @torch.no_grad()
    def with_components(self, tiles: Pixels, before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        """Images with components changed from what they are to others, `(n, date, bands, y, x)`."""
        images = tiles.images.clone()
        changes = (after - before).split(self.component_counts, dim=1)
        for stream, change in zip(self._image_streams(), changes, strict=True):
            part = images[:, stream.position, stream.channels]
            part += torch.einsum("bk,nkyx->nbyx", self._basis(stream).synthesis, change)
        return images

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

    @torch.no_grad()
    def solve(
        self,
        noise: torch.Tensor,
        *,
        steps: int,
        image_shift: float,
        mask_shift: float,
        masks_first: bool = True,
        guidance: float = 0.0,
        composition: torch.Tensor | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """Latents from noise `(n, channels, y, x)`, stage after stage; see `solver` and `streams.stages_of`.

        Args:
            noise: standard normal.
            steps: of each stage.
            image_shift, mask_shift: of the noise levels of stages with and without images.
            masks_first: see `streams.stages_of`.
            guidance: see `solver.guided_velocity`; none for where there are labels.
            composition: `(n, classes)`, see `JointDenoiser.forward`.
            progress: called after each step of all stages.
        """

        def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
            return self.denoiser(noisy, levels, composition)

        state = noise
        levels = noise.new_ones(len(noise), len(self.streams), *noise.shape[-2:])
        stages = stages_of(self.streams, masks_first=masks_first)
        shifts = stage_shifts(self.streams, stages, image=image_shift, mask=mask_shift)
        sides = image_and_mask_streams(self.streams)
        for number, group in enumerate(stages):
            moved = [side for side in sides if set(side) & set(group)]
            guided = guided_velocity(
                velocity,
                self.denoiser,
                stream_channels=self.stream_channels,
                sides=moved if self._can_be_guided(group) else [],
                guidance=guidance,
            )
            state = solve_flow(
                guided,
                state,
                stream_channels=self.stream_channels,
                steps=steps,
                shift=shifts[number],
                free=self._free_cells(state, group),
                levels=levels,
                progress=_part_of(progress, number, len(stages)),
            )
            if number + 1 < len(stages):
                state, levels = self._settled(state, levels, group)
        return state

    @torch.no_grad()
    def fill_gaps(self, latents: torch.Tensor, noise: torch.Tensor, *, steps: int, shift: float) -> torch.Tensor:
        """Latents in which masks label all ground: what the model reads off the image where they said nothing.

        Args:
            latents: as `solve` gives them, `(n, channels, y, x)`.
            noise: standard normal, `(n, channels, y, x)`.
            steps, shift: of the solver.
        """
        gaps = masks_with_gaps(self.streams)
        if not gaps:
            return latents
        parts, fresh = self.split(latents), self.split(noise)
        free = torch.zeros(len(latents), len(self.streams), *latents.shape[-2:], dtype=torch.bool, device=self.device)
        for mask, labelled in gaps:
            told = self._values(latents, labelled)
            free[:, mask] = avg_pool2d(told.float(), self.factor) < 1
            parts[mask] = torch.where(free[:, mask, None], fresh[mask], parts[mask])
            parts[labelled] = self._encoded(labelled, torch.ones_like(told))
        state = torch.cat(parts, dim=1)
        return solve_flow(
            self.denoiser, state, stream_channels=self.stream_channels, steps=steps, shift=shift, free=free
        )

    def _can_be_guided(self, group: Sequence[int]) -> bool:
        """Whether anything is known that these streams could be pulled towards: masks, or the composition."""
        kinds = {self.streams[s].kind for s in group}
        if "image" in kinds and {stream.kind for stream in self.streams} != {"image"}:
            return True
        return bool(self.denoiser.config["conditions"]) and kinds != {"labelled"}

    def _free_cells(self, state: torch.Tensor, group: Sequence[int]) -> torch.Tensor:
        """Cells of these streams that say anything, `(n, streams, y, x)` boolean."""
        free = torch.zeros(len(state), len(self.streams), *state.shape[-2:], dtype=torch.bool, device=state.device)
        free[:, list(group)] = True
        for mask, labelled in masks_with_gaps(self.streams):
            if mask in group:
                free[:, mask] = max_pool2d(self._values(state, labelled).float(), self.factor) > 0
        return free

    def _settled(
        self, state: torch.Tensor, levels: torch.Tensor, group: Sequence[int]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """These streams known: what is drawn next shall fit them.

        Classes as they will be decoded, encoded again, since that is what known masks were in training. Amounts as
        they were drawn: they decode to themselves, and latents that hardly vary would come back as rounding errors.
        """
        parts, levels, gaps = self.split(state), levels.clone(), dict(masks_with_gaps(self.streams))
        levels[:, list(group)] = 0.0
        for s in group:
            if self.streams[s].kind == "amounts":
                continue
            values = self._values(state, s)
            if s in gaps:
                values = values.masked_fill(self._values(state, gaps[s]) == 0, -1)
            parts[s] = self._encoded(s, values)
            levels[:, s] = 1.0 - self.codec_of(self.streams[s]).known_cells(values)[:, 0]
        return torch.cat(parts, dim=1), levels

    def _values(self, state: torch.Tensor, s: int) -> torch.Tensor:
        """What one stream's latents decode to."""
        part = self.split(self.denoiser.restore(state))[s]
        return self.codec_of(self.streams[s]).decode(part)

    def _encoded(self, s: int, values: torch.Tensor) -> torch.Tensor:
        """Latents of one stream, as the denoiser has them."""
        mean, std = (x.split(self.stream_channels)[s] for x in (self.denoiser.latent_mean, self.denoiser.latent_std))
        return (self.codec_of(self.streams[s]).encode(values) - mean[:, None, None]) / std[:, None, None]


def _part_of(progress: Progress | None, stage: int, stages: int) -> Progress | None:
    """Progress of one stage told as that of all."""
    if progress is None:
        return None
    told = progress
    return lambda step, steps, estimate: told(stage * steps + step, stages * steps, estimate)
