"""What becomes of help, versions and errors."""

from __future__ import annotations

import subprocess
import sys

import pytest

from specdm.cli import main
from specdm.errors import SceneError
from specdm.version import __version__

COMMANDS = [
    *("demo", "info", "catalog", "train", "sample", "annotate", "scene", "evaluate", "reliability", "usefulness"),
    *("export", "report", "doctor"),
]


def test_version(specdm_command) -> None:
    outcome = specdm_command("--version")
    assert (outcome.code, outcome.out.strip()) == (0, f"specdm {__version__}")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(specdm_command, command: str) -> None:
    outcome = specdm_command(command, "--help")
    assert outcome.code == 0
    assert f"Example: specdm {command}" in outcome.out


def test_help_names_every_command(specdm_command) -> None:
    outcome = specdm_command("--help")
    assert all(f"  {command} " in outcome.out for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["sample"], ["sample", "x", "-n", "many"], ["train", "x", "--colour", "red"]]
)
def test_usage_errors_are_one_line(refused, arguments: list[str]) -> None:
    assert "--help" in refused(*arguments)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (SceneError("two\nlines [bold]and[/bold]  blanks"), "specdm: two lines [bold]and[/bold] blanks\n"),
        (
            OSError(28, "No space left on device", "/data/x.zarr"),
            "specdm: /data/x.zarr: No space left on device\n",
        ),
        (PermissionError(13, "Permission denied", "/x"), "specdm: /x: Permission denied\n"),
    ],
)
def test_errors_for_the_user_are_one_line(specdm_command, monkeypatch, error: Exception, line: str) -> None:
    _machine_that_raises(monkeypatch, error)
    outcome = specdm_command("doctor")
    assert (outcome.code, outcome.err) == (2, line)


def test_debug_shows_the_traceback_wherever_it_stands(specdm_command, monkeypatch) -> None:
    _machine_that_raises(monkeypatch, SceneError("wrong"))
    for arguments in (["--debug", "doctor"], ["doctor", "--debug"]):
        outcome = specdm_command(*arguments)
        assert outcome.code == 2
        assert "Traceback" in outcome.err and outcome.err.endswith("specdm: wrong\n")


def test_ctrl_c_ends_with_130_and_a_line(specdm_command, monkeypatch) -> None:
    _machine_that_raises(monkeypatch, KeyboardInterrupt())
    outcome = specdm_command("doctor")
    assert outcome.code == 130
    assert outcome.err.startswith("specdm: stopped") and outcome.err.count("\n") == 1


def test_defects_keep_their_traceback(monkeypatch) -> None:
    _machine_that_raises(monkeypatch, ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError):
        main.run(["doctor"])


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["info", "not-there.mat"], 2)])
def test_as_a_module(arguments: list[str], code: int) -> None:
    done = subprocess.run([sys.executable, "-m", "specdm", *arguments], capture_output=True, text=True)
    assert done.returncode == code
    if code:
        assert done.stderr.count("\n") == 1 and done.stderr.startswith("specdm: not-there.mat")
    else:
        assert done.stdout == f"specdm {__version__}\n"


def test_doctor(specdm_command) -> None:
    outcome = specdm_command("doctor")
    assert outcome.code == 0
    for fact in ("specdm", __version__, "torch", "cpu", "threads", "free disk"):
        assert fact in outcome.out


def _machine_that_raises(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def describe() -> dict[str, str]:
        raise error

    monkeypatch.setattr("specdm.report.machine.describe_machine", describe)
