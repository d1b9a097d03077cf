"""Exporting the synthetic tiles of a run, or any tile set."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

from specdm.errors import RunError
from specdm.report.run_folder import RunFolder, check_writable
from specdm.report.sample_record import check_finished


def export_run(
    inputs: Path,
    *,
    format: str,
    output: Path,
    overwrite: bool = False,
    callback: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
) -> int:
    """Write tiles as files of another format, see `specdm.tiles.export.export_tiles`.

    Args:
        inputs: a tile set, or a run folder: its synthetic tiles.
        format: of `specdm.tiles.export.FORMATS`.
        output: new folder.
        overwrite: replace an earlier export of that name.
        callback: called with (tiles done, all).
        say: called with what should be known, a line each.

    Returns:
        How many tiles there are.

    Raises:
        RunError: neither a tile set nor a run with synthetic tiles, or an output within the tile set or around it.
        ConfigError, TileError: as `export_tiles`.
    """
    from specdm.tiles.export.exporting import export_tiles
    from specdm.tiles.export.formats import find_format
    from specdm.tiles.store import open_tiles

    find_format(format)  # a mistyped one is told before anything is opened
    store = tiles_of(inputs)
    here, there = store.resolve(), output.resolve()
    if here == there or here in there.parents or there in here.parents:
        raise RunError(f"{output} lies within the tiles {store}, or around them; choose another folder")
    check_writable(output.parent)
    tiles = open_tiles(store)
    export_tiles(tiles, format=format, folder=output, overwrite=overwrite, callback=callback, say=say)
    return len(tiles)


def tiles_of(inputs: Path) -> Path:
    """The store itself, or the synthetic tiles of a run folder.

    Raises:
        RunError: it is neither, or the run has none yet.
    """
    if not inputs.exists():
        raise RunError(f"{inputs} does not exist; expected a tile set or a run folder")
    if (inputs / "zarr.json").is_file():
        return inputs
    run = RunFolder(inputs)
    if not run.is_run():
        raise RunError(
            f"{inputs} is neither a tile set (it has no zarr.json) nor a run folder (it has no config.yaml); expected "
            "what specdm sample or specdm train has written"
        )
    check_finished(run.synthetic)
    if not run.synthetic.exists():
        raise RunError(f"{inputs} has no synthetic tiles; first run: specdm sample {shlex.quote(str(inputs))}")
    return run.synthetic
