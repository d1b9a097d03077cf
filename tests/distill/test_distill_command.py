"""`specdm distill` and `specdm sample --evaluations`, as users type them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from specdm.cli.main import run as run_cli
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.store import open_tiles


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]):
    """Run `specdm ARGUMENTS`; returns the exit code and what it printed."""

    def call(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run_cli([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return int(end.value.code or 0), captured.out, captured.err

    return call


def test_distil_then_sample(typed, trained_run: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained_run, run)
    settings = [part for setting in ("steps=3", "teacher_tiles=32") for part in ("--set", f"distillation.{setting}")]
    code, out, _ = typed("distill", run, "-e", 2, *settings)
    assert code == 0 and f"specdm sample {run} --evaluations 2" in out
    assert (run / "model" / "distilled_2" / "config.json").is_file()
    # what is there is not done again
    code, out, _ = typed("distill", run, "-e", 2)
    assert code == 0 and "already" in out and "--overwrite" in out

    output = tmp_path / "tiles.zarr"
    code, _, _ = typed("sample", run, "-n", 3, "--evaluations", 2, "-o", output)
    assert code == 0
    tiles = open_tiles(output)
    source = SpecDMPipeline.from_pretrained(run / "model").id_of(2)
    assert list(tiles.dataset["source"].values) == [source] * 3
    # drawn by the trained model it would be another set
    code, _, err = typed("sample", run, "-n", 3, "-o", output)
    assert code == 2 and err.count("\n") == 1 and "exists already" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["distill", "nowhere"], "nowhere does not exist"),
        (["distill", "RUN", "-e", "0"], "evaluations is 0, expected 1 to 16"),
        (["distill", "RUN", "-e", "40"], "evaluations is 40, expected 1 to 16"),
        (["distill", "RUN", "--set", "distillation.speed=3"], "distillation.speed"),
        (["distill", "RUN", "--minutes", "0"], "expected more than 0"),
        (["sample", "RUN", "--evaluations", "4", "-o", "x.zarr"], "specdm distill RUN --evaluations 4"),
    ],
)
def test_mistakes_are_told_in_one_line(
    typed, trained_run: Path, tmp_path: Path, monkeypatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = typed(*[str(trained_run) if word == "RUN" else word for word in arguments])
    assert code == 2 and err.startswith("specdm: ") and err.count("\n") == 1, err
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_run_without_tiles_is_refused(typed, little_run: Path) -> None:
    code, _, err = typed("distill", little_run)
    assert code == 2 and "tiles.zarr is missing" in err


def test_help_does_not_load_torch() -> None:
    import subprocess

    code = "import sys, specdm.cli.distill, specdm.report.distill_run; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
