"""reference/datasets.md: the public data sets that are known by name, from the catalogue."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/datasets.md"
INTRODUCTION = """# Public data sets

Nothing is downloaded for you: get the files from where their authors offer them, heed their licence, then name the
folder and the set. Files are checked when they are opened. `specdm catalog` lists the same, `specdm catalog NAME` shows
one with its files and checksums.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, PAGE, content=dataset_page()))
    return files


def dataset_page() -> str:
    """The page in Markdown."""
    from specdm.scenes.catalog import DATASETS

    return INTRODUCTION + "".join(_section(entry) for entry in DATASETS.values())


def _section(entry: Any) -> str:
    size = "varies" if entry.size is None else f"{entry.size[0]} x {entry.size[1]} px"
    facts = {
        "task": entry.task.replace("_", " "),
        "sensor": entry.sensor,
        "place": entry.place,
        "size": size if entry.scenes == 1 else f"{entry.scenes} scenes of {size}",
        "bands": entry.bands,
        "materials" if entry.task == "regression" else "classes": ", ".join(entry.classes.values()),
        "download": entry.where,
        "note": entry.note,
        "citation": entry.citation,
        "licence": entry.licence,
    }
    rows = "\n".join(f"| {name} | {_cell(value)} |" for name, value in facts.items() if value)
    command = f"specdm train FOLDER --dataset {entry.name} -o runs/{entry.name}"
    return f"\n## {entry.name}\n\n{entry.title}\n\n| | |\n|---|---|\n{rows}\n\n```text\n{command}\n```\n"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
