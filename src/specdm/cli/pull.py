"""`specdm pull`: a model or tiles from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """\b
Example: specdm pull hf://datasets/me/potsdam-tiles -o tiles.zarr
a model:       specdm pull me/potsdam-sentinel2 -o model
of a branch:   specdm pull me/potsdam-sentinel2@v2 -o model"""


def pull(
    name: Annotated[
        str,
        typer.Argument(
            help="OWNER/NAME of a model, or hf://datasets/OWNER/NAME of a tile set.", metavar="NAME", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="New tile set or model folder.", show_default=False)],
) -> None:
    """Fetch what specdm push has sent. Commands that take a model fetch one by themselves."""
    from specdm.report.pulling import pull as fetch

    kind = fetch(name, output)
    print(f"{'tile set' if kind == 'dataset' else 'model'} in {output}")
