"""The stages of a run, each going on from what the run folder holds."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.evaluation.networks import EFFICIENTNET, check_network
from specdm.report.file_prints import changed_file, full_print_of
from specdm.report.run_folder import RunFolder, check_writable, model_folder, write_text
from specdm.report.sample_record import check_finished
from specdm.report.scene_source import SceneSource, read_source
from specdm.tiles.leftovers import sweep_leftovers

if TYPE_CHECKING:
    import torch

    from specdm.evaluation import Evaluation
    from specdm.tiles.tileset import TileSet
    from specdm.training.config import RunConfig

Progress = Callable[[int, int], None]

FILES = "files"
"""Key of `source.yaml`: what tells whether the files are still those that tiles were cut from, by path."""

TIMED_TILES = 64
MEASURED_ONCE = ("training.seconds", f"sampling.seconds_for_{TIMED_TILES}", "memory.peak_gb")
"""Figures that only a demonstration or a benchmark measures: judging the tiles anew does not know them."""


def prepare_tiles(run: Path, source: SceneSource, *, config: RunConfig, command: str | None = None) -> TileSet:
    """The real tiles of a run: opened if they are there, else cut from the source.

    Args:
        run: run folder; made if need be, but only when nothing else can go wrong any more.
        source: what to cut.
        config: how to cut; its section `tiles` and its seed.
        command: what the user typed, for the report.

    Raises:
        RunError: the folder cannot be written to, holds something else, or a run of other data or tiles.
        SpecDMError: the source cannot be opened or tiled.
    """
    from specdm.tiles.store import open_tiles

    folder = RunFolder(run)
    folder.check_can_hold_run()
    # under another name until their origin is written: killed between the two, a run would hold tiles of unknown origin
    cut = folder.tiles.with_name("cut.zarr")
    sweep_leftovers(cut)
    wanted = {**source.record(), "tiles": config.tiles.model_dump(mode="json"), "seed": config.seed}
    if folder.source.is_file():
        _check_same(folder, wanted)
        if folder.tiles.exists():
            return open_tiles(folder.tiles)
    elif folder.tiles.exists():
        raise RunError(
            f"{folder.tiles} is there but {folder.source} is not; choose another folder or remove it"
        )
    options = config.tiles.model_dump(exclude_none=True)
    shutil.rmtree(cut, ignore_errors=True)
    _, files = source.tiles(**options, seed=config.seed, path=cut)
    prints = {str(file.resolve()): full_print_of(file) for file in files}
    write_text(folder.source, _yaml({"command": command, **wanted, FILES: prints}))
    if not folder.config.exists():
        write_text(folder.config, config.to_yaml())
    os.replace(cut, folder.tiles)
    return open_tiles(folder.tiles)


def evaluate_run(
    run: Path,
    *,
    json: Path | None = None,
    seed: int = 0,
    extra: Mapping[str, float] | None = None,
    network: str | torch.nn.Module | None = EFFICIENTNET,
) -> Evaluation:
    """Compare a run's synthetic tiles with its real ones and write `evaluation.json`.

    What the run cost (`MEASURED_ONCE`) is kept from the file that was there.

    Args:
        run: run folder.
        json: file for the figures; default: that of the run folder.
        seed: of what is drawn at random.
        extra: further figures to write beside the measured ones.
        network: image network, as that of `evaluate`.

    Raises:
        ConfigError: the image network is unknown.
        RunError: something is missing in the folder, or the file cannot be written.
    """
    check_network(network)
    folder = RunFolder(run)
    folder.check_is_run()
    model = model_folder(run)
    _check_synthetic(folder)
    return evaluate_tile_sets(
        folder.tiles,
        folder.synthetic,
        model=model,
        json=json or folder.evaluation,
        seed=seed,
        extra={**_measured_once(folder.evaluation), **(extra or {})},
        network=network,
    )


def evaluate_tile_sets(
    real: Path,
    synthetic: Path,
    *,
    model: Path | None = None,
    json: Path | None = None,
    seed: int = 0,
    extra: Mapping[str, float] | None = None,
    network: str | torch.nn.Module | None = EFFICIENTNET,
) -> Evaluation:
    """Compare two tile sets; see `evaluate_run`.

    Raises:
        ConfigError: the image network is unknown.
        TileError: one of them cannot be opened.
        ModelError: the model cannot be loaded.
        RunError: the file cannot be written.
    """
    from specdm.evaluation import evaluate
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.store import open_tiles

    check_network(network)
    if json is not None:
        check_writable(json.parent)
    real_tiles, synthetic_tiles = open_tiles(real), open_tiles(synthetic)
    pipeline = None if model is None else SpecDMPipeline.from_pretrained(model)
    evaluation = evaluate(synthetic_tiles, real=real_tiles, model=pipeline, seed=seed, network=network)
    evaluation.metrics.update(extra or {})
    if json is not None:
        evaluation.to_json(json)
    return evaluation


def report_run(
    run: Path,
    *,
    output: Path | None = None,
    evaluation: Evaluation | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Write the report of a run and return its path.

    Args:
        run: run folder.
        output: HTML file; default: that of the run folder.
        evaluation: if it is at hand; default: that of the run folder, made anew if it is of other tiles.
        say: is told when it is made anew.

    Raises:
        RunError: something is missing in the folder, or the file cannot be written.
    """
    from specdm.report import write_report
    from specdm.tiles.store import open_tiles

    folder = RunFolder(run)
    folder.check_is_run()
    path = output or folder.report
    check_writable(path.parent)
    _check_synthetic(folder)
    real, synthetic = open_tiles(folder.tiles), open_tiles(folder.synthetic)
    return write_report(
        path,
        real=real,
        synthetic=synthetic,
        evaluation=evaluation or _current_evaluation(folder, real, synthetic, say=say),
        run=run,
        command=read_source(folder.source).get("command"),
        config_yaml=folder.config.read_text(encoding="utf-8"),
    )


def _check_synthetic(folder: RunFolder) -> None:
    check_finished(folder.synthetic)
    if not folder.synthetic.exists():
        run = shlex.quote(str(folder.path))
        raise RunError(f"{folder.path} has no synthetic tiles; first run: specdm sample {run}")


def _current_evaluation(
    folder: RunFolder, real: TileSet, synthetic: TileSet, *, say: Callable[[str], None]
) -> Evaluation:
    from specdm.evaluation import Evaluation
    from specdm.tiles.fingerprint import fingerprint

    seed = 0
    if folder.evaluation.is_file():
        there = Evaluation.from_json(folder.evaluation)
        if there.prints == {"real": fingerprint(real), "synthetic": fingerprint(synthetic)}:
            return there
        seed = int(there.settings.get("seed", 0))
        say(f"{folder.evaluation} is not of the tiles that are there now: these are evaluated anew")
    return evaluate_run(folder.path, seed=seed)


def _measured_once(path: Path) -> dict[str, float]:
    from specdm.errors import SpecDMError
    from specdm.evaluation import Evaluation

    try:
        there = Evaluation.from_json(path).metrics
    except SpecDMError:  # none yet, or a damaged one that is about to be replaced
        return {}
    return {key: value for key in MEASURED_ONCE if (value := there.get(key)) is not None}


def _check_same(folder: RunFolder, wanted: Mapping[str, Any]) -> None:
    """Raise RunError, naming the first difference, if the run was made from something else."""
    record = read_source(folder.source)
    prints = record.pop(FILES, {})
    there, asked = _flat(record), _flat(wanted)
    there.pop("command", None)
    for key in sorted(there.keys() | asked.keys()):
        if there.get(key) != asked.get(key):
            raise RunError(
                f"{folder.path} is a run of another configuration: {key} is {there.get(key)!r} there, "
                f"{asked.get(key)!r} is asked for; choose another folder with -o"
            )
    if (changed := changed_file(prints)) is not None:
        raise RunError(
            f"{changed} has changed since {folder.path} was made of it; choose another folder with -o to begin anew, "
            "or put the file back as it was"
        )


def _yaml(record: Mapping[str, Any]) -> str:
    import yaml

    return yaml.safe_dump(dict(record), sort_keys=False, allow_unicode=True)


def _flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        flat |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
