"""What trainings of the denoiser share: its averaged weights, its optimizer, and how the errors of streams add up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import lightning as L
import torch
from torch.optim.swa_utils import AveragedModel

from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.denoiser import JointDenoiser
from specdm.models.streams import Stream, stages_of
from specdm.training.config import DenoiserConfig, DistillationConfig


class AveragedTraining(L.LightningModule):
    """Trains a denoiser; `average` holds the EMA weights.

    Args:
        denoiser: of the model.
        streams: of the model.
        config: with `ema_decay` and `learning_rate`.
        mask_loss_weight: see `stream_weights`.
        importance: of each stream's channels, `(channels,)`, see `JointModel.latent_importance`.
        share: of a batch that several processes work on.
    """

    def __init__(
        self,
        *,
        denoiser: JointDenoiser,
        streams: Sequence[Stream],
        config: DenoiserConfig | DistillationConfig,
        mask_loss_weight: float,
        importance: Sequence[torch.Tensor],
        share: BatchShare = WHOLE,
    ):
        super().__init__()
        self.denoiser = denoiser.to(memory_format=torch.channels_last)  # type: ignore[call-arg]
        self.average = AveragedModel(self.denoiser, multi_avg_fn=self._average_weights)
        # not trained itself: what trains data-parallel waits for the gradients of all that asks for them
        self.average.eval().requires_grad_(False)
        self.share = share
        self._ema_decay, self._learning_rate = config.ema_decay, config.learning_rate
        self._importance = list(importance)
        self._weights = stream_weights(streams, denoiser.stream_channels, mask_loss_weight=mask_loss_weight)

    def _average_weights(self, averaged: Any, current: Any, count: Any) -> None:
        # A warm-up of the decay, so that the first steps do not linger.
        decay = min(self._ema_decay, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(averaged, current, 1 - decay)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(
            self.denoiser.parameters(), lr=self._learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )

    def weighted_loss(self, error: torch.Tensor, counts: torch.Tensor, *, cells: Sequence[float]) -> torch.Tensor:
        """Mean error of each stream over its own cells, then weighted: few labels teach as much as many pixels.

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
