"""`specdm info`: what is in these files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm info scene.hdr labels.tif"


def info(
    files: Annotated[list[Path], typer.Argument(help="Image and mask files.", show_default=False)],
    variable: Annotated[str | None, typer.Option(help="Array to look at in a file with several.")] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of a flattened matrix.")] = None,
    columns: Annotated[int | None, typer.Option(help="Columns of a flattened matrix.")] = None,
) -> None:
    """Show what files hold: shape, type, bands, wavelengths, classes with counts, problems."""
    from rich.console import Console

    from specdm.cli.tables import description_table
    from specdm.errors import FileFormatError, SpecDMError
    from specdm.scenes.describe import describe_file

    console = Console()
    damaged: list[str] = []
    for file in files:
        try:
            description = describe_file(file, variable=variable, rows=rows, columns=columns)
        except SpecDMError as error:
            damaged.append(str(error))
            continue
        console.print(description_table(description))
    if damaged:
        raise FileFormatError("; ".join(damaged))
