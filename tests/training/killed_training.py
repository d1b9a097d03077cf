"""Trains until some steps after a checkpoint of a stage, then dies by SIGKILL. Called by test_resume.py."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from specdm.synthesis.fit import train_run
from specdm.tiles.store import open_tiles
from specdm.training.codec_training import CodecTraining
from specdm.training.config import read_config
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.reader_training import ReaderTraining

LOST_STEPS = 3


def die_in(stage: str, run: Path) -> None:
    """Make the stage end the process `LOST_STEPS` steps after the first checkpoint it finds."""
    module = {"codec": CodecTraining, "reader": ReaderTraining, "denoiser": DenoiserTraining}[stage]
    step_of, seen = module.training_step, []

    def training_step(self, batch, batch_idx):
        if (run / "checkpoints" / f"{stage}.ckpt").exists():
            seen.append(self.global_step)
        if len(seen) > LOST_STEPS:
            os.kill(os.getpid(), signal.SIGKILL)
        return step_of(self, batch, batch_idx)

    module.training_step = training_step


if __name__ == "__main__":
    stage, folder = sys.argv[1], Path(sys.argv[2])
    die_in(stage, folder / "run")
    train_run(
        folder / "run",
        tiles=open_tiles(folder / "tiles.zarr"),
        config=read_config(folder / "config.yaml"),
        show_progress=False,
    )
    sys.exit("the training ended before it was killed")
