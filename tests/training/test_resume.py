"""`kill -9` in the middle of a stage: the run goes on from its checkpoint and ends with the same weights."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from specdm.synthesis.fit import train_run
from specdm.training.codec_training import CodecTraining
from specdm.training.config import load_config
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.reader_training import ReaderTraining

STAGES = ("codec", "reader", "denoiser")


def weights(model: Path) -> dict[str, torch.Tensor]:
    found = {}
    for file in sorted(model.glob("*/*.safetensors")):
        found |= {f"{file.parent.name}.{name}": value for name, value in load_file(file).items()}
    return found


def watch_first_steps(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """The step at which each stage begins, filled while it trains."""
    first: dict[str, int] = {}

    def watched(stage: str, step_of):
        def training_step(self, batch, batch_idx):
            first.setdefault(stage, self.global_step)
            return step_of(self, batch, batch_idx)

        return training_step

    for stage, module in zip(STAGES, (CodecTraining, ReaderTraining, DenoiserTraining), strict=True):
        monkeypatch.setattr(module, "training_step", watched(stage, module.training_step))
    return first


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_ends_as_one_that_was_not(
    stage: str, little_run: Path, little_tiles, little_settings, tmp_path: Path, monkeypatch
) -> None:
    # few seconds between checkpoints, but not one at each step, so that steps are lost and done again
    seconds = 0.03 if stage == "reader" else 0.15  # its steps are over sooner
    config = load_config(
        overrides=little_settings | {"training.checkpoint_seconds": seconds, "training.log_every_steps": 1}
    )
    little_tiles.save(tmp_path / "tiles.zarr")
    (tmp_path / "config.yaml").write_text(config.to_yaml())
    script = Path(__file__).with_name("killed_training.py")
    ended = subprocess.run(
        [sys.executable, str(script), stage, str(tmp_path)], capture_output=True, text=True, timeout=300
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr[-2000:]
    run = tmp_path / "run"
    checkpoint = torch.load(run / "checkpoints" / f"{stage}.ckpt", weights_only=True)
    assert 0 < checkpoint["global_step"] < 27
    assert not (run / "model").exists()

    first_steps = watch_first_steps(monkeypatch)
    train_run(run, tiles=little_tiles, config=config, show_progress=False)
    assert first_steps[stage] == checkpoint["global_step"], "begun anew"
    assert list(first_steps) == list(STAGES[STAGES.index(stage) :]), "a stage that was done is done again"
    found, expected = weights(run / "model"), weights(little_run / "model")
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6, msg=f"{name} differs")

    with (run / "log" / "metrics.csv").open(newline="") as file:
        rows = [(row["stage"], int(row["step"])) for row in csv.DictReader(file)]
    assert rows == [(part, step) for part in STAGES for step in range(1, 31)]
