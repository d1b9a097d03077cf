"""Every command that the documentation names exists as it is written: block by block, and in sentences and tables."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import typer
from docs_pages import ROOT, blocks, inline_commands, pages, shell_lines, specdm_commands

from specdm.cli.main import app

GROUP = typer.main.get_command(app)
WRITTEN = [*pages(), ROOT / "README.md"]


def parse(words: list[str]) -> None:
    """Parse a command line and run nothing; raises what the command line would."""
    words = [word for word in words if word != "--debug"]
    if words in ([], ["--help"], ["--version"]):
        return
    context = GROUP.make_context("specdm", list(words), obj="")
    # what is left of the group's arguments: the name of the command and its own
    name, *rest = [*getattr(context, "protected_args", getattr(context, "_protected_args", [])), *context.args]
    assert name in GROUP.commands, f"there is no command specdm {name}"
    if "--help" not in rest:
        GROUP.commands[name].make_context(name, rest, parent=context)


def options_of(command: str) -> set[str]:
    return {option for parameter in GROUP.commands[command].params for option in parameter.opts} | {"--help", "--debug"}


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_of_blocks_are_understood(page: Path) -> None:
    for block in blocks(page):
        if block.language == "python":
            compile(block.text, block.where, "exec")
            continue
        for words in specdm_commands(block.text):
            try:
                parse(words)
            except Exception as error:
                pytest.fail(f"{block.where}: specdm {' '.join(words)}: {error}")


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_sentences_exist(page: Path) -> None:
    for line, words in inline_commands(page):
        where = f"{page.relative_to(ROOT)}:{line}: specdm {' '.join(words)}"
        assert words[0] in {*GROUP.commands, "COMMAND"}, where
        if words[0] in GROUP.commands:
            named = {word.partition("=")[0] for word in words[1:] if re.fullmatch(r"--?[a-z][\w-]*(=.*)?", word)}
            assert named <= options_of(words[0]), where


@pytest.mark.parametrize("name", GROUP.commands)
def test_examples_of_help_are_understood(name: str) -> None:
    examples = [line for line in (GROUP.commands[name].epilog or "").splitlines() if "specdm " in line]
    assert examples
    for line in examples:
        for words in specdm_commands(line):
            parse(words)


@pytest.mark.parametrize("script", sorted((ROOT / "docs" / "slurm").glob("*.sh")), ids=lambda script: script.name)
def test_commands_of_scripts_are_understood(script: Path) -> None:
    """A variable of the shell stands for the number 1."""
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    text = re.sub(r"\$\{?\w+(:-[^}]*)?\}?", "1", script.read_text(encoding="utf-8"))
    commands = list(specdm_commands(text))
    assert commands
    for words in commands:
        parse(words)


def test_a_wrong_option_is_found() -> None:
    """Proves that the tests above can fail."""
    for wrong in (["sample"], ["sample", "RUN", "--tile", "3"], ["sample", "RUN", "-n", "many"], ["sampel", "RUN"]):
        with pytest.raises(Exception, match=r"sampel|[Mm]issing|[Nn]o such option|valid integer|not a valid"):
            parse(wrong)


def test_no_command_is_left_out() -> None:
    """Each command stands in a block that is run or parsed somewhere."""
    shown = {words[0] for page in pages() for block in blocks(page) if block.language == "bash"
             for words in specdm_commands(block.text)}  # fmt: skip
    told = {words[0] for page in pages() for _, words in inline_commands(page)}
    assert set(GROUP.commands) <= shown | told


def test_blocks_are_told_apart() -> None:
    page = ROOT / "docs" / "index.md"
    assert [block.language for block in blocks(page)] == ["python"]
    text = "# no\nspecdm a \\\n  b > c\nx=1 specdm d && specdm e; ls\n\n"
    assert list(shell_lines(text)) == ["specdm a    b > c", "x=1 specdm d && specdm e; ls"]
    assert list(specdm_commands(text)) == [["a", "b"], ["d"], ["e"]]
