"""`specdm distill`: a trained model that draws in a few evaluations of its network."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """\b
Example: specdm distill runs/potsdam
then:               specdm sample runs/potsdam -n 100000 --evaluations 4
1, 2 and 4:         specdm distill RUN -e 1 -e 2 -e 4 --minutes 10"""


def distill(
    run: Annotated[Path, typer.Argument(help="Run folder.", show_default=False)],
    evaluations: Annotated[
        list[int] | None,
        typer.Option(
            "-e",
            "--evaluations",
            help="Of the network for a tile, all in all, 1 to 16; repeat it. Default: 4.",
            show_default=False,
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            help="Of training each, tiles to learn from drawn; default: three times those of the denoiser.",
            show_default=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as distillation.learning_rate=5e-4; repeat it."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Distil anew what is there already.")] = False,
) -> None:
    """Teach a trained model to draw in few evaluations of its network; sample then with --evaluations.

    First the model draws what is learnt from, 1,024 tiles (setting distillation.teacher_tiles): minutes on a CPU. The
    distilled weights lie in the model folder beside the others. A command that was stopped or killed goes on where it
    was when it is given again.
    """
    from specdm.cli import texts
    from specdm.cli.progress import progress_bar
    from specdm.report.distill_run import distill_run

    if minutes is not None and minutes <= 0:
        raise typer.BadParameter(f"--minutes {minutes:g}: expected more than 0")
    wanted = list(dict.fromkeys(evaluations or [4]))
    for number in wanted:
        with progress_bar("drawing tiles to learn from") as progress:
            model = distill_run(
                run,
                evaluations=number,
                minutes=minutes,
                settings=texts.settings(set_ or []),
                overwrite=overwrite,
                callback=progress,
                say=print,
            )
    print(f"model in {model}; next: specdm sample {shlex.quote(str(run))} --evaluations {wanted[-1]}")
