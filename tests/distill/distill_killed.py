"""Distils until some steps after a checkpoint, then dies by SIGKILL. Called by test_distill_resume.py."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from specdm.report.distill_run import distill_run
from specdm.training.distillation import Distillation

LOST_STEPS = 2


def die(run: Path) -> None:
    step_of, seen = Distillation.training_step, []

    def training_step(self, batch, batch_idx):
        if (run / "checkpoints" / "distilled_4.ckpt").exists():
            seen.append(self.global_step)
        if len(seen) > LOST_STEPS:
            os.kill(os.getpid(), signal.SIGKILL)
        return step_of(self, batch, batch_idx)

    Distillation.training_step = training_step


if __name__ == "__main__":
    folder, settings = Path(sys.argv[1]), json.loads(sys.argv[2])
    die(folder)
    distill_run(folder, evaluations=4, settings=settings, show_progress=False)
