"""`specdm ARGUMENTS` in which one of two processes dies by SIGKILL some steps after a checkpoint of a stage.

Called by test_ddp_training.py; the process that is to die and the stage are in its environment.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from specdm.cli.main import run
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.reader_training import ReaderTraining

LOST_STEPS = 2


def die_in(module: type, checkpoint: Path) -> None:
    """Make a stage end the process `LOST_STEPS` steps after the first checkpoint it finds."""
    step_of, seen = module.training_step, []

    def training_step(self, batch, batch_idx):
        if checkpoint.exists():
            seen.append(self.global_step)
        if len(seen) > LOST_STEPS:
            os.kill(os.getpid(), signal.SIGKILL)
        return step_of(self, batch, batch_idx)

    module.training_step = training_step


if __name__ == "__main__":
    if os.environ.get("LOCAL_RANK", "0") == os.environ["SPECDM_TEST_DIES"]:
        stage = os.environ["SPECDM_TEST_STAGE"]
        folder = Path(sys.argv[sys.argv.index("-o") + 1])
        module = {"reader": ReaderTraining, "denoiser": DenoiserTraining}[stage]
        die_in(module, folder / "checkpoints" / f"{stage}.ckpt")
    run()
