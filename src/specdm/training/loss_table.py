"""Losses by step in `log/metrics.csv` and for TensorBoard."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import lightning as L

from specdm.training.budget import Budget

CODECS = ("image_codec", "mask_codec", "labelled_codec", "amount_codec", "pair_codec")
NETWORKS = (*CODECS, "reader", "denoiser", "distilled")
COLUMNS = ("stage", "step", "seconds", "learning_rate", *(f"{network}_loss" for network in NETWORKS))


class LossTable(L.Callback):
    """Writes mean losses every few steps; a resumed stage first drops the rows beyond its checkpoint.

    Lightning's own CSV logger starts its file anew when a run is resumed.
    """

    def __init__(self, path: Path, *, stage: str, budget: Budget, every_steps: int):
        self.path, self.stage, self.budget, self.every_steps = path, stage, budget, every_steps
        self._sums: dict[str, float] = {}
        self._count = 0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        rows = []
        if self.path.exists():
            with self.path.open(newline="") as file:
                rows = [
                    row
                    for row in csv.DictReader(file)
                    if (row["step"] or "").isdigit()  # a killed process may have left half a row
                    and (row["stage"] != self.stage or int(row["step"]) <= trainer.global_step)
                ]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(f".{self.path.name}.partial")
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        os.replace(partial, self.path)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        losses = {k: float(v) for k, v in trainer.callback_metrics.items() if k in COLUMNS}
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._count += 1
        if trainer.global_step % self.every_steps == 0:
            self._write(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if self._count:
            self._write(trainer)

    def _write(self, trainer: L.Trainer) -> None:
        means = {name: total / self._count for name, total in self._sums.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        self._sums, self._count = {}, 0
        if not trainer.is_global_zero:
            return
        row = {
            "stage": self.stage,
            "step": trainer.global_step,
            "seconds": f"{self.budget.seconds:.1f}",
            "learning_rate": f"{rate:.3g}",
            **{name: f"{value:.6g}" for name, value in means.items()},
        }
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow(row)
        if trainer.logger is not None:
            trainer.logger.log_metrics({**means, "learning_rate": rate}, step=trainer.global_step)
