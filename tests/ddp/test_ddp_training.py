"""Two processes on the CPU train as one does; when one is killed the other ends, and the same command goes on."""

from __future__ import annotations

import csv
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from lock_holder import held_by_another
from safetensors.torch import load_file

from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.training.run_lock import FOLDER

pytestmark = pytest.mark.timeout(1800)

SCRIPT = Path(__file__).with_name("killed_rank.py")


def losses(run: Path) -> dict[tuple[str, str, str], float]:
    """Stage, step and name -> loss."""
    with (run / "log" / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["stage"], row["step"], name): float(value)
        for row in rows
        for name, value in row.items()
        if name and name.endswith("_loss") and value
    }


def weights(run: Path) -> dict[str, torch.Tensor]:
    """Part -> all its weights after each other."""
    files = sorted((run / "model").glob("*/*.safetensors"))
    return {
        file.parent.name: torch.cat([value.double().flatten() for _, value in sorted(load_file(file).items())])
        for file in files
    }


def assert_same_run(run: Path, expected: Path) -> None:
    """Same losses at the same steps, each once, and same weights, but for the rounding of sums.

    Weights are compared a part at a time: Adam makes steps of full length of a gradient that is rounding alone, such as
    that of a bias before a normalisation.
    """
    found, wanted = losses(run), losses(expected)
    assert list(found) == list(wanted)
    for key, value in wanted.items():
        assert found[key] == pytest.approx(value, rel=1e-3, abs=1e-5), key
    of_run, of_expected = weights(run), weights(expected)
    assert of_run.keys() == of_expected.keys()
    for name, value in of_expected.items():
        assert (of_run[name] - value).norm() <= 0.01 * value.norm(), name


def test_two_processes_train_as_one_does(train_in_processes, run_of_one: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ended = train_in_processes(run, "--devices", 2, "--strategy", "ddp")
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert_same_run(run, run_of_one)
    assert ended.stdout.count("TileSet") == 1 and ended.stdout.count("model in") == 1, "each process has its say"
    assert ended.stderr.count("training denoiser") == 1
    assert len(list((run / "log" / "tensorboard").iterdir())) == len(
        list((run_of_one / "log" / "tensorboard").iterdir())
    )

    drawn, expected = (
        SpecDMPipeline.from_pretrained(folder / "model").sample(4, seed=1).images() for folder in (run, run_of_one)
    )
    assert np.isfinite(drawn).all()
    assert np.abs(drawn - expected).mean() < 0.02 * expected.std()


@pytest.mark.parametrize(("dies", "stage"), [("1", "denoiser"), ("0", "reader")])
def test_a_killed_process_ends_the_job_and_the_same_command_goes_on(
    dies: str, stage: str, train_in_processes, run_of_one: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    # a checkpoint at every step, so that there is one of this stage before it is over
    options = ("--devices", 2, "--set", "training.checkpoint_seconds=0.001")
    variables = {"SPECDM_TEST_DIES": dies, "SPECDM_TEST_STAGE": stage}
    ended = train_in_processes(run, *options, script=SCRIPT, **variables)
    assert ended.returncode == (2 if dies == "1" else -signal.SIGKILL)
    said = [line for line in ended.stderr.splitlines() if not line.startswith("training ")]
    assert len(said) == 1, ended.stderr
    assert f"(rank {dies})" in said[0] and "give the same command again" in said[0]
    assert ("SIGKILL" in said[0]) == (dies == "1")
    assert "model in" not in ended.stdout and not (run / "model").exists()
    began = torch.load(run / "checkpoints" / f"{stage}.ckpt", weights_only=True)["global_step"]
    assert began > 0
    if stage == "reader":
        return
    ended = train_in_processes(run, *options)
    assert ended.returncode == 0, ended.stderr[-2000:]
    assert "training codecs" not in ended.stderr and "step 1," not in ended.stderr, "begun anew"
    assert_same_run(run, run_of_one)


def test_a_run_that_another_command_writes_is_refused_in_one_line(train_in_processes, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with held_by_another(run / FOLDER, what="specdm train") as other:
        ended = train_in_processes(run, "--devices", 2)
    said = [line for line in ended.stderr.splitlines() if line.startswith("specdm:")]
    assert ended.returncode == 2 and len(said) == 1 and "Traceback" not in ended.stderr, ended.stderr
    assert f"another process (specdm train, process {other.pid} on " in said[0]
    assert sorted(path.name for path in run.iterdir()) == [FOLDER]
