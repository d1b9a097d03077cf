"""Judging the annotations of a run's synthetic tiles, or of any tile set, and filtering by it."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from specdm.errors import RunError
from specdm.report.reliability_filter import ReliabilityFilter
from specdm.report.reliability_record import PlantedRecord, ReliabilityRecord
from specdm.report.run_folder import RunFolder, check_writable, model_folder
from specdm.report.sample_record import check_finished, check_output

if TYPE_CHECKING:
    import numpy as np

    from specdm.evaluation.reliability.trial import Trial
    from specdm.synthesis.pipeline import SpecDMPipeline

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Places:
    """Where everything is.

    Attributes:
        tiles: the tile set that is judged.
        real: real tiles to learn from.
        model: model folder; None to judge without.
        json: file for the record, or None.
    """

    tiles: Path
    real: Path
    model: Path | None
    json: Path | None


def reliability_run(
    inputs: Path,
    *,
    tiles: Path | None = None,
    real: Path | None = None,
    model: Path | None = None,
    keep: ReliabilityFilter | None = None,
    output: Path | None = None,
    overwrite: bool = False,
    json: Path | None = None,
    seed: int = 0,
    callback: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> ReliabilityRecord:
    """Put scores of reliability into a tile set, and write a filtered copy of it if asked.

    The tile set itself gets scores and stays as it is in all else. Errors are planted in held-out real tiles, if there
    are any, to tell how well the score finds them.

    Args:
        inputs: run folder, or a tile set.
        tiles: tile set of the run; default: its synthetic tiles.
        real: real tiles to learn from; default: those of the run.
        model: run or model folder whose reading of the images is an evidence too; default: that of the run.
        keep: what becomes of unreliable annotations.
        output: filtered tile set; default: `usual_output`.
        overwrite: replace a filtered tile set of that name, once the new one is whole.
        json: file for the record; default: that of the run folder, none for any other tile set.
        seed: of what is drawn at random.
        callback: called with (done, all) in each part of the work.
        say: called with a line on what is left out.

    Raises:
        RunError: something is missing, or the output exists or cannot be written.
        ConfigError: a threshold is out of range, or two contradict each other.
        TileError, ModelError: tiles without labels, or tiles, real tiles and model that do not go together; or nothing
            is left; or another process is writing one of the two tile sets.
    """
    keep = keep or ReliabilityFilter()
    keep.check()
    places = reliability_places(inputs, tiles=tiles, real=real, model=model, json=json)
    output = checked_output(places, keep, output, overwrite=overwrite)
    # here, not above: mistakes are told before torch is loaded
    from specdm.evaluation.reliability import RealEvidence
    from specdm.evaluation.reliability.trial import planted_trial
    from specdm.report.further_tiles import FurtherTiles
    from specdm.report.reliable_tiles import write_reliable
    from specdm.report.score_tiles import Judge, check_judgeable, mean_score, score_store
    from specdm.tiles.store import open_tiles
    from specdm.tiles.store_lock import store_lock

    judged, labelled = open_tiles(places.tiles), open_tiles(places.real).of_labelled_scenes()
    pipeline = _pipeline(places)
    check_judgeable(judged, labelled, pipeline)
    notes = []
    if pipeline is None or pipeline.reader is None:
        why = "no model" if pipeline is None else f"{places.model} has no reader of masks (preset ldm has none)"
        notes.append(f"{why}: labels are judged by spectra and borders alone, not by what a model reads off the images")
    judge = Judge(RealEvidence.fit(labelled, seed=seed), None if notes else pipeline)
    further = FurtherTiles(judged, pipeline=pipeline, judge=judge) if keep.n is not None else None
    with store_lock(places.tiles), nullcontext() if output is None else store_lock(output):
        scored, evidences = score_store(places.tiles, judge, callback=callback)
        trial = planted_trial(
            labelled, evidence=judge.evidence, posterior=judge.posterior, seed=seed, callback=callback
        )
        if trial is None:
            notes.append("no errors were planted, as the real tiles have no labelled test or validation tile")
        for note in notes if say is not None else ():
            say(note)  # type: ignore[misc]
        filtered = None
        if output is not None:
            filtered = write_reliable(
                scored, output, keep=keep, further=further, overwrite=overwrite, callback=callback
            )
    record = ReliabilityRecord(
        tiles=str(places.tiles),
        n_tiles=len(scored),
        mean_score=mean_score(scored),
        evidences=evidences,
        planted=None if trial is None else _planted(trial),
        filtered=filtered,
        notes=notes,
    )
    if places.json is not None:
        record.write(places.json)
    return record


def usual_output(tiles: Path) -> Path:
    """Where a filtered copy goes: `reliable.zarr` beside `tiles.zarr`, `NAME_reliable.zarr` beside `NAME.zarr`."""
    return tiles.with_name("reliable.zarr" if tiles.name == "tiles.zarr" else f"{tiles.stem}_reliable.zarr")


def reliability_places(
    inputs: Path,
    *,
    tiles: Path | None = None,
    real: Path | None = None,
    model: Path | None = None,
    json: Path | None = None,
    sampled: bool = True,
) -> Places:
    """Find what `reliability_run` is about; `sampled=False` if the tiles are yet to be drawn.

    Raises:
        RunError: something is missing.
    """
    if json is not None:
        check_writable(json.parent)
    model = None if model is None else model_folder(model)
    if (inputs / "zarr.json").is_file():
        if real is None:
            raise RunError(
                f"{inputs} is a tile set; name real tiles to judge it by with --real REAL.zarr, or give a run folder"
            )
        return Places(inputs, real, model, json)
    folder = RunFolder(inputs)
    folder.check_is_run()
    own = tiles or folder.synthetic
    if sampled and not own.exists():
        check_finished(own)
        raise RunError(f"{inputs} has no synthetic tiles; first run: specdm sample {shlex.quote(str(inputs))}")
    if real is None and not folder.tiles.exists():
        raise RunError(f"{inputs} has no real tiles ({folder.tiles}); name others with --real REAL.zarr")
    # what the report tells of is the run's own tile set
    record = folder.reliability if own == folder.synthetic else None
    return Places(own, real or folder.tiles, model or model_folder(inputs), json or record)


def checked_output(
    places: Places, keep: ReliabilityFilter, output: Path | None, *, overwrite: bool
) -> Path | None:
    """Where the filtered copy goes; None without a filter.

    Raises:
        RunError: there is no filter but an output, or it is taken, what is read, or cannot be written.
    """
    if not keep.asked:
        if output is not None:
            raise RunError(
                f"-o {output}: what shall be filtered? Give --unlabel-below, --unlabel-share or --drop-below; scores "
                f"alone go into {places.tiles}"
            )
        return None
    output = output or usual_output(places.tiles)
    if any(output.resolve() == taken.resolve() for taken in (places.tiles, places.real)):
        raise RunError(f"-o {output} is what is read, and stays as it is; choose another name")
    check_output(output, overwrite=overwrite)
    return output


def _pipeline(places: Places) -> SpecDMPipeline | None:
    from specdm.synthesis.pipeline import SpecDMPipeline

    return None if places.model is None else SpecDMPipeline.from_pretrained(places.model)


def _planted(trial: Trial) -> PlantedRecord:
    from math import isfinite

    def numbers(values: np.ndarray) -> list[float]:
        return [float(f"{value:.5g}") for value in values]

    diagram = trial.diagram
    return PlantedRecord(
        tiles=trial.tiles,
        auroc={kind: float(f"{value:.4f}") for kind, value in trial.auroc.items()},
        auroc_all=trial.auroc_all if isfinite(trial.auroc_all) else None,
        ece=trial.expected_calibration_error,
        score=numbers(diagram.score),
        right=numbers(diagram.right),
        share=numbers(diagram.share),
    )
