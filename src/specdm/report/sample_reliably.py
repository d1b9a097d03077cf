"""Sampling from a run, then judging what was drawn: the two commands one after the other, checked before either."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from specdm.report.reliability_filter import ReliabilityFilter
from specdm.report.reliability_record import ReliabilityRecord
from specdm.report.reliability_run import checked_output, reliability_places, reliability_run
from specdm.report.run_folder import check_has_model
from specdm.report.sample_question import Question
from specdm.report.sample_record import check_sampling_output
from specdm.report.sample_run import N_TILES, sample_run, usual_tiles
from specdm.report.sample_writing import Progress


def sample_reliably(
    run: Path,
    *,
    keep: ReliabilityFilter,
    n: int | None = None,
    question: Question | None = None,
    output: Path | None = None,
    overwrite: bool = False,
    sampling: Progress | None = None,
    judging: Progress | None = None,
    say: Callable[[str], None] | None = None,
    **options: Any,
) -> ReliabilityRecord:
    """Sample tiles, put scores of reliability into them, and write a filtered copy beside them if asked.

    Args:
        run: run folder.
        keep: what becomes of unreliable annotations. With `drop_below`, further tiles are drawn until as many as asked
            for are good enough, unless tiles are given, which are what they are.
        n, question, output, overwrite: as those of `sample_run`; `overwrite` holds for the copy too.
        sampling, judging: called with (done, all).
        say: called with a line on what is given and what is left out.
        **options: of `sample_run`.

    Raises:
        SpecDMError: as `sample_run` and `reliability_run`.
    """
    question = question or Question()
    if keep.drop_below is not None and not question.files:
        keep = replace(keep, n=n or N_TILES)
    keep.check()
    check_has_model(run)
    tiles = output or usual_tiles(run, files=question.files)
    places = reliability_places(run, tiles=tiles, sampled=False)
    expected = n or (None if question.files else N_TILES)
    check_sampling_output(tiles, overwrite=overwrite, asked={"seed": options.get("seed", 0)}, n=expected)
    checked_output(places, keep, None, overwrite=overwrite)
    sample_run(
        run, n=n, question=question, output=tiles, overwrite=overwrite, callback=sampling, say=say, **options
    )
    return reliability_run(run, tiles=tiles, keep=keep, overwrite=overwrite, callback=judging, say=say)
