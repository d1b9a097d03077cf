"""The jobs that share labels and a generator, one after the other, each with a record on disk."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from specdm.errors import SpecDMError, TileError
from specdm.evaluation.usefulness.arms import ARMS, SOURCES, Portion, Source
from specdm.evaluation.usefulness.downstream import Phase, prediction, trained_network
from specdm.evaluation.usefulness.humble import humble_amounts, humble_prediction
from specdm.evaluation.usefulness.jobs import RIVALS, Grid, Group, Job
from specdm.evaluation.usefulness.judging import judged
from specdm.evaluation.usefulness.material import Material
from specdm.evaluation.usefulness.networks import build_network
from specdm.evaluation.usefulness.parts import Part, Standard, Targets
from specdm.evaluation.usefulness.sight import with_test_spectra, without_test_spectra
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.fewer_labels import FewerLabels, keep_labels
from specdm.tiles.other_values import with_values
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.writer_lock import Busy, WriterLock
from specdm.training.config import RunConfig
from specdm.version import __version__

PART_BYTES = 500_000_000
"""Most memory that the images of synthetic tiles of one source take."""

REAL_BYTES = 4_000_000_000
"""The same of real tiles, all of which the generator sees: only where they are more than memory holds."""

MOST_TOLD = 300
"""Characters of an error that is not ours."""


@dataclass(frozen=True)
class Bench:
    """What all jobs of a run share.

    Attributes:
        folder: of the benchmark, `RUN/usefulness`.
        tiles: store of the real tiles.
        model: of the run, used where the generator may see all that it saw.
        config: of the run.
        baseline: of the baseline.
        grid: what is asked for.
    """

    folder: Path
    tiles: Path
    model: Path | None
    config: RunConfig
    baseline: RunConfig
    grid: Grid

    def record_of(self, job: Job) -> Path:
        """Where a job's record is."""
        prefix = "" if self.grid.judge == "test" else "val-"
        return self.folder / "records" / f"{prefix}{job.name}.json"

    def open_jobs(self, group: Group) -> list[Job]:
        """Jobs of a group without a record."""
        return [job for job in self.grid.jobs_of(group) if not self.record_of(job).exists()]


@dataclass
class GroupBench:
    """A group of jobs.

    Attributes:
        bench: what it shares with others.
        group: which.
        say: called with a line on what begins.
    """

    bench: Bench
    group: Group
    say: Callable[[str], None] = field(default=lambda line: None)

    def run(self) -> list[str]:
        """Run what has no record; returns a line for each job that failed. Others are run all the same.

        Commands may work on the same benchmark side by side, but not on the same group: it has one generator, and what
        that draws is kept once.
        """
        lock = WriterLock(self.folder, what="specdm usefulness")
        try:
            lock.take()
        except Busy as busy:
            return [f"{self.group.name}: another process ({busy}) is at it; wait until it has ended, or stop it"]
        try:
            return [line for job in self.bench.open_jobs(self.group) if (line := self._run_job(job)) is not None]
        finally:
            lock.release()

    def _run_job(self, job: Job) -> str | None:
        self.say(job.name)
        try:
            record, predicted = self._result(job)
        except SpecDMError as error:
            return f"{job.name}: {error}"
        except Exception as error:  # a user's own network may fail in any way, and other jobs are worth having
            return f"{job.name}: {type(error).__name__}: {' '.join(str(error).split())[:MOST_TOLD]}"
        path = self.bench.record_of(job)
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_prediction(path.with_suffix(".npz"), predicted)
        # the record last: where it is, everything is
        _write_json(path, record)
        return None

    @property
    def folder(self) -> Path:
        """Of the group's generator and its tiles."""
        name = self.group.name if self.bench.grid.judge == "test" else f"val-{self.group.name}"
        return self.bench.folder / "generators" / name

    @cached_property
    def everything(self) -> TileSet:
        """All real tiles, also those of imagery that nobody labelled."""
        return open_tiles(self.bench.tiles)

    @cached_property
    def real(self) -> TileSet:
        """All real tiles of labelled scenes, with all labels."""
        return self.everything.of_labelled_scenes()

    @cached_property
    def held_out(self) -> TileSet:
        """What is judged.

        Raises:
            TileError: there is none, or it says nothing.
        """
        grid = self.bench.grid
        tiles = self.real.test if grid.judge == "test" else self.real.val
        known = tiles.masks() != UNLABELLED if tiles.layers else np.isfinite(tiles.amounts())
        if not known.any():
            raise TileError(
                f"{self.real.where} has no labelled {grid.judge} tile, so nothing can be judged; cut the tiles with a "
                "split that keeps labelled ground for it (--split)"
            )
        return tiles

    @cached_property
    def labels(self) -> FewerLabels:
        """All tiles, with the labels that are kept; where validation ground judges, it has none."""
        tiles = self.everything
        if self.bench.grid.judge == "val":
            tiles = without_labels_of(tiles, "val")
        return keep_labels(tiles, share=self.group.share, seed=self.group.seed)

    @cached_property
    def material(self) -> Material:
        """Tiles of all sources."""
        bench, group = self.bench, self.group
        tiles = self.labels.tiles
        seen = {"run": lambda t: t, "seen": with_test_spectra, "unseen": without_test_spectra}[group.sight](tiles)
        # densified tiles would bring test ground back to networks, with labels, where no generator may see it
        learnt = (seen if group.sight == "unseen" else tiles).of_labelled_scenes()
        # for the same reason no network is shown the ground that judges it
        learnt = learnt.select(np.isin(learnt.split, ("train", "val") if bench.grid.judge == "test" else ("train",)))
        seen = seen.select(np.isin(seen.split, ("train", "val")))
        self.folder.mkdir(parents=True, exist_ok=True)
        _write_json(bench.folder / "splits" / f"{self.folder.name}.json", self.labels.to_record())
        # with all labels and the run's own sight, the run's model is what would be trained
        own = bench.model if group.share == 1 and group.sight == "run" and bench.grid.judge == "test" else None
        return Material(
            labelled=learnt,
            seen=seen,
            folder=self.folder,
            config=bench.config.model_copy(update={"seed": bench.config.seed + group.seed}),
            baseline=bench.baseline.model_copy(update={"seed": bench.baseline.seed + group.seed}),
            n=bench.grid.tiles,
            seed=group.seed,
            model=own,
            device="cuda" if bench.grid.schedule.accelerator in ("cuda", "gpu") else "cpu",
            say=self.say,
        )

    @cached_property
    def targets(self) -> Targets:
        return Targets.of(self.material.labelled.train)

    @cached_property
    def standard(self) -> Standard:
        return Standard.of(self.material.labelled.train)

    def part(self, source: Source) -> Part:
        """Tiles of a source in memory; kept, since most arms share them.

        Raises:
            TileError: nothing of them is labelled.
        """
        if source not in self._parts:
            tiles, weights = self.material.tiles(source)
            each = 4 * tiles.n_dates * tiles.n_bands * tiles.size**2
            room = REAL_BYTES if source in ("real", "dense") else PART_BYTES
            part = self._parts[source] = Part.of(
                tiles, standard=self.standard, targets=self.targets, weights=weights, most=max(1, room // each),
                seed=self.group.seed,
            )  # fmt: skip
            if len(part) < part.of_tiles:
                self.say(f"{len(part)} of {part.of_tiles} {source} tiles fit into memory; networks train on these")
            if not len(self._parts[source]):
                raise TileError(
                    f"no pixel is labelled in {SOURCES[source]}; train the generator for longer, or leave out arms "
                    f"with {source!r}"
                )
        return self._parts[source]

    @cached_property
    def _parts(self) -> dict[Source, Part]:
        return {}

    def _result(self, job: Job) -> tuple[dict[str, Any], np.ndarray]:
        began = time.monotonic()
        held_out = self.held_out
        predicted = self._by_spectra(job) if job.arm in RIVALS else self._by_network(job)
        grid, labels = self.bench.grid, self.labels
        record = {
            "arm": job.arm,
            "network": job.network,
            "share": self.group.share,
            "seed": self.group.seed,
            "test_spectra": self.group.sight,
            "split": {"file": f"splits/{self.folder.name}.json", "digest": labels.digest},
            "share_kept": labels.share_kept,
            "tiles": self._tiles_of(job),
            "settings": grid.record(),
            "generator": self._generator_budget(),
            "held_out": {"tiles": len(held_out), "of": grid.judge},
            "scores": judged(held_out, predicted),
            "seconds": round(time.monotonic() - began, 1),
            "device": grid.schedule.accelerator,
            "specdm": __version__,
        }
        return record, predicted

    def _tiles_of(self, job: Job) -> dict[str, dict[str, int]]:
        """Of each source of an arm of networks, how many were trained on, and how many there are."""
        sources = ARMS[job.arm].sources if job.arm in ARMS else ()
        parts = {source: self._parts[source] for source in sources if source in self._parts}
        return {source: {"trained on": len(part), "of": part.of_tiles} for source, part in parts.items()}

    def _generator_budget(self) -> dict[str, Any]:
        """Minutes and steps of its stages, of which the first limit reached counts."""
        config = self.bench.config.model_dump(mode="json")
        stages = ("codec", "reader", "denoiser")
        limits = {stage: {key: config[stage][key] for key in ("minutes", "steps")} for stage in stages}
        return {"preset": config["preset"], **limits}

    def _by_network(self, job: Job) -> np.ndarray:
        grid, arm = self.bench.grid, ARMS[job.arm]
        channels = len(self.standard.mean)
        # the same first weights in every arm of a seed
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.group.seed)
            network = build_network(
                job.network, channels=channels, outputs=self.targets.outputs, dates=self.real.n_dates
            )
        phases = [Phase(self._parts_of(arm.before), until=0.5)] if arm.before else []
        network = trained_network(
            network,
            phases=(*phases, Phase(self._parts_of(arm.portions))),
            targets=self.targets,
            augmentation=arm.augmentation,
            schedule=replace(grid.schedule, steps=arm.longer * grid.schedule.steps),
            seed=self.group.seed,
        )
        return prediction(
            network, self.held_out, standard=self.standard, targets=self.targets, device=self.material.device
        )

    def _parts_of(self, portions: tuple[Portion, ...]) -> tuple[tuple[Part, float], ...]:
        return tuple((self.part(portion.source), portion.share) for portion in portions)

    def _by_spectra(self, job: Job) -> np.ndarray:
        train, test, seed = self.material.labelled, self.held_out, self.group.seed
        if self.targets.layers:
            return humble_prediction(job.arm, train=train, test=test, seed=seed)
        return humble_amounts(job.arm, train=train, test=test, seed=seed)


def without_labels_of(tiles: TileSet, split: str) -> TileSet:
    """Tiles of which those of a split are unlabelled."""
    changed = {}
    blank = tiles.split == split
    for name, nothing in (("mask", np.int16(UNLABELLED)), ("amount", np.float32(np.nan))):
        if name in tiles.dataset:
            values = (tiles.masks() if name == "mask" else tiles.amounts()).copy()
            values[blank] = nothing
            changed[name] = values
    return with_values(tiles, changed)


def _write_json(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


def _write_prediction(path: Path, predicted: np.ndarray) -> None:
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial.npz")
    kind = np.int16 if predicted.dtype.kind == "i" else np.float32
    np.savez_compressed(partial, predicted=predicted.astype(kind))
    os.replace(partial, path)
