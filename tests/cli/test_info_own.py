"""`specdm info` of what SpecDM itself has written: tile sets, runs and models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from specdm.tiles.tileset import TileSet


@pytest.fixture
def run(little_run: Path, little_tiles: TileSet, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    shutil.copytree(little_run, folder)
    (folder / "config.yaml").write_text("preset: tiny\n")
    (folder / "source.yaml").write_text("command: specdm train scene.hdr --mask mask.tif\n")
    if not (folder / "tiles" / "tiles.zarr").exists():
        little_tiles.save(folder / "tiles" / "tiles.zarr")
    return folder


def facts_of(out: str) -> dict[str, str]:
    """The lines of a table; what goes on below a name is one text."""
    facts: dict[str, str] = {}
    last = ""
    for line in out.splitlines():
        parts = [part.strip() for part in line.split("│")[1:3]]
        if len(parts) == 2:
            last = parts[0] or last
            facts[last] = f"{facts[last]} {parts[1]}" if last in facts else parts[1]
    return facts


def test_a_tile_set(specdm_command, little_tiles: TileSet, tmp_path: Path) -> None:
    little_tiles.save(tmp_path / "t.zarr")
    outcome = specdm_command("info", tmp_path / "t.zarr")
    assert outcome.code == 0, outcome.err
    facts = facts_of(outcome.out)
    assert facts["tiles"] == f"{(little_tiles.split == 'train').sum()} train"
    size, bands = little_tiles.size, little_tiles.n_bands
    assert facts["size"] == f"{size} x {size} px, {bands} bands"
    assert facts["task"] == "segmentation" and facts["georeference"] == "none"
    counts = little_tiles.label_counts()
    for value, name, count in zip(little_tiles.classes.values, little_tiles.classes.names, counts, strict=True):
        assert f"{value} {name}: {count:,} px" in facts["classes"]


def test_labels_of_large_sets_are_those_of_the_first_tiles(
    specdm_command, little_tiles: TileSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    little_tiles.save(tmp_path / "t.zarr")
    monkeypatch.setattr("specdm.report.tile_set_facts.COUNTED_PIXELS", 2 * little_tiles.size**2)
    facts = facts_of(specdm_command("info", tmp_path / "t.zarr").out)
    assert "(the first 2 tiles)" in facts["classes"]
    assert f"{little_tiles.select(slice(0, 2)).label_counts()[0]:,} px" in facts["classes"]


def test_a_damaged_tile_set(specdm_command, little_tiles: TileSet, tmp_path: Path) -> None:
    little_tiles.save(tmp_path / "t.zarr")
    shutil.rmtree(tmp_path / "t.zarr" / "mask")
    outcome = specdm_command("info", tmp_path / "t.zarr")
    assert outcome.code == 2 and outcome.err.count("\n") == 1 and "damaged" in outcome.err


def test_a_run_and_what_comes_next(specdm_command, run: Path, little_tiles: TileSet) -> None:
    facts = facts_of(specdm_command("info", run).out)
    assert facts["format"] == "run folder" and facts["preset"] == "tiny"
    assert facts["made by"] == "specdm train scene.hdr --mask mask.tif"
    size = little_tiles.size
    assert facts["real tiles"].startswith(f"{len(little_tiles)} of {size} x {size} px")
    assert facts["model"].startswith(f"{size} x {size} px") and "distilled to nothing" in facts["model"]
    assert "draw some with: specdm sample" in facts["synthetic tiles"]
    assert "evaluation.json" not in facts["figures"]
    little_tiles.select(slice(0, 3)).save(run / "synthetic" / "tiles.zarr")
    shutil.rmtree(run / "model")
    facts = facts_of(specdm_command("info", run).out)
    assert facts["synthetic tiles"].startswith("3 of ")
    assert "not finished; go on with: specdm train" in facts["model"]


def test_a_model(specdm_command, run: Path, little_tiles: TileSet) -> None:
    facts = facts_of(specdm_command("info", run / "model").out)
    assert facts["format"] == "model (SpecDMPipeline)"
    assert facts["classes"] == ", ".join(little_tiles.classes.names)
    assert facts["steps of sampling"].isdigit() and facts["distilled to"] == "nothing"


def test_tiles_are_not_taken_for_a_scene(refused, little_tiles: TileSet, tmp_path: Path) -> None:
    little_tiles.save(tmp_path / "t.zarr")
    line = refused("train", tmp_path / "t.zarr", "-o", tmp_path / "run")
    assert "is a tile set, not a scene; specdm.open_tiles opens it, specdm.fit trains on it" in line
