"""How long a stage trains, in steps or in minutes, and the learning rate on the way."""

from __future__ import annotations

import time
from typing import Any

import lightning as L
from torch import nn


class Budget(L.Callback):
    """Ends a stage at its budget and sets the learning rate by how much of it is used.

    A group of weights with `times` has so many times the rate.

    With both limits the one reached first counts. Minutes are counted over interruptions: a resumed stage goes
    on with what was left at its checkpoint. Of several processes all go by the clock of the first, read once a step:
    with a clock each they would have other learning rates, and end at other steps.
    """

    def __init__(
        self, *, steps: int | None, minutes: float | None, learning_rate: float, warmup_steps: int, decay_share: float
    ):
        self.steps, self.minutes = steps, minutes
        self.learning_rate, self.warmup_steps, self.decay_share = learning_rate, warmup_steps, decay_share
        self.seconds_before = 0.0
        self._started: float | None = None
        self._told: float | None = None

    @property
    def seconds(self) -> float:
        """Seconds of training so far, interruptions not counted."""
        if self._told is not None:
            return self._told
        return self.seconds_before + (0.0 if self._started is None else time.monotonic() - self._started)

    def share_used(self, step: int) -> float:
        """Used share of the budget, 0..1."""
        used = [step / self.steps] if self.steps is not None else []
        used += [self.seconds / (60 * self.minutes)] if self.minutes is not None else []
        return min(1.0, max(used))

    def rate(self, step: int) -> float:
        """Linear warm-up, constant, then linear to zero over the last `decay_share`."""
        warm = min(1.0, (step + 1) / max(1, self.warmup_steps))
        left = 1.0 - self.share_used(step)
        return self.learning_rate * warm * (min(1.0, left / self.decay_share) if self.decay_share else 1.0)

    def on_train_start(self, trainer: L.Trainer, pl_module: nn.Module) -> None:
        self._started = time.monotonic()
        trainer.should_stop = self.share_used(trainer.global_step) >= 1.0

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: nn.Module, batch: Any, batch_idx: int) -> None:
        if trainer.world_size > 1 and self.minutes is not None:
            self._told = None
            self._told = float(trainer.strategy.broadcast(self.seconds))
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = self.rate(trainer.global_step) * group.get("times", 1.0)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: nn.Module, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.share_used(trainer.global_step) >= 1.0:
            trainer.should_stop = True

    def state_dict(self) -> dict[str, Any]:
        return {"seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.seconds_before = float(state_dict["seconds"])
