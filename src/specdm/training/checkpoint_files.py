"""Checkpoints that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from specdm.errors import RunError
from specdm.scenes.write_failures import not_written, whole_file


class WholeCheckpoints(TorchCheckpointIO):
    """Writes beside the checkpoint and renames.

    Lightning writes to the folder for temporary files and moves, which is a copy where that is on another disk: killed
    meanwhile, it would leave half of the new checkpoint and nothing of the old one.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """Write it, or leave what is there.

        Raises:
            RunError: the place is full, or not writable.
        """
        whole = Path(path)
        try:
            whole.parent.mkdir(parents=True, exist_ok=True)
            # torch raises RuntimeError of its own on top of what the file raised
            with whole_file(whole, RuntimeError) as partial, partial.open("wb") as file:
                torch.save(checkpoint, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            advice = "once it can be, the same command goes on from the last checkpoint"
            raise RunError(not_written(whole, error, advice=advice)) from error
