"""`specdm evaluate`: how faithful synthetic tiles are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: specdm evaluate runs/potsdam"


def evaluate(
    inputs: Annotated[
        list[Path],
        typer.Argument(help="A run folder, or two tile sets: real and synthetic.", show_default=False),
    ],
    model: Annotated[
        Path | None, typer.Option(help="With two tile sets: model folder, to judge its codecs too.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="File for the figures; default: RUN/evaluation.json.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of what is drawn at random.")] = 0,
    network: Annotated[
        str,
        typer.Option(help="Image network that pictures are shown to: efficientnet-lite0, inception (slow) or none."),
    ] = "efficientnet-lite0",
) -> None:
    """Compare synthetic tiles with real ones and print the figures."""
    from rich.console import Console

    from specdm.cli import texts
    from specdm.cli.tables import metric_table, quantity_table
    from specdm.report.run_folder import RunFolder
    from specdm.report.workflow import evaluate_run, evaluate_tile_sets

    if len(inputs) > 2:
        raise typer.BadParameter("give one run folder, or two tile sets: REAL SYNTHETIC")
    image_network = texts.network(network)
    whole_run = len(inputs) == 1
    if whole_run:
        if model is not None:
            raise typer.BadParameter("a run folder has its own model; leave --model out")
        evaluation = evaluate_run(inputs[0], json=json, seed=seed, network=image_network)
    else:
        evaluation = evaluate_tile_sets(
            inputs[0], inputs[1], model=model, json=json, seed=seed, network=image_network
        )
    console = Console()
    console.print(metric_table(evaluation.metrics, title=str(inputs[-1]), intervals=evaluation.intervals))
    if evaluation.quantities:
        console.print(quantity_table(evaluation.quantities))
    for note in evaluation.notes:
        print(f"note: {note}")
    if json is not None or whole_run:
        print(f"figures in {json or RunFolder(inputs[0]).evaluation}")
