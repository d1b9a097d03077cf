"""Pictures of samples while the denoiser trains, so that one sees early whether it learns."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L

Draw = Callable[[Path], None]
"""Draws a few samples with the present EMA weights and writes a grid of them to a file."""


class SamplePictures(L.Callback):
    """Writes `samples_<step>.png` every `every_seconds`."""

    def __init__(self, folder: Path, *, every_seconds: float, draw: Draw):
        self.folder, self.every_seconds, self.draw = folder, every_seconds, draw
        self._last = time.monotonic()

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._last = time.monotonic()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if trainer.is_global_zero and time.monotonic() - self._last >= self.every_seconds:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.draw(self.folder / f"samples_{trainer.global_step:06d}.png")
            self._last = time.monotonic()
