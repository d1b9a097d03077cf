"""Stage two: the joint denoiser on latents that were encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from specdm.errors import TrainingError
from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.denoiser import JointDenoiser
from specdm.models.flow import (
    STAGE_SHARES,
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
from specdm.training.orthogonal_updates import OrthogonalUpdates
from specdm.training.tile_tensors import LatentTiles

STAGE = 2

MASK_STAGES = (1.0, 3.0)
"""How often it is learnt where masks say anything, and what they say, where images are unknown."""

MASK_PATTERNS = LevelPatterns(
    shared=0.0, one_known=0.1, one_unknown=0.0, independent=0.0, area_known=0.1, stages=0.8
)

MASKS_BESIDE = 0.2
"""What masks count beside images where masks by themselves have a network of their own: few tiles of a step then show
masks to the other, and the errors of few, counted like those of all images, would shake it."""

BESIDE_A_DATE = 0.2
"""How often a network that is not for masks by themselves learns stages of masks, of several dates one known, beside as
often as it would without the other."""


OUTER_LAYERS = ("conv_in", "conv_out", "time_embedding", "class_embedding")
"""Of the networks, which see latents and levels or give latents: their weights take Adam's steps, as do all vectors."""


class Lesson(NamedTuple):
    """What a step teaches one network.

    Attributes:
        tiles: how many.
        chances: of each tile to be drawn, `(n,)`.
        levels: what `flow.draw_levels` is told of them.
        hidden: numbers of the streams of which nothing is shown.
        dates: numbers of the images one of which is known where none is shown; none: it stays so.
        draw: number of its first generator in a step, the second is the next.
    """

    tiles: int
    chances: torch.Tensor
    levels: dict[str, Any]
    hidden: list[int]
    dates: list[int]
    draw: int


class DenoiserTraining(AveragedTraining):
    """Flow matching with a noise level for every stream and cell; `average` holds the EMA weights.

    Where masks by themselves have a network of their own, a step has a lesson for each.

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
            mask_loss_weight=config.mask_loss_weight * (1.0 if denoiser.masks_alone is None else MASKS_BESIDE),
            importance=importance,
            share=share,
        )
        self.streams, self.config, self.seed = streams, config, seed
        self._tiles = tiles
        self._masks = [s for s, stream in enumerate(streams) if stream.kind not in ("image", "pair")]
        self._lessons = self._lessons_of(denoiser)

    def _lessons_of(self, denoiser: JointDenoiser) -> list[Lesson]:
        config, streams, known = self.config, self.streams, self._tiles.encoded.known
        chances = tile_chances(streams, known)
        stages = stages_of(streams, masks_first=config.masks_first)
        everything: dict[str, Any] = {
            "patterns": LevelPatterns(**config.patterns.model_dump()),
            "shift": config.level_shift,
            "stages": stages,
            "stage_shifts": stage_shifts(streams, stages, image=config.level_shift, mask=config.mask_level_shift),
            "groups": image_and_mask_streams(streams),
        }
        if denoiser.masks_alone is None:
            return [Lesson(config.batch_size, chances, everything, [], [], draw=0)]
        *of_masks, images = stages
        masks_only = MASK_STAGES[-len(of_masks) :]
        beside = BESIDE_A_DATE if len(images) > 1 else 0.0
        everything["stage_shares"] = [*(beside * share for share in masks_only), STAGE_SHARES[-1]]
        layers = sorted({streams[s].position for s in self._masks})
        masks: dict[str, Any] = {
            "patterns": MASK_PATTERNS,
            "shift": config.mask_level_shift,
            "stages": of_masks,
            "stage_shifts": everything["stage_shifts"][:-1],
            "stage_shares": masks_only,
            "groups": [[s for s in self._masks if streams[s].position == layer] for layer in layers],
        }
        # what nobody labelled says nothing of masks
        labelled = chances * known[:, self._masks].flatten(1).any(dim=1)
        return [
            Lesson(config.batch_size, chances, everything, [], images if len(images) > 1 else [], draw=0),
            Lesson(config.mask_batch_size, labelled, masks, images, [], draw=2),
        ]

    def configure_optimizers(self) -> torch.optim.Optimizer:
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, weight in self.denoiser.named_parameters():
            hidden = ".unet." in f".{name}" and not any(layer in name for layer in OUTER_LAYERS)
            key = (name.startswith("masks_alone."), hidden and weight.ndim > 1)
            groups.setdefault(key, []).append(weight)
        times = self.config.mask_learning_rate / self.config.learning_rate
        return OrthogonalUpdates(
            [
                {"params": weights, "orthogonal": orthogonal, "times": times if of_masks else 1.0}
                for (of_masks, orthogonal), weights in groups.items()
            ],
            lr=self.config.learning_rate,
        )

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        loss = torch.stack([self._loss_of(lesson) for lesson in self._lessons]).sum()
        if self.share.ranks > 1:
            # processes wait for a gradient of every weight, also where one's tiles asked one network only
            loss = loss + 0.0 * torch.stack([p.sum() for p in self.denoiser.parameters()]).sum()
        average = self.share.average(loss)
        if not torch.isfinite(average):
            rates = ["learning_rate"] + ["mask_learning_rate"] * (len(self._lessons) > 1)
            raise TrainingError(
                f"the denoiser's loss became {average.item()} at step {self.global_step}; lower "
                + " and ".join(f"denoiser.{name} (now {getattr(self.config, name)})" for name in rates)
                + " and start again"
            )
        self.log("denoiser_loss", average, logger=False)
        return loss

    def _loss_of(self, lesson: Lesson) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step, lesson.draw)
        chosen = torch.multinomial(lesson.chances, lesson.tiles, replacement=True, generator=generator)
        latents, known = self._tiles.encoded.latents[chosen], self._tiles.encoded.known[chosen]
        composition = self._tiles.compositions[chosen]
        dropped = torch.rand(len(chosen), 1, generator=generator) < self.config.composition_dropout
        composition = torch.where(dropped, float("nan"), composition)
        cells = (latents.shape[-2], latents.shape[-1])
        levels = draw_levels(len(chosen), len(self.streams), cells, generator=generator, **lesson.levels)
        levels[:, lesson.hidden] = 1.0
        if lesson.dates:
            levels = with_a_date(levels, lesson.dates, generator=generator)
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
        noise = self.denoiser.noise(self.share.of(self._white(cells, lesson)))
        by_channel = level_by_channel(levels, self.denoiser.stream_channels)
        noisy = interpolate(latents, noise, by_channel)
        predicted = self.denoiser(noisy, levels, composition)
        error = (predicted - (noise - latents)).square()
        return self.weighted_loss(error, counts, cells=counted.tolist())

    def _white(self, cells: tuple[int, int], lesson: Lesson) -> torch.Tensor:
        """White noise for all tiles of a lesson, drawn where it is needed: of wide models there is much."""
        shape = (lesson.tiles, *self.denoiser.white_shape(cells))
        generator = step_generator(self.seed, STAGE, self.global_step, lesson.draw + 1, device=self.device)
        return torch.randn(shape, generator=generator, device=self.device)


def with_a_date(levels: torch.Tensor, dates: Sequence[int], *, generator: torch.Generator) -> torch.Tensor:
    """One date known in tiles that show masks and no image, `(n, streams, y, x)`: the rest is for the other network."""
    bare = (levels[:, list(dates)] == 1).flatten(1).all(dim=1)
    chosen = torch.tensor(list(dates))[torch.randint(len(dates), (len(levels),), generator=generator)]
    levels = levels.clone()
    levels[bare, chosen[bare]] = 0.0
    return levels


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
