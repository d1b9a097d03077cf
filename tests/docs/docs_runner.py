"""Runs the blocks of a page in order, as a reader would, with as little training as there can be."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from docs_pages import Block, shell_lines

STEPS = 10
DEMO_TILES = 16
CORNER = 64
"""Pixels along the corner of Indian Pines that stands for it."""


def little_training(monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, object]) -> None:
    """Every configuration that is loaded from now on trains the least networks for a few steps, whatever it says.

    Args:
        monkeypatch: undoes it.
        settings: of the fixture `little_settings`.
    """
    from specdm.training import config

    validated = config._validated

    def little(content: dict[str, Any], *, source: str) -> config.RunConfig:
        record = validated(content, source=source).model_dump()
        for key, value in settings.items():
            section, name = key.split(".")
            if section == "tiles":
                continue  # pages say how large tiles are
            record[section][name] = STEPS if name == "steps" and section != "sampling" else value
        record["distillation"] |= {"minutes": None, "steps": STEPS, "teacher_tiles": 8, "batch_size": 4}
        return config.RunConfig.model_validate(record)

    monkeypatch.setattr(config, "_validated", little)


def little_demonstration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded scene is a corner of itself with every tenth band, the demonstration draws few tiles of it."""
    from specdm.report import demo
    from specdm.scenes import samples
    from specdm.scenes.scene import Scene

    corner = samples.indian_pines().dataset.isel(y=slice(0, CORNER), x=slice(0, CORNER), band=slice(None, None, 10))
    monkeypatch.setattr(samples, "indian_pines", lambda: Scene(corner.copy(deep=True)))
    monkeypatch.setitem(demo.demo_run.__kwdefaults__, "n", DEMO_TILES)
    monkeypatch.setattr(demo, "TIMED_TILES", DEMO_TILES)


def run_blocks(
    blocks: list[Block], *, folder: Path, change: Callable[[str], str | None] = lambda text: text
) -> dict[str, Any]:
    """Run those that need nothing, in order, in `folder`; Python blocks share their names.

    Args:
        blocks: to run.
        folder: where.
        change: what is run instead of a command, or of a Python block; None to leave it out.

    Returns:
        What Python blocks have named.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks:
        if block.needs is not None:
            continue
        for code in [block.text] if block.language == "python" else list(shell_lines(block.text)):
            if (text := change(code)) is None:
                continue
            if block.language == "python":
                # on the lines of the page, so that a traceback leads there
                exec(compile("\n" * (block.line - 1) + text, str(block.page), "exec"), names)
            else:
                _run_line(text, where=block.where, folder=folder)
    return names


def _run_line(line: str, *, where: str, folder: Path) -> None:
    words = shlex.split(line, comments=True)
    if words[0] == "specdm":
        code = _in_this_process(words[1:])
    else:
        code = subprocess.run(["bash", "-c", line], cwd=folder, check=False).returncode
    assert code == 0, f"{where}: {line}: exit code {code}"


def _in_this_process(words: list[str]) -> int:
    # torch need not be imported anew for each command
    from specdm.cli.main import run

    call: Callable[[list[str]], Any] = run
    with pytest.raises(SystemExit) as end:
        call(words)
    return int(end.value.code or 0)
