"""`specdm merge`: the shards of a job array, put together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """\b
Example: specdm merge synthetic.zarr
the shards of it:       specdm sample RUN -n 1000000 -o synthetic.zarr --shard 1/100; and so on to 100/100
from other places:      specdm merge synthetic.zarr /node1/synthetic.shard-*.zarr /node2/synthetic.shard-*.zarr"""


def merge(
    context: typer.Context,
    output: Annotated[
        Path, typer.Argument(help="The whole tile set, to be written.", metavar="TILES", show_default=False)
    ],
    shards: Annotated[
        list[Path] | None,
        typer.Argument(help="Its shards; default: those beside it, named TILES.shard-i-of-n.zarr.", show_default=False),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing tile set.")] = False,
) -> None:
    """Put the shards of a tile set together: all must be there, of one model, seed and options.

    They stay, and share their files with the whole set if it is on the same disk, so that tiles are there once. Killed,
    the same command goes on.
    """
    from specdm.cli.progress import progress_bar
    from specdm.report.merge_run import merge_run

    with progress_bar("merging") as progress:
        tiles = merge_run(output, shards or (), overwrite=overwrite, again=context.obj, callback=progress, say=print)
    print(f"{len(tiles)} tile{'s' if len(tiles) != 1 else ''} in {tiles.where}")
