"""A little scene as files, and `specdm train` on them in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from little_scenes import make_little_scene

STEPS = 12
"""Of each stage; two processes may share a core."""


@dataclass(frozen=True)
class Material:
    """What `specdm train` is given.

    Attributes:
        folder: of the files.
        arguments: image, mask and settings.
    """

    folder: Path
    arguments: tuple[str, ...]


@pytest.fixture(scope="session")
def ddp_material(tmp_path_factory: pytest.TempPathFactory, little_settings: dict[str, Any]) -> Material:
    """Files of `make_little_scene` with some mask columns unlabelled, so that parts of a batch know unequally."""
    scene = make_little_scene()
    image, mask = scene.window(0, 0, scene.height, scene.width)
    assert mask is not None
    labels = mask[0].copy()
    labels[: scene.height // 2, ::2] = -1
    folder = tmp_path_factory.mktemp("ddp")
    np.save(folder / "image.npy", np.moveaxis(image[0], 0, -1))
    np.save(folder / "mask.npy", labels)
    settings: dict[str, dict[str, Any]] = {}
    for key, value in little_settings.items():
        section, _, name = key.partition(".")
        settings.setdefault(section, {})[name] = STEPS if name == "steps" and section != "sampling" else value
    # with three digits, sums in another order are other sums
    settings["training"] |= {"log_every_steps": 1, "checkpoint_seconds": 0.2, "precision": "32-true"}
    settings["tiles"] |= {"stride": 8}
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    arguments = (
        *("train", str(folder / "image.npy"), "--mask", str(folder / "mask.npy")),
        *("--config", str(folder / "settings.yaml")),
    )
    return Material(folder, arguments)


@pytest.fixture(scope="session")
def train_in_processes(ddp_material: Material) -> Callable[..., subprocess.CompletedProcess]:
    """Run `specdm train ... -o RUN *MORE` as a user does; `script` in the place of `-m specdm`."""

    def train(run: Path, *more: object, script: Path | None = None, **variables: str) -> subprocess.CompletedProcess:
        program = ["-m", "specdm"] if script is None else [str(script)]
        return subprocess.run(
            [sys.executable, *program, *ddp_material.arguments, "-o", str(run), *map(str, more)],
            capture_output=True,
            text=True,
            timeout=900,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200", **variables},
        )

    return train


@pytest.fixture(scope="session")
def run_of_one(train_in_processes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of one process."""
    run = tmp_path_factory.mktemp("ddp_one") / "run"
    ended = train_in_processes(run)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return run
