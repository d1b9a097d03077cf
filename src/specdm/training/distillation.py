"""A model distilled to few evaluations: from where a path is, straight to where the trained model's path ends.

Reflow with the couples of `teacher_tiles` (Liu, Gong & Liu 2023, "Flow straight and fast"; for one step InstaFlow, Liu
et al. 2023, arXiv 2309.06380): the velocity is z_t - z over t, z the tile that the trained model made of that noise.
Only the levels that sampling asks are trained, and all but the first from where the model itself gets in its jumps
before, so that each makes good what they have missed (backward distillation, Kohler et al. 2024, arXiv 2405.05224).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch

from specdm.errors import TrainingError
from specdm.models.drawing import Drawing
from specdm.models.settling import settled
from specdm.models.solver import NOISIEST
from specdm.training.averaged_training import AveragedTraining
from specdm.training.config import DistillationConfig
from specdm.training.draws import step_generator
from specdm.training.teacher_tiles import TeacherTiles

STAGE = 6
BATCH = 64


class StageStart(NamedTuple):
    """Teacher tiles as a stage finds them.

    Attributes:
        free: `(n, streams, y, x)` boolean, cells that it draws.
        levels: `(n, streams, y, x)`, noise levels of the others.
        shown: `(n, channels, y, x)` boolean, latents that are there already; the others are noise.
    """

    free: torch.Tensor
    levels: torch.Tensor
    shown: torch.Tensor


class Distillation(AveragedTraining):
    """Trains the denoiser of a drawing that has `jumps`; `average` holds the EMA weights."""

    def __init__(
        self, *, drawing: Drawing, tiles: TeacherTiles, config: DistillationConfig, mask_loss_weight: float, seed: int
    ):
        model = drawing.model
        super().__init__(
            denoiser=model.denoiser,
            streams=model.streams,
            config=config,
            mask_loss_weight=mask_loss_weight,
            importance=model.latent_importance(),
        )
        self.config, self.seed = config, seed
        self._by_channel = model.by_channel
        self._tiles, self._grids = tiles, drawing.grids
        self._starts = stage_starts(drawing, tiles)
        self._jumps = [(stage, jump) for stage, grid in enumerate(self._grids) for jump in range(len(grid) - 1)]
        # a stage draws nothing of a tile whose streams are given
        self._chances = torch.stack(
            [self._starts[stage].free.flatten(1).any(dim=1).float() for stage, _ in self._jumps], dim=1
        )
        self._drawn = torch.nonzero(self._chances.any(dim=1)).flatten()

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step)
        chosen = self._drawn[torch.randint(len(self._drawn), (self.config.batch_size,), generator=generator)]
        picked = torch.multinomial(self._chances[chosen], 1, generator=generator)[:, 0]
        stage, jump = torch.tensor(self._jumps)[picked].T
        latents = self._tiles.latents[chosen]
        noise = self._tiles.noise(chosen, self.denoiser)
        free, levels, shown = (
            torch.stack([self._starts[s][part][i] for s, i in zip(stage.tolist(), chosen.tolist(), strict=True)])
            for part in range(3)
        )
        composition = self._tiles.compositions[chosen]
        latents, free, levels, shown, composition = (
            part.to(self.device) for part in (latents, free, levels, shown, composition)
        )
        state = torch.where(shown, latents, noise)
        state = self._moved(state, free, levels, composition, stage, jump)
        level = self._level(stage, jump)
        predicted = self.denoiser(state, torch.where(free, level.clamp(max=NOISIEST), levels), composition)
        # by how far the end is missed: what is left of a path counts the less the shorter it is
        error = (state - level * predicted - latents).square()
        loss = self.weighted_loss(error, free, cells=free.sum(dim=(0, 2, 3)).tolist())
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the distilled model's loss became {loss.item()} at step {self.global_step}; lower "
                f"distillation.learning_rate (now {self.config.learning_rate}) and start again"
            )
        self.log("distilled_loss", loss.detach(), logger=False)
        return loss

    def _level(self, stage: torch.Tensor, jump: torch.Tensor) -> torch.Tensor:
        """Noise level before the jump of each tile, `(n, 1, 1, 1)`."""
        found = [self._grids[s][j] for s, j in zip(stage.tolist(), jump.tolist(), strict=True)]
        return torch.tensor(found, device=self.device)[:, None, None, None]

    @torch.no_grad()
    def _moved(
        self,
        state: torch.Tensor,
        free: torch.Tensor,
        levels: torch.Tensor,
        composition: torch.Tensor,
        stage: torch.Tensor,
        jump: torch.Tensor,
    ) -> torch.Tensor:
        """The state after the jumps of its stage that come before, made by the model as it is now."""
        for before in range(int(jump.max())):
            late = torch.nonzero(jump > before).flatten()
            done = torch.full_like(jump[late], before)
            now, then = (self._level(stage[late], done + more) for more in (0, 1))
            there = torch.where(free[late], now.clamp(max=NOISIEST), levels[late])
            velocity = self.denoiser(state[late], there, composition[late])
            moving = self._by_channel(free[late].to(state.dtype))
            state = state.index_copy(0, late.to(self.device), state[late] + (then - now) * velocity * moving)
        return state


@torch.no_grad()
def stage_starts(drawing: Drawing, tiles: TeacherTiles) -> list[StageStart]:
    """What is there and what is drawn in each stage of a drawing, if all before it was drawn as the teacher has."""
    parts: list[list[StageStart]] = [[] for _ in drawing.stages]
    for start in range(0, len(tiles), BATCH):
        here = slice(start, start + BATCH)
        for number, found in enumerate(_starts(drawing, tiles.latents[here], tiles.fixed[here])):
            parts[number].append(found)
    return [StageStart(*(torch.cat(tensors) for tensors in zip(*group, strict=True))) for group in parts]


def _starts(drawing: Drawing, latents: torch.Tensor, fixed: torch.Tensor) -> list[StageStart]:
    model = drawing.model
    latents, fixed = latents.to(model.device), fixed.to(model.device)
    levels, shown, found = (~fixed).to(latents.dtype), fixed.clone(), []
    for group in drawing.stages:
        free = drawing.free_cells(latents, group) & ~fixed
        found.append(StageStart(free.cpu(), levels.cpu(), model.by_channel(shown.to(latents.dtype)).bool().cpu()))
        _, levels = settled(model, latents, levels, group, fixed=fixed)
        shown[:, list(group)] = True
    return found
