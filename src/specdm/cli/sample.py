"""`specdm sample`: new tiles from a trained model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm sample runs/potsdam -n 1000 --composition water=0.3"


def sample(
    run: Annotated[Path, typer.Argument(help="Run folder, or a model folder.", show_default=False)],
    n: Annotated[int, typer.Option("-n", "--tiles", min=1, help="Number of tiles.")] = 256,
    seed: Annotated[int, typer.Option(min=0, help="Tile i depends on the seed and i only.")] = 0,
    steps: Annotated[int | None, typer.Option(min=1, help="Solver steps of each stage; default: the model's.")] = None,
    composition: Annotated[
        str | None, typer.Option(help="Share of classes in each tile, such as woods=0.3,corn=0.1.")
    ] = None,
    dense: Annotated[
        bool, typer.Option("--dense", help="Label all ground, also what real masks would leave unlabelled.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Tile set to write; default: RUN/synthetic/tiles.zarr."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Tiles at a time; changes memory only.")] = 32,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing tile set.")] = False,
) -> None:
    """Write a set of synthetic tiles: images with their masks."""
    from specdm.cli import texts
    from specdm.cli.progress import progress_bar
    from specdm.report.workflow import sample_run

    shares = texts.composition(composition)
    with progress_bar("sampling") as progress:
        tiles = sample_run(
            run,
            n=n,
            seed=seed,
            steps=steps,
            composition=shares,
            dense=dense or None,
            output=output,
            batch_size=batch_size,
            overwrite=overwrite,
            callback=progress,
        )
    print(f"{len(tiles)} tiles in {tiles.where}")
