"""`kill -9` in the middle of distilling: it goes on from its checkpoint and ends with the same weights."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

from specdm.report.distill_run import distill_run
from specdm.training.distillation import Distillation


def weights(run: Path) -> dict[str, torch.Tensor]:
    folders = (run / "model").glob("distilled_4*")
    files = [file for folder in sorted(folders) for file in folder.glob("*.safetensors")]
    return {f"{file.parent.name}.{name}": value for file in files for name, value in load_file(file).items()}


def test_killed_distilling_ends_as_if_it_was_not(
    trained_run: Path, distilled_run: Path, distill_settings, tmp_path: Path, monkeypatch
) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_run, run)
    settings = distill_settings | {"training.checkpoint_seconds": 0.1, "training.log_every_steps": 1}
    script = Path(__file__).with_name("distill_killed.py")
    ended = subprocess.run(
        [sys.executable, str(script), str(run), json.dumps(settings)], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    before = {file.name for file in (run / "model").iterdir()}
    assert before == {file.name for file in (trained_run / "model").iterdir()}, "the model is as it was"
    checkpoint = torch.load(run / "checkpoints" / "distilled_4.ckpt", weights_only=True)
    assert 0 < checkpoint["global_step"] < 18

    first: list[int] = []
    step_of = Distillation.training_step

    def watched(self, batch, batch_idx):
        first.append(self.global_step)
        return step_of(self, batch, batch_idx)

    monkeypatch.setattr(Distillation, "training_step", watched)
    distill_run(run, evaluations=4, settings=settings, show_progress=False)
    assert first[0] == checkpoint["global_step"], "begun anew"
    found, expected = weights(run), weights(distilled_run)
    assert found.keys() == expected.keys() and found
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=f"{name} differs")
    assert not (run / "checkpoints" / "distilled_4.ckpt").exists()
    with (run / "log" / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["stage"] == "distilled_4"]
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    assert all(float(row["distilled_loss"]) > 0 for row in rows)
