"""Stage two: the joint denoiser on latents that were encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from specdm.errors import TrainingError
from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.denoiser import JointDenoiser
from specdm.models.flow import (
    LevelPatterns,
    draw_levels,
    hidden_until_told,
    interpolate,
    level_by_channel,
    told_with_masks,
)
from specdm.models.streams import Stream, image_and_mask_streams, masks_with_gaps, stage_shifts, stages_of
from specdm.training.averaged_training import AveragedTraining
from specdm.training.config import DenoiserConfig
from specdm.training.draws import step_generator
from specdm.training.tile_tensors import LatentTiles

STAGE = 2


class DenoiserTraining(AveragedTraining):
    """Flow matching with a noise level for every stream and cell; `average` holds the EMA weights.

    An unlabelled cell is unknown (noise level 1) and has no loss; neither has a known one (level 0). Of several
    processes each draws the whole batch and works on its `share`.
    """

    def __init__(
        self,
        *,
        denoiser: JointDenoiser,
        streams: tuple[Stream, ...],
        tiles: LatentTiles,
        config: DenoiserConfig,
        seed: int,
        importance: Sequence[torch.Tensor],
        share: BatchShare = WHOLE,
    ):
        super().__init__(
            denoiser=denoiser,
            streams=streams,
            config=config,
            mask_loss_weight=config.mask_loss_weight,
            importance=importance,
            share=share,
        )
        self.streams, self.config, self.seed = streams, config, seed
        self._tiles = tiles
        self._chances = tile_chances(streams, tiles.encoded.known)
        self._masks = [s for s, stream in enumerate(streams) if stream.kind not in ("image", "pair")]
        self._patterns = LevelPatterns(**config.patterns.model_dump())
        self._stages = stages_of(streams, masks_first=config.masks_first)
        self._shifts = stage_shifts(streams, self._stages, image=config.level_shift, mask=config.mask_level_shift)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step)
        chosen = torch.multinomial(self._chances, self.config.batch_size, replacement=True, generator=generator)
        latents, known = self._tiles.encoded.latents[chosen], self._tiles.encoded.known[chosen]
        composition = self._tiles.compositions[chosen]
        dropped = torch.rand(len(chosen), 1, generator=generator) < self.config.composition_dropout
        composition = torch.where(dropped, float("nan"), composition)
        cells = (latents.shape[-2], latents.shape[-1])
        levels = draw_levels(
            len(chosen),
            len(self.streams),
            cells,
            patterns=self._patterns,
            shift=self.config.level_shift,
            generator=generator,
            stages=self._stages,
            stage_shifts=self._shifts,
            groups=image_and_mask_streams(self.streams),
        )
        gaps = masks_with_gaps(self.streams)
        levels = told_with_masks(levels, gaps, generator=generator)
        levels = hidden_until_told(torch.where(known > 0, levels, 1.0), gaps)
        if self._masks:
            # images beside nothing at all: what guidance leads away from
            bare = (levels[:, self._masks] == 1).flatten(1).all(dim=1, keepdim=True)
            composition = torch.where(bare, float("nan"), composition)
        counts = known * ((levels > 0) & (levels < 1))
        counted = counts.sum(dim=(0, 2, 3))
        latents, levels, composition, counts = (
            self.share.of(part).to(self.device) for part in (latents, levels, composition, counts)
        )
        noise = self.denoiser.noise(self.share.of(self._white(cells)))
        by_channel = level_by_channel(levels, self.denoiser.stream_channels)
        noisy = interpolate(latents, noise, by_channel)
        predicted = self.denoiser(noisy, levels, composition)
        error = (predicted - (noise - latents)).square()
        loss = self.weighted_loss(error, counts, cells=counted.tolist())
        average = self.share.average(loss)
        if not torch.isfinite(average):
            raise TrainingError(
                f"the denoiser's loss became {average.item()} at step {self.global_step}; lower "
                f"denoiser.learning_rate (now {self.config.learning_rate}) and start again"
            )
        self.log("denoiser_loss", average, logger=False)
        return loss

    def _white(self, cells: tuple[int, int]) -> torch.Tensor:
        """White noise for the whole batch, drawn where it is needed: of wide models there is much."""
        shape = (self.config.batch_size, *self.denoiser.white_shape(cells))
        generator = step_generator(self.seed, STAGE, self.global_step, 1, device=self.device)
        return torch.randn(shape, generator=generator, device=self.device)


def tile_chances(streams: Sequence[Stream], known: torch.Tensor) -> torch.Tensor:
    """How often each tile is drawn, `(n,)`, mean 1: half of the draws as they come, half by what its masks know.

    Where labels are sparse most tiles show none; they teach what images look like, the labelled ones all the rest.

    Args:
        streams: of the model.
        known: `(n, streams, y, x)`, 1 where known.
    """
    masks = [s for s, stream in enumerate(streams) if stream.kind in ("classes", "amounts")]
    if not masks:
        return torch.ones(len(known))
    share = known[:, masks].mean(dim=(1, 2, 3))
    return 0.5 + 0.5 * share / share.mean().clamp(min=1e-12)
