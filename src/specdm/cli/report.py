"""`specdm report`: pictures and figures of a run as one HTML file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm report runs/potsdam -o potsdam.html"


def report(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="HTML file; default: RUN/report.html.")
    ] = None,
) -> None:
    """Write the report of a run: tiles, spectra, losses, figures, configuration."""
    from specdm.report.workflow import report_run

    say = partial(print, "note:", flush=True)
    print(f"report in {report_run(run, output=output, say=say)}")
