"""`specdm info`: what is in these files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm info scene.hdr labels.tif"


def info(
    files: Annotated[
        list[Path],
        typer.Argument(help="Image and mask files, folders, tile sets, runs, models.", show_default=False),
    ],
    variable: Annotated[str | None, typer.Option(help="Array to look at in a file with several.")] = None,
    rows: Annotated[int | None, typer.Option(help="Rows of a flattened matrix.")] = None,
    columns: Annotated[int | None, typer.Option(help="Columns of a flattened matrix.")] = None,
) -> None:
    """Show what files hold: shape, type, bands, wavelengths, classes with counts, problems; of a run what is there."""
    from rich.console import Console

    from specdm.cli.tables import description_table, fact_table
    from specdm.errors import FileFormatError, SpecDMError
    from specdm.report.file_facts import dates_in, own_facts
    from specdm.scenes.describe import describe_file

    console = Console()
    damaged: list[str] = []
    for file in files:
        try:
            if (facts := own_facts(file)) is not None:
                console.print(fact_table(facts, title=str(file)))
            else:
                dates = dates_in(file, variable=variable)
                first = None if dates is None else 0
                found = describe_file(file, variable=variable, rows=rows, columns=columns, position=first)
                console.print(description_table(found, dates=dates))
        except SpecDMError as error:
            damaged.append(str(error))
    if damaged:
        raise FileFormatError("; ".join(damaged))
