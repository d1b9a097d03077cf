"""reference/commands.md: every command with its arguments and options, from the typer app itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

PAGE = "reference/commands.md"
INTRODUCTION = """# Commands

Every command takes a run folder and goes on from what is there. A mistake in files or options is told in one line on
standard error with exit code 2, before anything is written; `--debug`, anywhere on the line, shows where it arose.
Options that may be given more than once say so.
"""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    files.append(File.generated(config, PAGE, content=command_page()))
    return files


def command_page() -> str:
    """The page in Markdown."""
    from specdm.cli.main import app

    group: Any = typer.main.get_command(app)
    context = group.make_context("specdm", [], resilient_parsing=True)
    parts = [INTRODUCTION, *_table("Options", [p for p in group.params if p.param_type_name == "option"], context)]
    for name, command in group.commands.items():
        parts += _command(command, command.make_context(name, [], parent=context, resilient_parsing=True), name)
    return "\n".join(parts)


def _command(command: Any, context: Any, name: str) -> Iterator[str]:
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"\n## specdm {name}\n\n{command.help}\n\n```text\nspecdm {name} {usage}\n```\n"
    panels: dict[str, list[Any]] = {}
    for parameter in command.get_params(context):
        argument = parameter.param_type_name == "argument"
        panel = "Arguments" if argument else getattr(parameter, "rich_help_panel", None) or "Options"
        panels.setdefault(panel, []).append(parameter)
    for panel, parameters in panels.items():
        yield from _table(panel, parameters, context)
    if command.epilog:
        lines = command.epilog.replace("\b", "").strip()
        yield f"\n```text\n{lines}\n```\n"


def _table(title: str, parameters: list[Any], context: Any) -> Iterator[str]:
    yield f"\n| {title} | |\n|---|---|"
    for parameter in parameters:
        # `get_help_record` adds defaults and ranges to the help, as `--help` shows them
        names, help_ = parameter.get_help_record(context) or (parameter.name, "")
        yield f"| `{names.strip()}` | {_cell(help_)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
