"""The code blocks of the documentation: where they are, what they need, and which `specdm` commands they hold."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LANGUAGES = {"bash": "bash", "sh": "bash", "python": "python"}
"""Fences that are code to run; others, such as text and py, are shown only."""

_NEEDS = re.compile(r'data-needs="([^"]+)"')
_LANGUAGE = re.compile(r"^\{?\s*\.?([\w-]+)")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        page: file that it is in.
        line: its first line of code, from 1.
        language: bash or python.
        needs: what it needs that a test has not, as its fence says; None if it is run.
        text: the code.
    """

    page: Path
    line: int
    language: str
    needs: str | None
    text: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Pages that people have written; those made by the hooks hold no blocks to run."""
    return sorted(DOCS.rglob("*.md"))


def blocks(page: Path) -> list[Block]:
    """The code blocks of a page, in order."""
    found = []
    for token in MarkdownIt().parse(_body(page)):
        if token.type != "fence" or not (language := _LANGUAGE.match(token.info.strip())):
            continue
        if language[1] in LANGUAGES and token.map is not None:
            needs = _NEEDS.search(token.info)
            found.append(
                Block(page, token.map[0] + 2, LANGUAGES[language[1]], needs[1] if needs else None, token.content)
            )
    return found


def front_matter(page: Path) -> dict[str, Any]:
    """What stands between the lines of dashes at the top of a page."""
    text = page.read_text(encoding="utf-8")
    return yaml.safe_load(text.split("---\n", 2)[1]) if text.startswith("---\n") else {}


def _body(page: Path) -> str:
    """The page without its front matter, on the same lines."""
    text = page.read_text(encoding="utf-8")
    if not text.startswith("---\n"):
        return text
    _, front, rest = text.split("---\n", 2)
    return "\n" * (front.count("\n") + 2) + rest


def shell_lines(text: str) -> Iterator[str]:
    """Commands of a bash block, one each: continued lines joined, comments and empty lines left out."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            yield line.strip()


def specdm_commands(text: str) -> Iterator[list[str]]:
    """Words of every `specdm ...` in a bash block, without the first; redirections and what follows are left out."""
    for line in shell_lines(text):
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = list(lexer)
        while "specdm" in words:
            words = words[words.index("specdm") + 1 :]
            end = next((i for i, word in enumerate(words) if set(word) <= set("();<>|&")), len(words))
            yield words[:end]
            words = words[end:]


def inline_commands(page: Path) -> Iterator[tuple[int, list[str]]]:
    """Line and words of every `specdm COMMAND ...` that stands in a sentence or a table, without the first word."""
    for number, line in enumerate(_body(page).splitlines(), start=1):
        for code in re.findall(r"`specdm ([a-z][^`]*)`", line):
            yield number, shlex.split(code.replace("\\|", "|"))


def inline_blocks(page: Path) -> list[Block]:
    """The same commands as blocks of one line each."""
    return [Block(page, line, "bash", None, shlex.join(["specdm", *words])) for line, words in inline_commands(page)]
