"""What `specdm train` is asked for, before anything is written: a new run, or one to go on with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.budget import budget_overrides
from specdm.report.run_folder import RunFolder
from specdm.report.scene_source import SceneSource, option_flag, read_source
from specdm.report.workflow import prepare_tiles

if TYPE_CHECKING:
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.tileset import TileSet
    from specdm.training.config import RunConfig
    from specdm.training.ranks import Ranks


@dataclass(frozen=True)
class RunPlan:
    """A run to be made or gone on with.

    Attributes:
        run: run folder.
        source: what its tiles are cut from.
        config: everything else.
        command: what the user typed, for the report.
    """

    run: Path
    source: SceneSource
    config: RunConfig
    command: str | None

    @property
    def model(self) -> Path:
        """Where the trained pipeline will be."""
        return RunFolder(self.run).model

    @contextmanager
    def together(self) -> Iterator[Ranks]:
        """The processes that train together, joined in a block around what they do; none but they writes into the run.

        Raises:
            RunError: another process is writing into the run folder, or it cannot be written to.
            ConfigError, TrainingError: as `specdm.training.ranks.together`.
        """
        from specdm.training.ranks import together
        from specdm.training.run_lock import run_lock

        with together(self.config.training) as ranks:
            if ranks.first:
                RunFolder(self.run).check_can_hold_run()
            with run_lock(self.run, what="specdm train", ranks=ranks):
                yield ranks

    def tiles(self, ranks: Ranks) -> TileSet:
        """The real tiles, cut now by the first process if they are not there; raises as `prepare_tiles`."""
        from specdm.tiles.store import open_tiles

        tiles = None
        if ranks.first:
            tiles = prepare_tiles(self.run, self.source, config=self.config, command=self.command)
        ranks.wait_for(RunFolder(self.run).tiles)
        return tiles if tiles is not None else open_tiles(RunFolder(self.run).tiles)

    def train(self, tiles: TileSet) -> SpecDMPipeline:
        """Train, or go on from the last checkpoint; raises as `train_run`."""
        from specdm.synthesis.fit import train_run

        return train_run(self.run, tiles=tiles, config=self.config)


def plan_run(
    inputs: Sequence[Path],
    *,
    output: Path | None = None,
    scene: Mapping[str, Any] | None = None,
    unlabelled: Sequence[str] = (),
    preset: str | None = None,
    file: Path | None = None,
    settings: Mapping[str, Any] | None = None,
    minutes: float | None = None,
    steps: int | None = None,
    command: str | None = None,
) -> RunPlan:
    """Tell a new run from one to go on with, and resolve its configuration.

    Args:
        inputs: images or folders of images, or an embedded scene's name; or one run folder alone.
        output: run folder of a new run.
        scene: options of `open_scene`.
        unlabelled: imagery without labels that joins training: files, folders or patterns.
        preset, file, settings: as `load_config`; `settings` has dotted keys.
        minutes, steps: budget, see `budget_overrides`.
        command: what the user typed.

    Raises:
        RunError: no output for a new run, scene options for a run that has its scene, or no such imagery.
        ConfigError: a setting that is not known or out of range.
    """
    from specdm.training.config import load_config

    settings = dict(settings or {})
    begun = RunFolder(inputs[0]) if len(inputs) == 1 and output is None else None
    if begun is not None and begun.is_run():
        fixed = [option_flag(option) for option in scene or {}]
        given = {"--unlabelled": unlabelled, "--preset": preset, "--config": file}
        fixed += [flag for flag, value in given.items() if value]
        if fixed:
            raise RunError(
                f"{begun.path} is a run folder with its own scene and preset; leave {fixed[0]} out, or begin a new run "
                "with the image and -o"
            )
        record = read_source(begun.source)
        source = SceneSource.from_record(record, where=begun.source)
        run, command = begun.path, record.get("command")
        base: Path | None = begun.config
        preset = "tiny"  # the file names the run's own
    else:
        if output is None:
            raise RunError(
                f"{inputs[0]} is no run folder; to begin a run say where its folder shall be, "
                "such as -o runs/mine"
            )
        source = SceneSource.of(inputs, scene or {}, unlabelled=unlabelled)
        run, base, preset = output, file, preset or "tiny"
    config = load_config(preset=preset, file=base, overrides=settings)
    budget = budget_overrides(config, minutes=minutes, steps=steps)
    if budget:
        config = load_config(preset=preset, file=base, overrides={**settings, **budget})
    return RunPlan(run=run, source=source, config=config, command=command)
