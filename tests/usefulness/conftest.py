"""A run to benchmark, of the least networks, and the command line called in the test's process."""

from __future__ import annotations

import contextlib
import io
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from little_grid import ASKED
from little_scenes import make_little_scene

from specdm.report.run_folder import RunFolder

FEW = {"codec.steps": 3, "reader.steps": 3, "denoiser.steps": 3}


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def specdm_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Run `specdm ARGUMENTS` and return how it ended."""
    from specdm.cli.main import run

    # wide enough for any table, whatever the terminal
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code=int(end.value.code or 0), out=captured.out, err=captured.err)

    return call


@pytest.fixture(scope="session")
def split_run(little_run: Path, little_settings: dict, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with training, validation and test tiles, whose further models train for 3 steps."""
    from specdm.training.config import load_config

    run = shutil.copytree(little_run, tmp_path_factory.mktemp("split") / "run")
    folder = RunFolder(run)
    make_little_scene().tile(size=16, stride=8).save(folder.tiles)
    folder.config.write_text(load_config(overrides={**little_settings, **FEW}).to_yaml())
    return run


@pytest.fixture
def run(split_run: Path, tmp_path: Path) -> Path:
    """A copy of `split_run` to work in."""
    return shutil.copytree(split_run, tmp_path / "run")


@pytest.fixture(scope="session")
def asked_run(split_run: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run after `specdm usefulness`, and what was printed."""
    from specdm.cli.main import run as command

    run = shutil.copytree(split_run, tmp_path_factory.mktemp("asked") / "run")
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), pytest.raises(SystemExit) as end:
        patch.setenv("COLUMNS", "200")
        command([str(part) for part in ("usefulness", run, *ASKED, "--json", run.parent / "found.json")])
    assert not end.value.code
    return run, out.getvalue()


@pytest.fixture
def done(asked_run: tuple[Path, str], tmp_path: Path) -> Path:
    """A copy of it to work in."""
    return shutil.copytree(asked_run[0], tmp_path / "done")


OWN_NETWORK = """
from torch import nn

def build(channels, classes):
    return nn.Conv2d(channels, classes, 1)

def wrong(channels, classes):
    return nn.Conv2d(channels, classes + 1, 1)
"""


@pytest.fixture
def own_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a network of a user's own, which takes no time to train, in the current folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "pixelwise_net.py").write_text(OWN_NETWORK)
    monkeypatch.chdir(folder)
    return "pixelwise_net:build"
