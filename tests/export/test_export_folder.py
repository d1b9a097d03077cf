"""What lies beside the exported tiles, and that a folder is there whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from export_tile_sets import CLASSES, amount_tiles, exported, mixed_tiles, plain_tiles

from specdm.errors import TileError
from specdm.scenes.catalog import DATASETS
from specdm.tiles.export import FORMATS, export_tiles, exporting
from specdm.tiles.export.npz import NpzFiles
from specdm.tiles.export.protocol import Source
from specdm.tiles.leftovers import HOUR, partial_folder
from specdm.tiles.tileset import TileSet

PACKAGES = {"hf": "datasets"}


@pytest.fixture(params=list(FORMATS))
def form(request: pytest.FixtureRequest) -> str:
    """Each format whose packages are here."""
    if request.param in PACKAGES:
        pytest.importorskip(PACKAGES[request.param])
    return request.param


def test_manifest_has_a_line_a_tile(tmp_path: Path, form: str) -> None:
    folder, lines = exported(plain_tiles(), form, tmp_path / "out")
    assert [line["split"] for line in lines] == ["train"] * 3 + ["synthetic"] * 2
    assert [line["window_y"] for line in lines] == ["0", "8", "16", "", ""]
    assert [line["seed"] for line in lines] == ["", "", "", "0", "0"]
    assert all((folder / name).is_file() for line in lines for name in line["files"].split(";"))
    named = {name for line in lines for name in line["files"].split(";")}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == named | {"manifest.csv", "README.md", "export.json"}


def test_manifest_has_scores(tmp_path: Path) -> None:
    _, lines = exported(amount_tiles(), "npz", tmp_path / "out")
    assert [line["tile_reliability"] for line in lines] == ["0.25", "0.5", ""]


def test_card_says_what_it_is(tmp_path: Path, form: str) -> None:
    tiles = plain_tiles()
    folder, _ = exported(tiles, form, tmp_path / "out")
    card = (folder / "README.md").read_text(encoding="utf-8")
    counts = tiles.label_counts()
    for text in ("specdm-abc", "Me (2020), Place", "unknown, none was recorded; ask its publisher", "semi-synthetic",
                 "442.7",
                 "Place: 90 x 80 px, `place.tif`", "no measurements", "coordinate reference system",
                 f"| 3 | roof | `#e69f00` | {counts[1]} |", "3 train, 2 synthetic"):  # fmt: skip
        assert text in card, text
    assert "secret" not in card
    record = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert record["class_pixels"] == counts.tolist() and record["class_name"] == list(CLASSES.names)


def test_card_of_completed_tiles_says_what_was_given(tmp_path: Path) -> None:
    drawn = {"model": "specdm-abc", "completes": "/secret/fields.tif", "known": ["image"], "known_in_area": False}
    provenance = {**drawn, "images_varied": False, "trained_on": {"scenes": [{"name": "Place"}]}}
    folder, _ = exported(plain_tiles(attrs={"provenance": json.dumps(provenance)}), "npz", tmp_path / "out")
    card = " ".join((folder / "README.md").read_text(encoding="utf-8").split())
    assert "What is given (image) is as it was; the rest was drawn for it by the model `specdm-abc`" in card
    assert "given were `fields.tif`" in card and "secret" not in card
    attrs = {"provenance": json.dumps(provenance), "drawing": json.dumps({"paste": False})}
    folder, _ = exported(plain_tiles(attrs=attrs), "npz", tmp_path / "coded")
    assert "What is given (image) is as it came back from its codec;" in (folder / "README.md").read_text()
    assert "What was drawn is no measurement" in card
    assert "drawn together" not in card and "Synthetic tiles are no measurements" not in card


def test_card_takes_the_licence_from_the_catalogue(tmp_path: Path) -> None:
    entry = next(entry for entry in DATASETS.values() if entry.licence)
    folder, _ = exported(plain_tiles(attrs={"citation": entry.citation}), "npz", tmp_path / "out")
    assert f"Licence of the source data: {entry.licence}" in (folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("make", [plain_tiles, mixed_tiles, amount_tiles])
def test_estimate_is_no_less_than_what_is_written(tmp_path: Path, form: str, make) -> None:
    tiles = make()
    folder, lines = exported(tiles, form, tmp_path / "out")
    splits, counts = np.unique(tiles.split, return_counts=True)
    source = Source(tiles.layout, tiles.scored, {str(s): int(n) for s, n in zip(splits, counts, strict=True)})
    names = {name for line in lines for name in line["files"].split(";")}
    written = sum((folder / name).stat().st_size for name in names)
    estimate = FORMATS[form].tile_bytes(source) * len(tiles)
    assert written <= estimate <= 30 * written  # tiles of 8 px: blocks of the disk and headers are most of it


def test_a_disk_too_small_is_said_before_it_starts(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(TileError, match=r"takes up to 1\.\d MB, but only 5 kB are free.*nothing was written"):
        export_tiles(plain_tiles(), format=form, folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_killed_exports_left_is_swept_before_room_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk that has room for one export, and holds the leftovers of another."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    name = partial_folder(tmp_path / "out").name.replace(f"-{os.getpid()}-", f"-{dead.pid}-")
    left = tmp_path / name
    left.mkdir()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10**9, 0, 5000 if left.exists() else 10**9))
    with pytest.raises(TileError, match=r"or remove what an export that was stopped has left \(.*\.partial\)"):
        export_tiles(plain_tiles(), format="npz", folder=tmp_path / "out")
    assert left.exists(), "it may be of an export at work"
    os.utime(left, (time.time() - 2 * HOUR,) * 2)
    export_tiles(plain_tiles(), format="npz", folder=tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def _full_after(monkeypatch: pytest.MonkeyPatch, n_files: int) -> None:
    """A disk that takes so many files of an export and no more."""
    import builtins

    opened = builtins.open
    count = 0

    def limited(file, mode="r", *args, **kwargs):
        nonlocal count
        if "w" in mode and ".partial" in str(file):
            count += 1
            if count > n_files:
                raise OSError(errno.ENOSPC, "No space left on device", str(file))
        return opened(file, mode, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", limited)
    monkeypatch.setattr("io.open", limited)
    monkeypatch.setattr("tarfile.bltn_open", limited)


def test_a_full_disk_in_the_middle_leaves_nothing(tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        _full_after(patch, 2)
        with pytest.raises(TileError, match=r"cannot be written.*No space left on device.*nothing is left"):
            export_tiles(plain_tiles(), format=form, folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_an_earlier_export_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = exported(plain_tiles(), "npz", tmp_path / "out")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with monkeypatch.context() as patch:
        _full_after(patch, 2)
        with pytest.raises(TileError):
            export_tiles(amount_tiles(), format="npz", folder=folder, overwrite=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_stopping_leaves_nothing(tmp_path: Path, form: str) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_tiles(plain_tiles(), format=form, folder=tmp_path / "out", callback=stop)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_appears_at_the_end_only(tmp_path: Path) -> None:
    seen = []
    export_tiles(
        plain_tiles(), format="npz", folder=tmp_path / "a" / "out",
        callback=lambda done, total: seen.append(((tmp_path / "a" / "out").exists(), done, total)),
    )  # fmt: skip
    assert seen == [(False, i + 1, 5) for i in range(5)]
    assert (tmp_path / "a" / "out").is_dir()


def test_an_existing_folder_is_refused_and_only_exports_are_replaced(tmp_path: Path) -> None:
    folder, _ = exported(plain_tiles(), "npz", tmp_path / "out")
    with pytest.raises(TileError, match="exists already; add --overwrite"):
        export_tiles(plain_tiles(), format="mat", folder=folder)
    exported(plain_tiles(n=2), "mat", folder, overwrite=True)
    assert sorted(path.name for path in folder.glob("tile_*")) == ["tile_00000.mat", "tile_00001.mat"]
    other = tmp_path / "photos"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(TileError, match="no earlier export, so it is not replaced"):
        export_tiles(plain_tiles(), format="mat", folder=other, overwrite=True)
    assert (other / "holiday.jpg").is_file()
    (tmp_path / "empty").mkdir()
    exported(plain_tiles(), "npz", tmp_path / "empty", overwrite=True)


def test_no_tiles_are_refused(tmp_path: Path) -> None:
    empty = plain_tiles().select(slice(0, 0))
    with pytest.raises(TileError, match="nothing to export"):
        export_tiles(empty, format="npz", folder=tmp_path / "out")


def test_memory_stays_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than one batch of tiles is asked for at a time."""
    asked = []
    load = TileSet.images
    monkeypatch.setattr("specdm.tiles.export.tile.batch_tiles", lambda layout: 2)
    monkeypatch.setattr(TileSet, "images", lambda self, index=slice(None): asked.append(index) or load(self, index))
    exported(plain_tiles(), "npz", tmp_path / "out")
    assert asked == [slice(0, 2), slice(2, 4), slice(4, 6)]


def test_an_error_of_the_program_is_no_error_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self, tile):
        raise ZeroDivisionError

    monkeypatch.setattr(NpzFiles, "write", broken)
    with pytest.raises(ZeroDivisionError):
        exporting.export_tiles(plain_tiles(), format="npz", folder=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
