"""examples/...: the scripts of the folder of that name as pages, what they say of themselves first."""

from __future__ import annotations

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

FOLDER = Path(__file__).resolve().parents[2] / "examples"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for script in sorted(FOLDER.glob("*.py")):
        files.append(File.generated(config, f"examples/{script.stem}.md", content=example_page(script)))
    return files


def example_page(script: Path) -> str:
    """A script as a page in Markdown."""
    text = script.read_text(encoding="utf-8")
    title, _, more = (ast.get_docstring(ast.parse(text)) or script.stem).partition("\n")
    usage = f"```text\n{more.strip()}\n```\n\n" if more.strip() else ""
    return f"# {title.rstrip('.')}\n\n{usage}`examples/{script.name}`:\n\n```py\n{text}```\n"
