"""`specdm info`: what is in these files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm info scene.hdr labels.tif"


def info(
    files: Annotated[list[Path], typer.Argument(help="Image and mask files, or folders.", show_default=False)],
    variable: Annotated[str | None, typer.Option(help="Array to look at in a file with several.")] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of a flattened matrix.")] = None,
    columns: Annotated[int | None, typer.Option(help="Columns of a flattened matrix.")] = None,
) -> None:
    """Show what files hold: shape, type, bands, wavelengths, classes with counts, problems."""
    from rich.console import Console

    from specdm.cli.tables import description_table, fact_table
    from specdm.errors import FileFormatError, SpecDMError
    from specdm.report.file_facts import dates_in, describe_folder
    from specdm.scenes.describe import describe_file
    from specdm.scenes.pairs import is_many

    console = Console()
    damaged: list[str] = []
    for file in files:
        try:
            # a Zarr store is a folder too, but a file to its users
            if is_many(file):
                console.print(fact_table(describe_folder(file), title=str(file)))
            else:
                dates = dates_in(file, variable=variable)
                first = None if dates is None else 0
                found = describe_file(file, variable=variable, rows=rows, columns=columns, position=first)
                console.print(description_table(found, dates=dates))
        except SpecDMError as error:
            damaged.append(str(error))
    if damaged:
        raise FileFormatError("; ".join(damaged))
