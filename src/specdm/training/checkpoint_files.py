"""Checkpoints that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the checkpoint and renames.

    Lightning writes to the folder for temporary files and moves, which is a copy where that is on another disk: killed
    meanwhile, it would leave half of the new checkpoint and nothing of the old one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        whole = Path(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        partial = whole.with_name(f".{whole.name}.partial")
        with partial.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, whole)
