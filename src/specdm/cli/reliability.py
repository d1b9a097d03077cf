"""`specdm reliability`: how far the annotations of synthetic tiles can be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from specdm.report.reliability_record import ReliabilityRecord

EXAMPLE = """\b
Example: specdm reliability runs/potsdam
doubtful pixels unlabelled:  specdm reliability RUN --unlabel-below 0.5
the worst fifth of them:     specdm reliability RUN --unlabel-share 0.2
1000 good tiles:             specdm reliability RUN --drop-below 0.6 -n 1000 -o good.zarr
any tile set:                specdm reliability TILES.zarr --real REAL.zarr --json FILE"""

FILTER = "What becomes of doubtful labels (a new tile set; the one judged gets scores and stays as it is in all else)"

UnlabelBelow = Annotated[
    float | None,
    typer.Option(help="Pixels with a score below this, 0 to 1, become unlabelled.", rich_help_panel=FILTER),
]
UnlabelShare = Annotated[
    float | None,
    typer.Option(
        help="Instead: this share of the pixels, those with the lowest scores, becomes unlabelled.",
        rich_help_panel=FILTER,
    ),
]
DropBelow = Annotated[
    float | None,
    typer.Option(help="Tiles with a mean score below this, 0 to 1, are left out.", rich_help_panel=FILTER),
]


def reliability(
    inputs: Annotated[
        Path, typer.Argument(help="A run folder, or a tile set.", metavar="RUN_OR_TILES", show_default=False)
    ],
    real: Annotated[
        Path | None, typer.Option(help="Real tiles to learn from; default: those of the run.", show_default=False)
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            help="Run or model folder whose reading of the images counts too; default: the run's.", show_default=False
        ),
    ] = None,
    unlabel_below: UnlabelBelow = None,
    unlabel_share: UnlabelShare = None,
    drop_below: DropBelow = None,
    n: Annotated[
        int | None,
        typer.Option(
            "-n",
            "--tiles",
            help="Draw further tiles until so many reach --drop-below (20 times as many at most).",
            rich_help_panel=FILTER,
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Filtered tile set; default: reliable.zarr beside tiles.zarr.",
            rich_help_panel=FILTER,
            show_default=False,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing filtered tile set.", rich_help_panel=FILTER)
    ] = False,
    json: Annotated[
        Path | None, typer.Option(help="File for what was found; default: RUN/reliability.json.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Of what is drawn at random.")] = 0,
) -> None:
    """Say how likely the label of each pixel is right, write it into the tile set, and filter by it if asked."""
    from specdm.cli.progress import progress_bar
    from specdm.report.reliability_filter import ReliabilityFilter
    from specdm.report.reliability_run import reliability_run

    with progress_bar("judging labels") as progress:
        record = reliability_run(
            inputs,
            real=real,
            model=model,
            keep=ReliabilityFilter(unlabel_below, unlabel_share, drop_below, n),
            output=output,
            overwrite=overwrite,
            json=json,
            seed=seed,
            callback=progress,
            say=print_note,
        )
    print_record(record)


def print_note(note: str) -> None:
    """What should be known, as a line."""
    print(f"note: {note}")


def print_record(record: ReliabilityRecord) -> None:
    """What was found and done."""
    from rich.console import Console

    from specdm.cli.tables import fact_table

    facts = {
        "mean score": f"{record.mean_score:.3f} (probability that a label is right)",
        "judged by": ", ".join(record.evidences),
    }
    if record.planted is not None:
        planted = record.planted
        known = "n/a" if planted.auroc_all is None else f"{planted.auroc_all:.2f}"
        facts["planted errors found"] = f"AUROC {known}, in {planted.tiles} held-out real tiles"
        facts["calibration error"] = f"{planted.ece:.3f}"
    Console().print(fact_table(facts))
    print(f"scores of {record.n_tiles} tile{'s' if record.n_tiles != 1 else ''} in {record.tiles}")
    if record.filtered is not None:
        for line in record.filtered.lines:
            print(line)
        print(f"{record.filtered.tiles_after} tiles in {record.filtered.output}")
