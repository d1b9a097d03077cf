"""`specdm catalog`."""

from __future__ import annotations

import shlex

import pytest

from specdm.scenes.catalog import DATASETS


def test_all_are_listed(specdm_command) -> None:
    outcome = specdm_command("catalog")
    assert outcome.code == 0
    for entry in DATASETS.values():
        (line,) = (line for line in outcome.out.splitlines() if f" {entry.name} " in line)
        assert entry.sensor in line and entry.task in line and f" {len(entry.classes)} " in line
        assert entry.bands is None or f" {entry.bands} " in line


@pytest.mark.parametrize("name", DATASETS)
def test_one_is_shown_with_its_citation_and_command(specdm_command, name: str) -> None:
    entry = DATASETS[name]
    outcome = specdm_command("catalog", name)
    assert outcome.code == 0, outcome.err
    # words may be folded anywhere at the edge of the table
    shown = "".join(outcome.out.replace("│", "").split())
    for text in (entry.title, entry.where, entry.citation, entry.licence, entry.note, entry.place):
        assert "".join(text.split()) in shown
    for fact in entry.files:
        assert fact.name.replace(" ", "") in shown and (fact.sha256 or "") in shown
    assert all("".join(word.split()) in shown for word in entry.classes.values())
    assert f"specdmtrainFOLDER--dataset{name}" in shown


def test_the_command_that_is_shown_is_one(specdm_command) -> None:
    from specdm.cli.main import app

    outcome = specdm_command("catalog", "taizhou")
    line = next(line for line in outcome.out.splitlines() if "specdm train" in line)
    words = shlex.split(line.split("│")[2])
    assert words[:2] == ["specdm", "train"] and any("train" in str(c.callback) for c in app.registered_commands)
    assert words[words.index("--dataset") + 1] == "taizhou"
    assert "--dataset" in specdm_command("train", "--help").out


def test_an_unknown_name_is_one_line_with_the_closest(refused) -> None:
    line = refused("catalog", "taizou")
    assert "taizou" in line and "taizhou" in line
    assert "specdm catalog" in refused("catalog", "[bold]nothing like it[/bold]")
