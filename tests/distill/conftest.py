"""A little run, distilled."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from specdm.report.distill_run import distill_run
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet

DISTILL_SETTINGS = {"distillation.steps": 20, "distillation.teacher_tiles": 32, "distillation.batch_size": 4}


@pytest.fixture(scope="session")
def distill_settings() -> dict[str, object]:
    """Settings of seconds, for a run of `little_settings`."""
    return dict(DISTILL_SETTINGS)


@pytest.fixture(scope="session")
def trained_run(little_run: Path, little_tiles: TileSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained run with its tiles, not distilled. Copy it before changing it."""
    run = tmp_path_factory.mktemp("trained") / "run"
    shutil.copytree(little_run, run)
    (run / "tiles").mkdir()
    little_tiles.save(run / "tiles" / "tiles.zarr")
    return run


@pytest.fixture(scope="session")
def distilled_run(trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run distilled to 1 and 4 evaluations. Copy it before changing it."""
    run = tmp_path_factory.mktemp("distilled") / "run"
    shutil.copytree(trained_run, run)
    for evaluations in (1, 4):
        distill_run(run, evaluations=evaluations, settings=DISTILL_SETTINGS, show_progress=False)
    return run


@pytest.fixture(scope="session")
def distilled(distilled_run: Path) -> SpecDMPipeline:
    return SpecDMPipeline.from_pretrained(distilled_run / "model")
