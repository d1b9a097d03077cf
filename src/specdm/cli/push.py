"""`specdm push`: a model or tiles to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = """\b
Example: specdm push runs/potsdam me/potsdam-sentinel2
then, anywhere:    specdm sample me/potsdam-sentinel2 -n 1000 -o tiles.zarr
synthetic tiles:   specdm push RUN/synthetic/tiles.zarr me/potsdam-tiles --licence cc-by-4.0
then, anywhere:    specdm pull hf://datasets/me/potsdam-tiles -o tiles.zarr
or in Python:      specdm.open_tiles("hf://datasets/me/potsdam-tiles")
log in first:      hf auth login"""


def push(
    what: Annotated[
        Path,
        typer.Argument(help="Run folder: its model; or a model folder, or a tile set.", metavar="WHAT"),
    ],
    name: Annotated[str, typer.Argument(help="Repository: OWNER/NAME.", metavar="NAME", show_default=False)],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository for its owner alone.")] = False,
    revision: Annotated[
        str | None, typer.Option(help="Branch; made if it is not there. Default: the main one.", show_default=False)
    ] = None,
    message: Annotated[
        str | None, typer.Option("-m", "--message", help="What the commit says.", show_default=False)
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(help="Licence of what is sent, as the Hub knows it, such as cc-by-4.0; default: other."),
    ] = None,
) -> None:
    """Send a model or tiles to the Hugging Face Hub, with a card: data, classes, bands, figures, limits.

    The figures are what specdm evaluate, reliability and usefulness have left in the run.
    """
    from specdm.cli.progress import progress_bar
    from specdm.report.pushing import push_run

    with progress_bar("writing tiles") as progress:
        sent = push_run(
            what, name, private=private or None, revision=revision, commit_message=message, licence=licence,
            callback=progress,
        )  # fmt: skip
    print(f"{'tile set' if sent.kind == 'dataset' else 'model'} sent to {sent.name}: {sent.url}")
    if sent.kind == "dataset":
        print(f'open it with specdm.open_tiles("{sent.name}"), or: specdm pull {sent.name} -o tiles.zarr')
    else:
        print(f"draw from it with: specdm sample {sent.name} -n 256 -o tiles.zarr")
