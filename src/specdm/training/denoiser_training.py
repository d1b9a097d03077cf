"""Stage two: the joint denoiser on latents that were encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning as L
import torch
from torch.optim.swa_utils import AveragedModel

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
from specdm.training.config import DenoiserConfig
from specdm.training.draws import step_generator
from specdm.training.tile_tensors import LatentTiles

STAGE = 2


class DenoiserTraining(L.LightningModule):
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
        super().__init__()
        self.denoiser = denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-arg]
        self.average = AveragedModel(self.denoiser, multi_avg_fn=self._average_weights)
        # not trained itself: what trains data-parallel waits for the gradients of all that asks for them
        self.average.eval().requires_grad_(False)
        self.streams, self.config, self.seed, self.share = streams, config, seed, share
        self._tiles = tiles
        self._importance = list(importance)
        self._chances = tile_chances(streams, tiles.encoded.known)
        self._weights = stream_weights(streams, denoiser.stream_channels, mask_loss_weight=config.mask_loss_weight)
        self._masks = [s for s, stream in enumerate(streams) if stream.kind not in ("image", "pair")]
        self._patterns = LevelPatterns(**config.patterns.model_dump())
        self._stages = stages_of(streams, masks_first=config.masks_first)
        self._shifts = stage_shifts(streams, self._stages, image=config.level_shift, mask=config.mask_level_shift)

    def _average_weights(self, averaged: Any, current: Any, count: Any) -> None:
        # A warm-up of the decay, so that the first steps do not linger.
        decay = min(self.config.ema_decay, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(averaged, current, 1 - decay)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.denoiser.parameters(), lr=self.config.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step)
        chosen = torch.multinomial(self._chances, self.config.batch_size, replacement=True, generator=generator)
        latents, known = self._tiles.encoded.latents[chosen], self._tiles.encoded.known[chosen]
        composition = self._tiles.compositions[chosen]
        dropped = torch.rand(len(chosen), 1, generator=generator) < self.config.composition_dropout
        composition = torch.where(dropped, float("nan"), composition)
        noise = torch.randn(latents.shape, generator=generator)
        levels = draw_levels(
            len(chosen),
            len(self.streams),
            (latents.shape[-2], latents.shape[-1]),
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
        cells = counts.sum(dim=(0, 2, 3))
        latents, noise, levels, composition, counts = map(
            self.share.of, (latents, noise, levels, composition, counts)
        )
        by_channel = level_by_channel(levels, self.denoiser.stream_channels)
        noisy = interpolate(latents, noise, by_channel)
        predicted = self.denoiser(*(x.to(self.device) for x in (noisy, levels, composition)))
        error = (predicted - (noise - latents).to(self.device)).square()
        loss = self._loss(error, counts.to(self.device), cells=cells.tolist())
        average = self.share.average(loss)
        if not torch.isfinite(average):
            raise TrainingError(
                f"the denoiser's loss became {average.item()} at step {self.global_step}; lower "
                f"denoiser.learning_rate (now {self.config.learning_rate}) and start again"
            )
        self.log("denoiser_loss", average, logger=False)
        return loss

    def _loss(self, error: torch.Tensor, counts: torch.Tensor, *, cells: Sequence[float]) -> torch.Tensor:
        """Mean error of each stream over its own known cells, then weighted: few labels teach as much as many pixels.

        Args:
            error: `(n, channels, y, x)` of this process's part of the batch.
            counts: `(n, streams, y, x)`, 1 where a cell counts.
            cells: of each stream, how many count in the whole batch.
        """
        total, weight = torch.zeros((), device=self.device), 0.0
        for s, part in enumerate(error.split(self.denoiser.stream_channels, dim=1)):
            if cells[s] > 0:
                weighted = (part * self._importance[s].to(part.device)[:, None, None]).mean(dim=1)
                total = total + self._weights[s] * self.share.ranks * (weighted * counts[:, s]).sum() / cells[s]
                weight += self._weights[s]
        return total / max(weight, 1e-12)

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        super().optimizer_step(*args, **kwargs)
        # Here, not in `on_train_batch_end`: that comes after the checkpoint of the step has been written.
        self.average.update_parameters(self.denoiser)

    def averaged_denoiser(self) -> JointDenoiser:
        """The network with EMA weights."""
        return self.average.module  # type: ignore[return-value]


def stream_weights(streams: Sequence[Stream], channels: Sequence[int], *, mask_loss_weight: float) -> list[float]:
    """What each stream's error counts: all images together 1, all masks together `mask_loss_weight`, and half of that
    where they say something.

    Within a stage by latent channels. A change mask has 4 channels beside the 32 of its two dates; counted by channels
    alone it would hardly be learnt.
    """
    weights = [0.0] * len(streams)
    for group in stages_of(streams):
        kind, total = streams[group[0]].kind, sum(channels[s] for s in group)
        all_of_them = {"image": 1.0, "pair": 1.0, "labelled": mask_loss_weight / 2}.get(kind, mask_loss_weight)
        for s in group:
            weights[s] = channels[s] / total * all_of_them
    return weights


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
