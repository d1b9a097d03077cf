"""`specdm demo`: the embedded real scene, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm demo -o runs/demo"


def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Run folder.")] = Path("runs/demo"),
    scene: Annotated[
        str,
        typer.Option(
            help="indian_pines, indian_pines_change, indian_pines_semantic, or simulated, simulated_abundances, "
            "simulated_change, simulated_semantic."
        ),
    ] = "indian_pines",
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Training time; default: that of the preset.")
    ] = None,
) -> None:
    """Train on a real scene (Indian Pines), sample 512 tiles, judge them, write a report."""
    from rich.console import Console

    from specdm.cli.progress import progress_bar
    from specdm.cli.tables import fact_table, metric_table
    from specdm.report.demo import demo_run

    console = Console()
    result = demo_run(
        output, scene=scene, minutes=minutes, say=lambda line: console.rule(line, align="left"), bar=progress_bar
    )
    console.print(metric_table(result.metrics, title="figures"))
    console.print(fact_table({name: str(path) for name, path in result.places.items()}))
