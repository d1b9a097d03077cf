"""Training of a downstream network: so many steps on batches of so many tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from specdm.errors import TrainingError
from specdm.evaluation.usefulness.augmentation import Augmentation, Batch, augmented
from specdm.evaluation.usefulness.parts import Part, Standard, Targets
from specdm.tiles.tileset import TileSet
from specdm.training.draws import EndlessSteps, step_generator
from specdm.training.stage_fitting import quiet_lightning, seeded

PREDICT_TILES = 64


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes:
        steps: gradient steps.
        batch_size: tiles of each.
        learning_rate: the highest, of AdamW under one cycle (Smith and Topin 2018, "Super-Convergence").
        weight_decay: of AdamW.
        accelerator: of Lightning.
    """

    steps: int = 800
    batch_size: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    accelerator: str = "cpu"


@dataclass(frozen=True)
class Phase:
    """A part of the steps.

    Attributes:
        parts: tiles, with the share of the batch that is drawn from each.
        until: the share of all steps at which it ends, above 0 to 1.
    """

    parts: tuple[tuple[Part, float], ...]
    until: float = 1.0


class DownstreamTraining(L.LightningModule):
    """Draws batches by seed and step, so that arms that share tiles share the draws of these."""

    def __init__(
        self,
        *,
        network: nn.Module,
        phases: tuple[Phase, ...],
        targets: Targets,
        augmentation: Augmentation,
        schedule: Schedule,
        seed: int,
    ):
        super().__init__()
        self.network, self.schedule, self.seed = network, schedule, seed
        self._phases, self._targets, self._augmentation = phases, targets, augmentation

    def configure_optimizers(self) -> Any:
        set_ = self.schedule
        optimizer = torch.optim.AdamW(self.parameters(), lr=set_.learning_rate, weight_decay=set_.weight_decay)
        # torch divides by zero where the rate rises or falls within a single step
        steps = max(set_.steps, 3)
        rising = max(0.1, 2 / steps)
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, set_.learning_rate, steps, pct_start=rising)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, self.global_step)
        done = self.global_step / self.schedule.steps
        phase = next((one for one in self._phases if done < one.until), self._phases[-1])
        drawn = _drawn(phase, self.schedule.batch_size, generator).apply(lambda values: values.to(self.device))
        shown = augmented(drawn, kind=self._augmentation, generator=generator)
        loss = loss_of(self.network(shown.images), shown, self._targets)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the downstream network's loss became {loss.item()} at step {self.global_step}; lower the learning "
                f"rate (now {self.schedule.learning_rate:g})"
            )
        return loss


def loss_of(outputs: torch.Tensor, shown: Batch, targets: Targets) -> torch.Tensor:
    """Cross-entropy of labelled pixels, or squared error of known quantities, weighted; 0 without any."""
    total = outputs.new_zeros(())
    for share, part in shown.answers:
        if targets.layers:
            logits = outputs.unflatten(1, (targets.layers, targets.classes)).movedim(2, 1)
            errors = F.cross_entropy(logits, part.targets, ignore_index=-1, reduction="none")
            weights = part.weights * (part.targets >= 0)
        else:
            known = part.targets.isfinite()
            errors = F.mse_loss(outputs, torch.where(known, part.targets, 0.0), reduction="none")
            weights = part.weights * known
        total = total + share * (errors * weights).sum() / weights.sum().clamp(min=1.0)
    return total


def trained_network(
    network: nn.Module,
    *,
    phases: tuple[Phase, ...],
    targets: Targets,
    augmentation: Augmentation,
    schedule: Schedule,
    seed: int,
) -> nn.Module:
    """Train a network in place, return it ready to predict, on the CPU.

    Raises:
        TrainingError: no tile to train on, or a loss that is not finite.
    """
    if any(not len(part) for phase in phases for part, _ in phase.parts):
        raise TrainingError("no labelled tile to train a downstream network on; expected at least one")
    module = DownstreamTraining(
        network=network, phases=phases, targets=targets, augmentation=augmentation, schedule=schedule, seed=seed
    )
    # a network may draw too, as dropout does
    with quiet_lightning(), seeded(seed):
        trainer = L.Trainer(
            accelerator=schedule.accelerator,
            devices=1,
            max_steps=schedule.steps,
            max_epochs=-1,
            gradient_clip_val=1.0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, DataLoader(EndlessSteps(), batch_size=None))
    return network.cpu().eval()


@torch.no_grad()
def prediction(
    network: nn.Module, tiles: TileSet, *, standard: Standard, targets: Targets, device: str = "cpu"
) -> np.ndarray:
    """Class positions `(tile, layer, y, x)`, or quantities in their units; nothing is averaged over turns."""
    network.to(device).eval()
    found = []
    for start in range(0, len(tiles), PREDICT_TILES):
        index = np.arange(start, min(start + PREDICT_TILES, len(tiles)))
        images = torch.from_numpy(standard.images(tiles, index)).to(device)
        found.append(targets.predicted(network(images)).cpu().numpy())
    return np.concatenate(found)


def _drawn(phase: Phase, batch_size: int, generator: torch.Generator) -> Part:
    """A batch with as many tiles of each part as its share says."""
    edges = np.round(np.cumsum([0.0, *(share for _, share in phase.parts)]) * batch_size).astype(int)
    chosen = []
    for (part, _), count in zip(phase.parts, np.diff(edges).tolist(), strict=True):
        index = torch.randint(len(part), (count,), generator=generator)
        chosen.append(part.apply(lambda values, index=index: values[index.to(values.device)]))  # type: ignore[misc]
    return Part(
        torch.cat([part.images for part in chosen]),
        torch.cat([part.targets for part in chosen]),
        torch.cat([part.weights for part in chosen]),
    )
