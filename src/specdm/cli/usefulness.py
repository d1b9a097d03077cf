"""`specdm usefulness`: whether a downstream model gets better by the synthetic tiles."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from specdm.evaluation.usefulness.summary import Summary

EXAMPLE = """\b
Example: specdm usefulness runs/potsdam
your own model:          specdm usefulness RUN --model mypackage.mymodule:build
                         (called as build(channels=..., classes=...), returns a torch.nn.Module)
a curve over labels:     specdm usefulness RUN --shares 1,0.5,0.25,0.1,0.05,0.02
a first look:            specdm usefulness RUN --arms real,real+drawn --seeds 2 --steps 100
against the baseline:    specdm usefulness RUN --arms real,real+sure,real+ldm"""

ARMS_HELP = (
    "What models are trained on, with commas between; default: those with a star. Real tiles: real*, real+longer*, "
    "real+mixup*, real+copy-paste*. Synthetic ones beside them: real+drawn*, real+read, real+sure*, real+sure+longer, "
    "real+filtered, real+weighted, real+balanced, real+varied, pretrained*, pretrained+longer; alone: drawn, sure*, "
    "varied. Real ones with more labels, by the model's reading: dense*, dense+longer, dense+sure*, dense+balanced, "
    "dense+varied. Tiles of the baseline: real+ldm, pretrained+ldm. Single spectra: svm*, forest*."
)


def usefulness(
    run: Annotated[Path, typer.Argument(help="Run folder of specdm train.", show_default=False)],
    arms: Annotated[str | None, typer.Option(help=ARMS_HELP, show_default=False)] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "--models",
            help="unet, swin, freenet, siamese, or your own as package.module:function; several with commas or by "
            "giving this again. Default: unet, for change siamese.",
            show_default=False,
        ),
    ] = None,
    shares: Annotated[
        str | None, typer.Option(help="Shares of the labels, 1 for all; default: 1,0.1.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many times each is done, from seed 0 on.")] = 5,
    steps: Annotated[
        int | None,
        typer.Option(min=1, help="Gradient steps of each downstream model; default: 800.", show_default=False),
    ] = None,
    tiles: Annotated[
        int | None, typer.Option(min=1, help="Synthetic tiles of each kind; default: 256.", show_default=False)
    ] = None,
    test_spectra: Annotated[
        str | None,
        typer.Option(
            help="What the generator sees of test ground, never with its labels: run (what the run's tiles show), "
            "seen, unseen; several with commas. Default: run.",
            show_default=False,
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes side by side; default: one a core, with a GPU one.", show_default=False),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(help="Another file for the summary beside RUN/usefulness/summary.json.", show_default=False),
    ] = None,
) -> None:
    """Train the same downstream model with and without synthetic tiles, and say which does better on untouched ground.

    What is done stays in RUN/usefulness: the same command goes on from there, and asks for nothing twice.
    """
    from specdm.cli import texts
    from specdm.report.run_folder import check_writable, write_text
    from specdm.report.usefulness_files import summary_text
    from specdm.report.usefulness_run import usefulness as run_usefulness
    from specdm.report.usefulness_run import usual_processes

    if json is not None:
        check_writable(json.parent)
    asked = {
        "arms": texts.words(arms),
        "networks": [name for text in model for name in texts.words(text) or []] if model else None,
        "shares": texts.numbers(shares, option="--shares"),
        "test_spectra": texts.words(test_spectra),
        "tiles": tiles,
        "steps": steps,
    }
    found = run_usefulness(
        run,
        seeds=range(seeds),
        device=device,  # type: ignore[arg-type]
        processes=jobs or usual_processes(device),
        **{name: value for name, value in asked.items() if value is not None},  # type: ignore[arg-type]
    )
    print_summary(found)
    print(f"table, figures and records in {run / 'usefulness'}; specdm report shows them too")
    if json is not None:
        write_text(json, summary_text(found))
        print(f"summary in {json}")


def print_summary(found: Summary) -> None:
    """A table for each network and share of the labels, and what it says."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from specdm.report import usefulness_words as words
    from specdm.report.usefulness_comparison import comparisons

    if not found.arms:
        print(words.UNDEFINED)
    console = Console()
    for one in comparisons(found):
        table = Table(title=Text(words.title(one)), title_justify="left")
        table.add_column("trained on")
        for heading in (words.score_name(found), "seeds", words.GAIN, "over"):
            table.add_column(heading, justify="left" if heading == "over" else "right")
        for row in words.rows(one):
            style = {"better": "green", "worse": "red"}.get(row.verdict or "", "")
            table.add_row(Text(row.arm), row.score, str(row.seeds), Text(row.gain, style=style), Text(row.rival))
        console.print(table)
        for sentence in words.sentences(one, found):
            print(sentence)
