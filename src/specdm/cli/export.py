"""`specdm export`: tiles as files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """\b
Example: specdm export runs/potsdam -f geotiff -o potsdam_tiles
real tiles of a run:  specdm export RUN/tiles/tiles.zarr -f envi -o DIR
for training at scale:  specdm export TILES.zarr -f webdataset -o DIR
for the hub:          specdm export TILES.zarr -f hf -o DIR"""


def export(
    inputs: Annotated[
        Path,
        typer.Argument(help="A tile set, or a run folder: its synthetic tiles.", metavar="TILES", show_default=False),
    ],
    format: Annotated[
        str,
        typer.Option(
            "-f",
            "--format",
            help="geotiff, envi, npz, mat (a file a tile), webdataset (tar files) or hf (Parquet files for datasets).",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="New folder.", show_default=False)],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier export of that name.")] = False,
) -> None:
    """Write tiles as files that other tools read: the same numbers, with bands, classes, a manifest and a card."""
    from specdm.cli.progress import progress_bar
    from specdm.report.export_run import export_run

    with progress_bar("writing tiles") as progress:
        count = export_run(
            inputs,
            format=format,
            output=output,
            overwrite=overwrite,
            callback=progress,
            # at once: whoever does not want what is lost stops before it is written
            say=lambda note: print(f"note: {note}", flush=True),
        )
    print(f"{count} tile{'s' if count != 1 else ''} in {output}; what they are: {output / 'README.md'}")
