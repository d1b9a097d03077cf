"""Benches of eight tiles, and what their jobs have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tiny_tiles import amount_tiles, class_tiles

from specdm.evaluation.usefulness.downstream import Schedule
from specdm.evaluation.usefulness.jobs import Grid, Group, Job
from specdm.evaluation.usefulness.workbench import Bench
from specdm.tiles.tileset import TileSet
from specdm.training.config import load_config

SIZE = 8
SPLIT = ["train"] * 4 + ["val"] * 2 + ["test"] * 2
PLACES = [(0, 0), (0, 8), (0, 16), (8, 16), (16, 8), (16, 0), (12, 12), (12, 28)]
"""The first test tile lies across training and validation tiles, as tiles of policy "spectra_seen" may."""

TWO_STEPS = Schedule(steps=2, batch_size=4)
RUN = Group(1.0, 0, "run")


def field(*, task: str = "segmentation", policy: str = "left_out", other: str | None = None) -> TileSet:
    """Eight tiles of two classes (or a height) that their spectra tell, with gaps; one class for the other in a
    split."""
    random = np.random.default_rng(0)
    roof = random.random((8, 1, SIZE, SIZE)) < 0.4
    images = random.normal(0, 0.5, (8, 1, 3, SIZE, SIZE)) + np.where(roof, 2, 0)[:, :, None]
    known = random.random(roof.shape) < 0.7
    labels = roof ^ (np.array(SPLIT) == other)[:, None, None, None]
    facts: dict[str, Any] = {
        "images": images, "split": SPLIT, "source": "field", "window_y": [y for y, _ in PLACES],
        "window_x": [x for _, x in PLACES], "attrs": {"pixel_policy": policy},
    }  # fmt: skip
    if task == "regression":
        return amount_tiles(np.where(known, np.where(labels, 9.0, 4.0) + images[:, :, 1] / 10, np.nan), **facts)
    return class_tiles(np.where(known, np.where(labels, 7, 3), -1), **facts)


class Benches:
    """Benches in folders of their own.

    Args:
        folder: of them all.
        settings: of their models.
    """

    def __init__(self, folder: Path, settings: dict[str, object]) -> None:
        self.folder, self.config = folder, load_config(overrides=settings)

    def __call__(self, tiles: TileSet, name: str = "bench", *, model: Path | None = None, **grid: Any) -> Bench:
        """A bench of these tiles, two steps and two arms; what an earlier one of this name has done is there."""
        folder = self.folder / name
        if not folder.exists():
            tiles.save(folder / "tiles.zarr")
        asked = Grid(**({"arms": ("real", "svm"), "seeds": (0,), "shares": (1.0,), "schedule": TWO_STEPS} | grid))
        return Bench(folder / "usefulness", folder / "tiles.zarr", model, self.config, self.config, asked)


def job(arm: str, group: Group = RUN) -> Job:
    return Job(arm, "spectra" if arm == "svm" else "unet", group)


def record_of(bench: Bench, arm: str, group: Group = RUN) -> dict[str, Any]:
    """A record without what differs from call to call."""
    record = json.loads(bench.record_of(job(arm, group)).read_text())
    return {key: value for key, value in record.items() if key != "seconds"}


def predicted_of(bench: Bench, arm: str) -> np.ndarray:
    return np.load(bench.record_of(job(arm)).with_suffix(".npz"))["predicted"]


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """All files with the time of their last change."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*")) if path.is_file()
    }  # fmt: skip
