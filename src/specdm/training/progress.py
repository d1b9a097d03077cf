"""What a user sees while a stage trains: share of the budget, loss, time left."""

from __future__ import annotations

import sys
import time
from typing import Any

import lightning as L
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from specdm.training.budget import Budget

LINE_SECONDS = 20.0


class BudgetProgress(L.Callback):
    """A bar over the budget; where the output is no terminal, a line every `LINE_SECONDS`."""

    def __init__(self, title: str, *, budget: Budget, loss: str):
        self.title, self.budget, self.loss = title, budget, loss
        self._bar: Progress | None = None
        self._next_line = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        if sys.stderr.isatty():
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[detail]}"),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            self._task = self._bar.add_task(self.title, total=1.0, detail="")
            self._bar.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        used = self.budget.share_used(trainer.global_step)
        loss = float(trainer.callback_metrics.get(self.loss, float("nan")))
        detail = f"step {trainer.global_step}, loss {loss:.3f}"
        if self._bar is not None:
            self._bar.update(self._task, completed=used, detail=detail)
        elif trainer.is_global_zero and time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_SECONDS
            left = self.budget.seconds * (1 - used) / used if used > 0 else float("nan")
            print(f"{self.title}: {used:4.0%}, {detail}, {left:.0f} s left", file=sys.stderr, flush=True)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._close()

    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
