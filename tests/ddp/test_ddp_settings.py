"""Mistakes about devices, nodes and strategy: one line, exit code 2, and nothing written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from specdm.cli.main import run as run_command


@pytest.fixture
def refused(ddp_material, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def call(*more: object) -> str:
        run = tmp_path / "run"
        with pytest.raises(SystemExit) as end:
            run_command([*ddp_material.arguments, "-o", str(run), *map(str, more)])
        line = capsys.readouterr().err
        assert end.value.code == 2, line
        assert line.startswith("specdm: ") and line.count("\n") == 1, line
        assert not run.exists()
        return line

    return call


@pytest.mark.parametrize("strategy", ["fsdp", "ddp_spawn", "fast"])
def test_a_strategy_that_is_not_there(refused, strategy: str) -> None:
    line = refused("--devices", 2, "--strategy", strategy)
    assert "training.strategy" in line and "'ddp'" in line and strategy in line


def test_a_batch_that_cannot_be_shared(refused) -> None:
    line = refused("--devices", 3)
    assert "codec.batch_size 4" in line and "multiple of 3" in line
    assert "reader.batch_size" in refused(
        *("--devices", 2, "--nodes", 2, "--set", "reader.batch_size=6"),
        *("--set", "codec.batch_size=8", "--set", "denoiser.batch_size=8"),
    )


@pytest.mark.parametrize("option", ["--devices", "--nodes"])
def test_no_device(refused, option: str) -> None:
    assert f"training.{option[2:]}" in refused(option, 0)


def test_more_devices_than_there_are(refused, monkeypatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    line = refused("--devices", 4)
    assert "training.devices is 4" in line and "2 CPU cores" in line


@pytest.mark.skipif(torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("devices", [1, 2])
def test_a_gpu_that_is_not_there(refused, devices: int) -> None:
    assert "training.accelerator is 'gpu'" in refused("--devices", devices, "--set", "training.accelerator=gpu")


def test_nodes_that_do_not_know_each_other(refused, monkeypatch) -> None:
    monkeypatch.setenv("MASTER_ADDR", "node7")
    line = refused("--nodes", 2)
    assert "MASTER_PORT, NODE_RANK" in line and "MASTER_ADDR" not in line and "srun" in line


def test_torchrun_that_was_not_told_of(refused, monkeypatch) -> None:
    """Each of its processes would train alone and write over the others."""
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert "torchrun has started 4 processes" in refused()


def test_other_tasks_than_asked(refused, monkeypatch) -> None:
    for name, value in {"NTASKS": 4, "NTASKS_PER_NODE": 4, "PROCID": 0, "LOCALID": 0, "NODEID": 0, "JOB_ID": 1}.items():
        monkeypatch.setenv(f"SLURM_{name}", str(value))
    line = refused("--devices", 2)
    assert "training.devices 2" in line and "--ntasks-per-node=4" in line
