"""`specdm catalog`: public data sets, what they hold, and how to train on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from specdm.scenes.catalog import DatasetEntry, FileFact

EXAMPLE = "Example: specdm catalog taizhou"


def catalog(
    name: Annotated[str | None, typer.Argument(help="Data set to show; without it all are listed.")] = None,
) -> None:
    """List known public data sets, or show one: where it is, what it holds, what to cite."""
    from rich.console import Console

    from specdm.cli.tables import fact_table
    from specdm.scenes.catalog import find

    console = Console()
    if name is None:
        console.print(_listing())
        console.print("More of one: specdm catalog NAME", highlight=False)
        return
    entry = find(name)
    console.print(entry.title, style="bold", markup=False, highlight=False)
    console.print(fact_table(_facts(entry)))


def _listing() -> Table:
    from rich.table import Table
    from rich.text import Text

    from specdm.scenes.catalog import DATASETS

    table = Table()
    table.add_column("name", no_wrap=True)
    table.add_column("task")
    table.add_column("sensor")
    table.add_column("size", justify="right")
    table.add_column("bands", justify="right")
    table.add_column("classes", justify="right")
    for entry in DATASETS.values():
        cells = (entry.name, _task(entry), entry.sensor, _size(entry), _bands(entry), str(len(entry.classes)))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _facts(entry: DatasetEntry) -> dict[str, str]:
    kind = "materials" if entry.task == "regression" else "classes"
    facts = {
        "name": entry.name,
        "task": _task(entry),
        "sensor": entry.sensor,
        "place": entry.place,
        "pixel": "" if entry.gsd is None else f"{entry.gsd:g} m",
        "size": _size(entry),
        "bands": _bands(entry),
        "wavelengths": "" if entry.wavelengths is None else "{:g} to {:g} nm".format(*entry.wavelengths),
        kind: ", ".join(f"{value} {name}" for value, name in entry.classes.items()),
        "download": entry.where,
        "files": "\n".join(_file(fact) for fact in entry.files),
        "note": entry.note,
        "citation": entry.citation,
        "licence": entry.licence,
        "train": f"specdm train FOLDER --dataset {entry.name} -o runs/{entry.name}",
        "in Python": f'specdm.open_scene("FOLDER", dataset="{entry.name}")',
    }
    return {name: text for name, text in facts.items() if text}


def _task(entry: DatasetEntry) -> str:
    return entry.task.replace("_", " ")


def _size(entry: DatasetEntry) -> str:
    if entry.size is None:
        return "varies" if entry.scenes == 1 else f"{entry.scenes} scenes"
    size = f"{entry.size[0]} x {entry.size[1]}"
    return size if entry.scenes == 1 else f"{entry.scenes} of {size}"


def _bands(entry: DatasetEntry) -> str:
    return "varies" if entry.bands is None else str(entry.bands)


def _file(fact: FileFact) -> str:
    known = [
        fact.shape,
        "" if fact.bytes is None else f"{fact.bytes} bytes",
        "" if fact.sha256 is None else f"sha256 {fact.sha256}",
        f"form: {fact.variant}" if fact.variant else "",
        "not needed" if fact.optional else "",
    ]
    return "; ".join([fact.name, *(text for text in known if text)])
