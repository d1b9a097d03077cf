"""kill -9 at random moments: sampling and training that go on end as if nothing had happened.

    python benchmarks/kills.py [--sampling 100] [--training 20] [--minutes 10] [--work runs/kills]

A command runs in a process of its own, is killed at a moment drawn evenly over the time that it takes without a break,
and is given again, up to some kills; then it runs to its end, and what it has written is compared with what was written
without a break. Goes on until so many kills are done or the time is over; a later call adds to the record. Processes
are forked from one that has imported everything, so that kills hit the work and not imports. The record goes to
results/kills.json, the table to results/kills.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bars import HERE, RESULTS

TESTS = HERE.parent / "tests"
RECORD = RESULTS / "kills.json"
CHUNK = 4
"""Tiles of a file: many pieces in few seconds."""

MOST_KILLS = 6
"""Of one trial, before it runs to its end."""

SAMPLING = ("-n", "90", "--seed", "3", "--batch-size", "7", "--steps", "2")
CHECKPOINT_SECONDS = 0.3
LEAST_SECONDS = 1.0

FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    ["specdm.synthesis.pipeline", "specdm.synthesis.fit", "specdm.tiles.resumable_writer", "specdm.report.workflow"]
)


@dataclass
class Trial:
    """What became of one set, or one model.

    Attributes:
        kind: "sampling" or "training".
        kills: how often it was killed.
        moments: when, in parts of the time it takes without a break.
        there: how much was there after each kill: tiles, or files of the run.
        equal: whether it ended as one that was not killed.
        difference: largest difference: of images, or of weights.
        refused: sampling: after every kill the unfinished set was not opened, and the error said how much is there.
    """

    kind: str
    kills: int
    moments: list[float]
    there: list[int]
    equal: bool
    difference: float
    refused: bool


def command(arguments: list[str]) -> None:
    """In a process of its own: `specdm ARGUMENTS`, with small pieces."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    import torch

    import specdm.tiles.writer
    from specdm.cli.main import run

    torch.set_num_threads(1)
    specdm.tiles.writer.CHUNK_TILES = CHUNK
    run(arguments)


def finished(*arguments: object) -> float:
    """Run a command to its end; seconds it took."""
    began = time.monotonic()
    process = FORKING.Process(target=command, args=([str(argument) for argument in arguments],))
    process.start()
    process.join()
    if process.exitcode != 0:
        sys.exit(f"specdm {' '.join(map(str, arguments))}: exit code {process.exitcode}")
    return time.monotonic() - began


def killed(*arguments: object, after: float) -> float | None:
    """Run a command and kill it after some seconds; how long it took if it was over before that."""
    began = time.monotonic()
    process = FORKING.Process(target=command, args=([str(argument) for argument in arguments],))
    process.start()
    process.join(after)
    took = None if process.is_alive() else time.monotonic() - began
    process.kill()
    process.join()
    return took


def nothing() -> None:
    """The first process waits until the server has imported everything."""


class Sampling:
    """`specdm sample` of a little run."""

    kind = "sampling"

    def __init__(self, work: Path, run: Path) -> None:
        self.work, self.run, self.whole = work, run, work / "whole.zarr"
        self.seconds = finished("sample", run, *SAMPLING, "-o", self.whole, "--overwrite")

    def arguments(self, number: int) -> list[object]:
        return ["sample", self.run, *SAMPLING, "-o", self.path(number)]

    def path(self, number: int) -> Path:
        return self.work / f"killed_{number}.zarr"

    def done(self, number: int) -> bool:
        return self.path(number).exists()

    def there(self, number: int) -> int:
        from specdm.tiles.unfinished import Plan, tiles_there, unfinished_folder

        plan = Plan.read(folder := unfinished_folder(self.path(number)))
        return 0 if plan is None else tiles_there(folder, plan)

    def refused(self, number: int) -> bool:
        from specdm.errors import TileError
        from specdm.tiles.store import open_tiles

        if self.path(number).exists():
            return len(open_tiles(self.path(number))) == int(SAMPLING[1])
        try:
            open_tiles(self.path(number))
        except TileError as error:
            return f"{self.there(number)} of {SAMPLING[1]} tiles are there" in str(error) or self.there(number) == 0
        return False

    def compared(self, number: int) -> tuple[bool, float]:
        from specdm.tiles.store import open_tiles

        one, other = open_tiles(self.path(number)), open_tiles(self.whole)
        same = all(np.array_equal(one.dataset[name], other.dataset[name]) for name in other.dataset.coords)
        same &= one.dataset.coords.keys() == other.dataset.coords.keys()
        same &= np.array_equal(one.masks(), other.masks()) and len(one) == len(other)
        difference = float(np.abs(one.images() - other.images()).max() / np.abs(other.images()).mean())
        return same and difference <= 1e-4 and not self.leftovers(number), difference

    def leftovers(self, number: int) -> list[Path]:
        return [path for path in self.work.glob(f"*killed_{number}.zarr*") if path != self.path(number)]

    def clear(self, number: int) -> None:
        shutil.rmtree(self.path(number))


class Training:
    """`specdm train` of a little scene."""

    kind = "training"

    def __init__(self, work: Path) -> None:
        sys.path.insert(0, str(TESTS))
        from conftest import LITTLE_SETTINGS
        from little_scenes import make_little_scene

        from specdm.training.config import load_config

        self.work, self.run = work, work / "run"
        scene = make_little_scene()
        image, mask = scene.window(0, 0, scene.height, scene.width)
        np.save(work / "image.npy", np.moveaxis(image[0], 0, -1))
        np.save(work / "mask.npy", mask[0])
        settings = LITTLE_SETTINGS | {"training.checkpoint_seconds": CHECKPOINT_SECONDS}
        (work / "little.yaml").write_text(load_config(overrides=settings).to_yaml())
        shutil.rmtree(self.run, ignore_errors=True)
        self.seconds = finished(*self._begin(self.run))

    def _begin(self, run: Path) -> list[object]:
        given = [self.work / "image.npy", "--mask", self.work / "mask.npy", "--config", self.work / "little.yaml"]
        return ["train", *given, "-o", run]

    def arguments(self, number: int) -> list[object]:
        run = self.path(number)
        return ["train", run] if (run / "config.yaml").exists() else self._begin(run)

    def path(self, number: int) -> Path:
        return self.work / f"run_{number}"

    def done(self, number: int) -> bool:
        return (self.path(number) / "model").exists()

    def there(self, number: int) -> int:
        return sum(path.is_file() for path in self.path(number).rglob("*"))

    def refused(self, number: int) -> bool:
        return True

    def compared(self, number: int) -> tuple[bool, float]:
        found, expected = _weights(self.path(number) / "model"), _weights(self.run / "model")
        if found.keys() != expected.keys():
            return False, float("inf")
        difference = max(float(np.abs(found[name] - expected[name]).max(initial=0.0)) for name in expected)
        close = all(np.allclose(found[name], expected[name], rtol=1e-4, atol=1e-6) for name in expected)
        return close, difference

    def clear(self, number: int) -> None:
        shutil.rmtree(self.path(number))


def _weights(model: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    found = {}
    for file in sorted(model.glob("*/*.safetensors")):
        found |= {f"{file.parent.name}.{name}": value for name, value in load_file(file).items()}
    return found


def trial(task: Sampling | Training, number: int, *, moments: random.Random, kills: int) -> Trial:
    """Kill at random moments, let it end, compare."""
    found = Trial(task.kind, 0, [], [], False, float("nan"), True)
    while found.kills < min(kills, MOST_KILLS) and not task.done(number):
        moment = moments.uniform(0, 1)
        if (took := killed(*task.arguments(number), after=moment * task.seconds)) is not None:
            # less was left, or the machine is less busy: later kills come sooner
            task.seconds = max(took, LEAST_SECONDS)
            break
        found.kills += 1
        found.moments.append(round(moment, 3))
        found.there.append(task.there(number))
        found.refused &= task.refused(number)
    if not task.done(number) or task.kind == "sampling":
        finished(*task.arguments(number))
    found.equal, found.difference = task.compared(number)
    if found.equal:
        task.clear(number)
    return found


def table(trials: list[dict[str, Any]], machine: dict[str, Any]) -> str:
    """The record in Markdown."""
    lines = [
        "# Kills",
        "",
        f"`benchmarks/kills.py`, {machine['cores']} cores, one thread, other work on the machine. kill -9 at moments",
        "drawn evenly over the time that the command takes without a break; at most "
        f"{MOST_KILLS} in a row, then it runs to its end.",
        "",
        "| | kills | trials | end as without a break | largest difference | unfinished set refused, with its count |",
        "|---|---|---|---|---|---|",
    ]
    for kind in ("sampling", "training"):
        own = [trial for trial in trials if trial["kind"] == kind]
        if own:
            refused = f"{sum(t['refused'] for t in own)} of {len(own)}" if kind == "sampling" else "-"
            kills, equal = sum(t["kills"] for t in own), sum(t["equal"] for t in own)
            lines.append(
                f"| {kind} | {kills} | {len(own)} | {equal} of {len(own)} "
                f"| {max(t['difference'] for t in own):.2g} | {refused} |"
            )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sampling", type=int, default=100, help="kills of sampling in the record, earlier ones too")
    parser.add_argument("--training", type=int, default=20, help="kills of training")
    parser.add_argument("--minutes", type=float, default=10.0, help="no trial is begun after so long")
    parser.add_argument("--work", type=Path, default=Path("runs/kills"))
    parser.add_argument("--seed", type=int, default=None, help="of the moments; default: another one each call")
    options = parser.parse_args()
    began = time.monotonic()
    shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True)
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"trials": []}
    moments = random.Random(options.seed if options.seed is not None else len(record["trials"]))
    first = FORKING.Process(target=nothing)
    first.start()
    first.join()
    training = Training(options.work)
    tasks: list[Sampling | Training] = [Sampling(options.work, training.run), training]
    wanted = {"sampling": options.sampling, "training": options.training}
    number = 0
    while time.monotonic() - began < 60 * options.minutes:
        done = {kind: sum(t["kills"] for t in record["trials"] if t["kind"] == kind) for kind in wanted}
        left = [task for task in tasks if done[task.kind] < wanted[task.kind]]
        if not left:
            break
        # the kind that is further from its number
        task = min(left, key=lambda task: done[task.kind] / wanted[task.kind])
        found = trial(task, number, moments=moments, kills=wanted[task.kind] - done[task.kind])
        number += 1
        print(json.dumps(asdict(found)), flush=True)
        record["trials"].append(asdict(found))
        record["machine"] = {"cores": os.cpu_count()}
        record["commands"] = {"sampling": " ".join(SAMPLING), "pieces of tiles": CHUNK}
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
        (RESULTS / "kills.md").write_text(table(record["trials"], record["machine"]))


if __name__ == "__main__":
    main()
