"""Distilling the model of a run to few evaluations; killed, it goes on where it was."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from specdm.errors import RunError
from specdm.report.run_folder import RunFolder, check_writable, model_folder


def distill_run(
    run: Path,
    *,
    evaluations: int,
    minutes: float | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    show_progress: bool = True,
    callback: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> Path:
    """Distil, and put the result into the model folder of the run beside the trained denoiser.

    Args:
        run: run folder.
        evaluations: of the network, all in all, 1 to 16.
        minutes: of training; default: three times as long as the denoiser was trained.
        settings: single keys of the configuration such as "distillation.learning_rate".
        overwrite: distil anew what is there already.
        show_progress: bars on the terminal.
        callback: called with (tiles of the trained model drawn, all).
        say: called with a line on what is there already.

    Returns:
        The model folder.

    Raises:
        RunError: no finished run, no tiles in it, or a damaged checkpoint; or another process is writing into it.
        ConfigError: an unknown setting.
        ModelError: the number of evaluations is out of range, or the model cannot be loaded or written.
        TrainingError: a loss that is not finite.
    """
    folder = RunFolder(run)
    folder.check_is_run()
    model = model_folder(run)
    check_writable(model)
    if not folder.tiles.exists():
        raise RunError(
            f"{folder.tiles} is missing, which the model is distilled with; go on with: specdm train "
            f"{shlex.quote(str(run))}"
        )
    from specdm.synthesis.distill import distilled_pipeline
    from specdm.synthesis.distilled import check_evaluations, part_name
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.store import open_tiles
    from specdm.training.config import load_config
    from specdm.training.run_lock import run_lock

    check_evaluations(evaluations)
    asked = dict(settings or {})
    if minutes is not None:
        asked |= {"distillation.minutes": minutes, "distillation.steps": None}
    config = load_config(file=folder.config, overrides=asked)
    pipeline = SpecDMPipeline.from_pretrained(model)
    if evaluations in pipeline.distilled and not overwrite:
        if say is not None:
            say(f"{model} is distilled to {evaluations} already; add --overwrite to do it anew")
        return model
    with run_lock(run, what="specdm distill"):
        found = distilled_pipeline(
            pipeline,
            open_tiles(folder.tiles),
            run=run,
            config=config,
            evaluations=evaluations,
            show_progress=show_progress,
            callback=callback,
        )
        # another may have been put there before the lock was taken
        latest = SpecDMPipeline.from_pretrained(model)
        latest.distilled[evaluations] = found.distilled[evaluations]
        latest.save_pretrained(model)
        (run / "checkpoints" / f"{part_name(evaluations)}.ckpt").unlink(missing_ok=True)
    return model
