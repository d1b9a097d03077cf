"""Sampling from a run: new tiles, or given ones completed, written as they come; killed, it goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from specdm.errors import RunError
from specdm.report.machine import Device, chosen_device
from specdm.report.run_folder import RunFolder, check_has_model, model_folder
from specdm.report.sample_question import Question, given_line
from specdm.report.sample_record import (
    TILES,
    check_sampling_output,
    has_all,
    sampling_record,
    sweep_finished,
)
from specdm.report.sample_writing import Drawing, Engine, Progress, coord_blocks, copy_into, draw_into, windows_of

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

N_TILES = 256
"""Tiles of a set where nothing is given and nothing else is said."""


def sample_run(
    run: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    question: Question | None = None,
    output: Path | None = None,
    batch_size: int = 32,
    overwrite: bool = False,
    shard: str | None = None,
    engine: Engine = "local",
    ray_address: str | None = None,
    device: Device = "auto",
    again: str | None = None,
    callback: Progress | None = None,
    say: Callable[[str], None] | None = None,
    **drawing: Any,
) -> TileSet:
    """Sample tiles and write them as they come, in bounded memory.

    A call that was killed goes on where it was, by the same call; the tile set appears when it is whole. What was drawn
    by the same model, seed and options stays: a finished set is left as it is, or grows to a larger `n`.

    Args:
        run: run folder, model folder, or a model of the Hub, "owner/name".
        n: number of tiles; default: as many as are given, else 256.
        seed: tile i depends on the seed and i only.
        question: what is given of them; default: nothing.
        output: tile set to write; default: that of the run folder, or `from_NAME.zarr` beside it where tiles are given.
        batch_size: tiles to hold in memory at a time.
        overwrite: replace a tile set of that name, once the new one is whole; and throw away an unfinished one of
            other options.
        shard: "3/100" for the third hundredth of the tiles, as a tile set beside the output, see `Shard.path` and
            `merge_run`.
        engine: "local" for this process, "ray" for all cores of this machine or of a Ray cluster.
        ray_address: of the cluster; goes with the engine ray.
        device: where the engine local draws; "auto" takes a GPU if there is one. Tiles are the same up to rounding.
        again: command that goes on, for messages.
        callback: called with (done, total).
        say: called with a line on what is given or there already.
        **drawing: steps, evaluations, composition, balance, composition_strength, guidance, dense, variation and paste,
            as of `SpecDMPipeline.sample`; the model's own for what is None or left out.

    Raises:
        RunError: no trained model, or the output exists, or cannot be written; or no Ray cluster.
        TileError: an unfinished set is of other options, another process is writing it, or the disk is full: then what
            is there stays.
        ModelError: the model cannot be loaded, or cannot do what is asked.
        ConfigError: the package ray is missing, or there is no such device.
        SpecDMError: files that cannot be read, or do not fit the model.
    """
    from specdm.synthesis.scale.shard import Shard, ends_with_files

    question, varied = question or Question(), drawing.get("variation") is not None
    question.check(varied=varied, pasted=drawing.get("paste") is not False)
    if ray_address is not None and engine != "ray":
        raise RunError(f"--ray-address {ray_address} is about --engine ray; add that")
    part = None if shard is None else Shard.parse(shard)
    check_has_model(run)
    # before a model is fetched from the Hub, which may take long
    output = output or usual_tiles(run, files=question.files)
    output = output if part is None else part.path(output)
    known = None if part is not None else n or (None if question.files else N_TILES)
    check_sampling_output(output, overwrite=overwrite, asked={"seed": seed}, n=known)
    model = model_folder(run)
    # here, not above: mistakes are told before torch is loaded
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.synthesis.scale.parts import PartDrawer
    from specdm.tiles.layout import DRAWING, SAMPLING
    from specdm.tiles.pieces import piece_tiles
    from specdm.tiles.resumable_writer import ResumableWriter
    from specdm.tiles.store import open_tiles

    on = chosen_device(device)
    pipeline = SpecDMPipeline.from_pretrained(model)
    source = pipeline.id_of(drawing.get("evaluations"))
    given = question.open(pipeline, run=run, varied=varied)
    total = n or (N_TILES if given is None else len(given.tiles))
    # of the whole set, with whose files shards end where they can
    piece = piece_tiles(pipeline.facts.layout({}), total)
    first, stop = (0, total) if part is None else part.range_of(total, piece=piece)
    same_files = part is not None and ends_with_files(total, count=part.count, piece=piece)
    record = sampling_record(pipeline, seed=seed, drawing=drawing, question=question, shard=part, n=total, first=first)
    check_sampling_output(output, overwrite=overwrite, asked=record, n=stop - first, grows=part is None)
    say = say or (lambda line: None)
    if not overwrite and has_all(output, n=stop - first):
        say(f"{output} is there already, of the same model, seed and options")
        sweep_finished(output)
        return open_tiles(output)
    said: dict[str, Any] = {key: value for key, value in drawing.items() if value is not None}
    attrs = pipeline.facts.drawn_attrs(source=source, **({} if given is None else given.provenance(varied=varied)))
    attrs[SAMPLING] = json.dumps({**record, TILES: stop - first})
    if said:
        attrs[DRAWING] = json.dumps(said)
    windows = None
    if given is not None:
        say(given_line(given, n=total))
        said |= {"given": given.tiles, "known": given.known, "area": given.area}
        windows = windows_of(given.tiles, first=first, stop=stop)
    layout = pipeline.facts.layout(attrs)
    # tiles that a larger set has too
    smaller = open_tiles(output) if output.exists() and not overwrite else None
    with ResumableWriter(
        output,
        layout,
        stop - first,
        record=record,
        again=again,
        replace=output.exists(),
        anew=overwrite,
        piece=piece if same_files else None,
    ) as writer:
        if writer.done:
            say(f"going on: {writer.done:,} of {writer.n_tiles:,} tiles are there")
        if callback is not None:
            callback(writer.done, writer.n_tiles)
        if smaller is not None:
            lost = ", without its scores of reliability" if smaller.scored else ""
            say(f"{output} has {len(smaller):,} of {writer.n_tiles:,} tiles already; they are taken over{lost}")
            copy_into(writer, smaller, callback=callback)
        if on == "cuda" and engine == "local":
            pipeline.to(on)
        drawer = PartDrawer(pipeline, seed, said)
        draw_into(writer, Drawing(drawer, first, stop, total, batch_size, engine, ray_address), callback=callback)
        writer.finish(coord_blocks(source=source, seed=seed, first=first, stop=stop, windows=windows))
    return open_tiles(output)


def usual_tiles(run: Path, *, files: Sequence[Path]) -> Path:
    """Where tiles go if nothing is said; `files` are what is given of them. Raises RunError for a bare model."""
    if not RunFolder(run).is_run():
        raise RunError(f"{run} is a model, not a run folder, so there is no usual place for tiles; say where with -o")
    usual = RunFolder(run).synthetic
    # what evaluation compares with real tiles are tiles drawn from nothing, so others have a place of their own
    return usual.with_name(f"from_{Path(files[0]).stem}.zarr") if files else usual
