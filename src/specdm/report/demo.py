"""The demonstration: the embedded real scene from file to report, with what it costs."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.report.budget import budget_overrides
from specdm.report.run_folder import RunFolder
from specdm.report.sample_run import sample_run
from specdm.report.scene_source import SceneSource
from specdm.report.workflow import (
    TIMED_TILES,
    Progress,
    evaluate_run,
    prepare_tiles,
    report_run,
)

if TYPE_CHECKING:
    from specdm.training.config import RunConfig

N_TILES = 512
SCENE = "indian_pines"


@dataclass(frozen=True)
class DemoResult:
    """What a demonstration made.

    Attributes:
        metrics: the figures, flat.
        places: what -> where it is.
    """

    metrics: dict[str, float | None]
    places: dict[str, Path]


def demo_run(
    run: Path,
    *,
    scene: str = SCENE,
    minutes: float | None = None,
    n: int = N_TILES,
    say: Callable[[str], None],
    bar: Callable[[str], AbstractContextManager[Progress]],
) -> DemoResult:
    """An embedded scene: tiles, training, sampling, evaluation, report.

    A folder in which this was stopped is gone on with.

    Args:
        run: run folder.
        scene: one of `specdm.report.scene_source.SAMPLES`.
        minutes: of training; default: that of the preset `tiny`.
        n: tiles to sample.
        say: called with a line at the start of each stage.
        bar: makes a progress bar from a name: a context manager that yields a call with (done, total).

    Raises:
        SpecDMError: as the single stages do.
    """
    from specdm.training.config import load_config
    from specdm.training.run_lock import run_lock

    folder = RunFolder(run)
    config = load_config(preset="tiny")
    if minutes is not None:
        config = load_config(preset="tiny", overrides=budget_overrides(config, minutes=minutes, steps=None))
    folder.check_can_hold_run()
    with run_lock(run, what="specdm demo"):
        return _stages(run, SceneSource(sample=scene), config=config, n=n, say=say, bar=bar)


def _stages(
    run: Path,
    source: SceneSource,
    *,
    config: RunConfig,
    n: int,
    say: Callable[[str], None],
    bar: Callable[[str], AbstractContextManager[Progress]],
) -> DemoResult:
    from specdm.synthesis.fit import train_run
    from specdm.synthesis.pipeline import SpecDMPipeline

    folder = RunFolder(run)
    say(f"1/5 tiles of {source.words}")
    command = "specdm demo" if source.sample == SCENE else f"specdm demo --scene {source.sample}"
    tiles = prepare_tiles(run, source, config=config, command=command)
    say(f"{len(tiles.train)} training, {len(tiles.val)} validation and {len(tiles.test)} test tiles")

    say("2/5 training")
    trained_before = _figure(folder.evaluation, "training.seconds") if folder.model.is_dir() else None
    began = time.monotonic()
    train_run(run, tiles=tiles, config=config)
    # a finished run returns at once, and its time is the one it took
    training_seconds = trained_before or time.monotonic() - began

    say(f"3/5 sampling {n} tiles")
    with bar("sampling") as progress:
        sample_run(run, n=n, seed=config.seed, overwrite=True, callback=progress)
    pipeline = SpecDMPipeline.from_pretrained(folder.model)
    began = time.monotonic()
    pipeline.sample(TIMED_TILES, seed=config.seed)
    sampling_seconds = time.monotonic() - began

    say("4/5 evaluation")
    evaluation = evaluate_run(
        run,
        extra={
            "training.seconds": training_seconds,
            f"sampling.seconds_for_{TIMED_TILES}": sampling_seconds,
            "memory.peak_gb": peak_memory_gb(),
        },
    )

    say("5/5 report")
    report = report_run(run, evaluation=evaluation)
    return DemoResult(
        metrics=dict(evaluation.metrics),
        places={
            "report": report,
            "synthetic tiles": folder.synthetic,
            "figures": folder.evaluation,
            "model": folder.model,
            "real tiles": folder.tiles,
        },
    )


def peak_memory_gb() -> float:
    """The most memory that this process or one of its children has held, in GB (10^9 bytes)."""
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # kilobytes on Linux, bytes on macOS
    return most * (1 if sys.platform == "darwin" else 1024) / 1e9


def _figure(path: Path, key: str) -> float | None:
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
        return float(found[key])
    except (OSError, ValueError, KeyError, TypeError):
        return None
