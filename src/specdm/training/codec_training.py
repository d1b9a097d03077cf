"""Stage one: the image codecs and mask codecs, side by side."""

from __future__ import annotations

from typing import Any

import lightning as L
import numpy as np
import torch
from torch import nn

from specdm.errors import TrainingError
from specdm.models.image_codec import ImageCodec
from specdm.models.joint_model import Codec
from specdm.models.mask_codec import MaskCodec
from specdm.models.spectral_basis import spectra_statistics
from specdm.models.streams import Stream
from specdm.training.config import CodecConfig
from specdm.training.draws import step_generator
from specdm.training.orientations import ORIENTATIONS, orient
from specdm.training.tile_tensors import TileTensors

STAGE = 1
BASIS_PIXELS = 80_000
"""About as many pixels are enough for covariances of a few hundred bands, and keep their float64 copies small."""


def new_codecs(
    streams: tuple[Stream, ...], tiles: TileTensors, *, classes: int, config: CodecConfig
) -> dict[str, Codec]:
    """Codecs with their closed-form parts fitted: the spectral basis and the best linear image codec."""
    codecs: dict[str, Codec] = {}
    for name in dict.fromkeys(stream.codec for stream in streams):
        mine = [stream for stream in streams if stream.codec == name]
        if mine[0].kind == "classes":
            codecs[name] = MaskCodec(
                classes,
                # one a class keeps all codes equally far apart; a few more leave room for shapes
                latent_channels=min(config.mask_latent_channels, max(4, classes)),
                width=config.mask_width,
                blocks=config.mask_blocks,
                factor=config.factor,
            )
            continue
        images = tiles.images[:, [stream.position for stream in mine]].flatten(0, 1)
        bands = images.shape[1]
        components = min(config.components, bands)
        codec = ImageCodec(
            bands,
            components=components,
            latent_channels=min(config.latent_channels, components * config.factor**2),
            width=config.width,
            blocks=config.blocks,
            factor=config.factor,
            unit_weight=config.unit_weight,
        )
        few = images[:: max(1, images.shape[0] * images.shape[-1] ** 2 // BASIS_PIXELS)]
        codec.basis.fit(spectra_statistics(few.numpy()), kind=config.basis)
        codec.fit_linear(codec.components_of(few)[0])
        codecs[name] = codec
    return codecs


class CodecTraining(L.LightningModule):
    """Trains all codecs at once on random orientations of the tiles.

    Images are turned into components of their spectral basis once; the basis is closed-form and stays as it is.
    """

    def __init__(
        self,
        *,
        streams: tuple[Stream, ...],
        codecs: dict[str, Codec],
        tiles: TileTensors,
        config: CodecConfig,
        seed: int,
    ):
        super().__init__()
        self.codecs = nn.ModuleDict(codecs)
        self.streams, self.config, self.seed = streams, config, seed
        self._positions = tiles.positions
        self._components = {
            stream.name: _in_batches(codecs[stream.codec], tiles.images[:, stream.position])
            for stream in streams
            if stream.kind == "image"
        }

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.parameters(), lr=self.config.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step, self.global_rank)
        noise = torch.Generator(device=self.device).manual_seed(int(torch.randint(2**31, (), generator=generator)))
        loss = torch.zeros((), device=self.device)
        for stream in self.streams:
            count = self.config.batch_size if stream.kind == "image" else self.config.mask_batch_size
            chosen = torch.randint(len(self._positions), (count,), generator=generator)
            turned = int(torch.randint(ORIENTATIONS, (), generator=generator))
            codec = self.codecs[stream.codec]
            if isinstance(codec, ImageCodec):
                components, valid = self._components[stream.name]
                part = codec.loss(
                    orient(components[chosen], turned).to(self.device),
                    orient(valid[chosen], turned).to(self.device),
                    kl_weight=self.config.kl_weight,
                    generator=noise,
                )
                self.log("image_codec_loss", part.detach(), logger=False)
            elif isinstance(codec, MaskCodec):
                positions = orient(self._positions[chosen][:, stream.position], turned)
                part = codec.loss(
                    _renamed(positions, classes=codec.classes, generator=generator).to(self.device),
                    kl_weight=self.config.kl_weight,
                    generator=noise,
                )
                self.log("mask_codec_loss", part.detach(), logger=False)
            loss = loss + part
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the codec's loss became {loss.item()} at step {self.global_step}; lower codec.learning_rate "
                f"(now {self.config.learning_rate}) and start again"
            )
        self.log("codec_loss", loss.detach(), prog_bar=True, logger=False)
        return loss

    @torch.no_grad()
    def fit_latent_statistics(self) -> None:
        """Standardise latents over the training tiles; a mask's cells count where they are labelled."""
        for name, module in self.codecs.items():
            rows = []
            for stream in (s for s in self.streams if s.codec == name):
                if isinstance(module, ImageCodec):
                    components, _ = self._components[stream.name]
                    parts = [module.raw_latents(part) for part in components.split(64)]
                    rows.append(torch.cat(parts).movedim(1, -1).flatten(0, -2))
                elif isinstance(module, MaskCodec):
                    positions = self._positions[:, stream.position]
                    for turned in range(0, ORIENTATIONS, 2):
                        mask = orient(positions, turned)
                        latents = module.raw_latents(mask).movedim(1, -1)
                        rows.append(latents[module.known_cells(mask)[:, 0] > 0])
            module.statistics.fit(torch.cat(rows))  # type: ignore[union-attr, operator]


def _in_batches(codec: Codec, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if not isinstance(codec, ImageCodec):
        raise TypeError("an image stream needs an image codec")
    with torch.no_grad():
        parts = [codec.components_of(part) for part in images.split(64)]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def _renamed(positions: torch.Tensor, *, classes: int, generator: torch.Generator) -> torch.Tensor:
    """Half of the masks with their classes exchanged at random.

    The codec codes shapes and names; without this it never sees two rare classes beside each other and gets
    their border wrong on held-out masks.
    """
    table = torch.arange(-1, classes).repeat(len(positions), 1)
    for i in range(0, len(positions), 2):
        table[i, 1:] = torch.randperm(classes, generator=generator)
    return torch.from_numpy(np.take_along_axis(table.numpy(), (positions + 1).flatten(1).numpy(), axis=1)).view_as(
        positions
    )
