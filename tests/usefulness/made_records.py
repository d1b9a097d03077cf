"""Records as jobs write them, with scores that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from specdm.evaluation.usefulness.jobs import RIVALS, Group, Job
from specdm.evaluation.usefulness.judging import judged
from specdm.tiles.tileset import TileSet

SETTINGS = {
    "tiles": 64, "judge": "test", "steps": 300, "batch_size": 16, "learning_rate": 0.001, "weight_decay": 0.01,
}  # fmt: skip

Scores = Mapping[str, Sequence[float | None]]
"""Main scores by seed of every arm; None for a score that the pixels do not define."""


def make_record(
    job: Job,
    main: float | None,
    *,
    task: str = "segmentation",
    settings: Mapping[str, object] = SETTINGS,
    tiles: int = 1,
) -> dict:
    """A record without a prediction, whose classes all have the main score."""
    one = {"iou": main, "f1": main, "precision": main, "recall": main, "pixels": 10}
    return {
        "arm": job.arm,
        "network": job.network,
        "share": job.group.share,
        "seed": job.group.seed,
        "test_spectra": job.group.sight,
        "split": {"file": f"splits/{job.group.name}.json", "digest": "0" * 12},
        "share_kept": min(1.0, job.group.share * 1.02),
        "settings": dict(settings),
        "held_out": {"tiles": tiles, "of": settings["judge"]},
        "scores": {"task": task, "main": main, "overall_accuracy": main, "classes": {"grass": one, "water": one}},
        "seconds": 1.0,
        "device": "cpu",
        "specdm": "0",
    }


def jobs_of(
    scores: Scores, *, network: str = "unet", share: float = 1.0, sight: str = "run"
) -> list[tuple[Job, float | None]]:
    """Every arm and seed with its main score."""
    return [
        (Job(arm, "spectra" if arm in RIVALS else network, Group(share, seed, sight)), main)
        for arm, values in scores.items()
        for seed, main in enumerate(values)
    ]


def make_records(
    scores: Scores, *, network: str = "unet", share: float = 1.0, sight: str = "run", **facts
) -> list[dict]:
    """Records in memory."""
    return [make_record(job, main, **facts) for job, main in jobs_of(scores, network=network, share=share, sight=sight)]


def write_records(folder: Path, records: Sequence[dict]) -> None:
    """Records as files, without predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    for record in records:
        job = Job(record["arm"], record["network"], Group(record["share"], record["seed"], record["test_spectra"]))
        (folder / f"{job.name}.json").write_text(json.dumps(record))


def write_predictions(
    folder: Path, held_out: TileSet, errors: Scores, *, network: str = "unet", share: float = 1.0, sight: str = "run"
) -> None:
    """Records with predictions: the truth, of which a share of the pixels (by arm and seed) is wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for job, wrong in jobs_of(errors, network=network, share=share, sight=sight):
        predicted = _wrong(held_out, float(wrong or 0.0), random)
        record = make_record(job, None, tiles=len(held_out)) | {"scores": judged(held_out, predicted)}
        path = folder / f"{job.name}.json"
        path.write_text(json.dumps(record))
        np.savez_compressed(path.with_suffix(".npz"), predicted=predicted)


def _wrong(held_out: TileSet, share: float, random: np.random.Generator) -> np.ndarray:
    if held_out.quantities is not None and not held_out.layers:
        amounts = np.nan_to_num(held_out.amounts(), nan=0.5)
        return (amounts + random.normal(0, share, amounts.shape)).astype(np.float32)
    assert held_out.classes is not None
    truth = np.maximum(held_out.classes.index_of(held_out.masks()), 0)
    other = random.integers(0, len(held_out.classes), truth.shape)
    return np.where(random.random(truth.shape) < share, other, truth).astype(np.int16)
