"""Whether a run's synthetic tiles make a downstream model better: the whole benchmark on a run folder."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from specdm.errors import ConfigError, RunError
from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.downstream import Schedule
from specdm.evaluation.usefulness.jobs import DEFAULT_ARMS, SPECTRA, Grid
from specdm.evaluation.usefulness.judging import task_of
from specdm.evaluation.usefulness.networks import build_network, check_network_shape
from specdm.evaluation.usefulness.parts import Targets
from specdm.evaluation.usefulness.running import run_groups
from specdm.evaluation.usefulness.summary import Record, Summary, read_records, summary
from specdm.evaluation.usefulness.workbench import Bench, GroupBench
from specdm.report.machine import Device, chosen_device, usable_cores
from specdm.report.run_folder import RunFolder, check_writable
from specdm.report.usefulness_baseline import baseline_of
from specdm.report.usefulness_files import write_files
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.training.config import RunConfig, read_config

USUAL = Schedule()

READ_OFF = {"dense", "read", "sure", "balanced", "varied"}
"""Sources that need a model which reads masks off images."""


def usefulness(
    run: str | Path,
    *,
    arms: Sequence[str] = DEFAULT_ARMS,
    networks: Sequence[str] | None = None,
    shares: Sequence[float] = (1.0, 0.1),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    test_spectra: Sequence[str] = ("run",),
    tiles: int = 256,
    steps: int = USUAL.steps,
    batch_size: int = USUAL.batch_size,
    learning_rate: float = USUAL.learning_rate,
    device: Device = "auto",
    processes: int = 1,
    threads: int = 1,
    judge: Literal["test", "val"] = "test",
    say: Callable[[str], None] = print,
) -> Summary:
    """Train the same downstream network on different tiles, and judge it on untouched ground.

    Every job leaves a record in `RUN/usefulness/records`; what has one is not done again. Table, summary and pictures
    are written of all records that are there.

    Args:
        run: folder of `specdm train`; its tiles are enough. Its model is used where the generator may be the run's own
            (all labels, what the run's tiles show), else generators are trained with the run's configuration.
        arms: what networks are trained on: keys of `specdm.evaluation.usefulness.arms.ARMS`, and "svm" and "forest".
        networks: see `build_network`: ours by name, or `package.module:function`. Default: "unet", for change
            "siamese".
        shares: of the labels, above 0 to 1.
        seeds: of the choice of labels, the generator, its draws and the networks.
        test_spectra: what the generator sees of test ground beside labels: some of "run", "seen", "unseen".
        tiles: synthetic tiles of each kind.
        steps, batch_size, learning_rate: of every network.
        device: "auto" takes a GPU if there is one.
        processes: groups of jobs side by side. They are spawned: a script needs `if __name__ == "__main__":`.
        threads: of torch in each; networks so small gain more from processes.
        judge: "test"; or "val", to choose a policy without touching test ground.
        say: called with a line on what begins.

    Returns:
        What all records of the run say.

    Raises:
        ConfigError: an arm, network, share or device that cannot be.
        TileError: no labelled tile to judge on.
        RunError: no run folder, or one with records of other settings; or some jobs have failed, others are done.
    """
    folder = RunFolder(Path(run))
    folder.check_is_run()
    if not folder.tiles.exists():
        raise RunError(f"{run} has no tiles yet; first run: specdm train {shlex.quote(str(run))}")
    check_writable(folder.usefulness)
    _check_machine(processes, threads)
    real = open_tiles(folder.tiles)
    labelled = real.of_labelled_scenes()
    accelerator = chosen_device(device)
    grid = Grid(
        arms=tuple(arms),
        networks=tuple(networks or (("siamese",) if task_of(labelled) == "change" else ("unet",))),
        shares=tuple(float(share) for share in shares),
        seeds=tuple(seeds),
        sights=tuple(test_spectra),
        tiles=tiles,
        schedule=Schedule(steps=steps, batch_size=batch_size, learning_rate=learning_rate, accelerator=accelerator),
        judge=judge,
    )
    config = _on(read_config(folder.config), accelerator)
    bench = Bench(
        folder=folder.usefulness,
        tiles=folder.tiles,
        model=folder.model if folder.model.is_dir() else None,
        config=config,
        baseline=baseline_of(config),
        grid=grid,
    )
    held_out = GroupBench(bench, grid.groups()[0]).held_out
    _check_same(read_records(bench.folder / "records", judge=judge), grid, bench.folder, n=len(held_out))
    _check_arms(bench, run=str(run))
    _check_networks(bench, labelled)
    failed = run_groups(bench, processes=processes, threads=threads, say=say)
    records = read_records(bench.folder / "records", judge=judge)
    if failed and not records:
        raise RunError(f"{_failures(failed)}; nothing is done yet")
    found = summary(records)
    write_files(bench.folder, found, records, real=real, judge=judge)
    if failed:
        raise RunError(
            f"{_failures(failed)}; what is done is in {bench.folder}, and the same call tries again what is not"
        )
    return found


def _failures(failed: list[str]) -> str:
    if len(failed) == 1:
        return f"a job failed, {failed[0]}"
    return f"{len(failed)} jobs failed, the first of them {failed[0]}"


def _check_machine(processes: int, threads: int) -> None:
    for name, value in (("processes", processes), ("threads", threads)):
        if value < 1:
            raise ConfigError(f"{name} is {value}; expected at least 1")


def usual_processes(device: str) -> int:
    """One for each core that this process may use; one with a GPU, which all would share."""
    return 1 if chosen_device(device) == "cuda" else usable_cores()


def _on(config: RunConfig, accelerator: str) -> RunConfig:
    machine = config.training.model_copy(update={"accelerator": accelerator, "devices": 1, "strategy": "auto"})
    return config.model_copy(update={"training": machine})


def _check_same(records: list[Record], grid: Grid, folder: Path, *, n: int) -> None:
    """Raise RunError if records were made in another way: they would stand in one table, and cannot."""
    wanted = grid.record()
    for record in records:
        there = {**record["settings"], "held-out tiles": record["held_out"]["tiles"]}
        for name, value in {**wanted, "held-out tiles": n}.items():
            if there.get(name) != value:
                raise RunError(
                    f"{folder} has records of other settings: {name.replace('_', ' ')} {there.get(name)!r} there, "
                    f"{value!r} now ({Path(record['path']).name}); ask for the same, or remove {folder / 'records'} to "
                    "begin anew"
                )


def _check_arms(bench: Bench, *, run: str) -> None:
    """Raise RunError if an arm wants what a model without a reader cannot do."""
    if not bench.config.codec.together:
        return
    able = [name for name in bench.grid.arms if name not in ARMS or not READ_OFF & set(ARMS[name].sources)]
    if unable := [name for name in bench.grid.arms if name not in able]:
        raise RunError(
            f"{run} is of preset ldm, whose model reads no masks off images, as {', '.join(unable)} would need; choose "
            "other arms, such as real,real+drawn"
        )


def _check_networks(bench: Bench, tiles: TileSet) -> None:
    """Build every network that will be trained, so that a mistake costs no training of generators.

    Raises:
        ConfigError: one that cannot be built, or does not fit the tiles.
    """
    todo = [job.network for group in bench.grid.groups() for job in bench.open_jobs(group)]
    channels, outputs = tiles.n_dates * tiles.n_bands, Targets.of(tiles.train).outputs
    for name in dict.fromkeys(todo):
        if name != SPECTRA:
            network = build_network(name, channels=channels, outputs=outputs, dates=tiles.n_dates)
            check_network_shape(network, channels=channels, outputs=outputs, size=tiles.size)
