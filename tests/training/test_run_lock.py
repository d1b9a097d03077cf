"""Two writers in one run folder: the second is refused; a killed one is no writer any more."""

from __future__ import annotations

import os
import re
import shutil
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lock_holder import held_by_another

from specdm.errors import RunError
from specdm.synthesis.fit import train_run
from specdm.tiles.writer_lock import LOCK, WRITER, Busy, WriterLock
from specdm.training.config import load_config
from specdm.training.ranks import Ranks
from specdm.training.run_lock import FOLDER, run_lock


def test_a_second_writer_is_refused_until_the_first_is_killed(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with held_by_another(run / FOLDER, what="specdm train") as other:
        with pytest.raises(RunError) as error, run_lock(run, what="specdm distill"):
            pass
        told = str(error.value)
        assert re.search(rf"run: another process \(specdm train, process {other.pid} on .+\) is writing into", told)
        assert "wait until it has ended or stop it, or choose another folder" in told and "\n" not in told
        other.kill()
        other.wait()
        with run_lock(run, what="specdm distill"):
            assert f"specdm distill, process {os.getpid()} on " in (run / FOLDER / WRITER).read_text()


def test_a_block_within_the_block_holds_it_too(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with run_lock(run, what="specdm demo"):
        with run_lock(run, what="training"):
            pass
        assert "specdm demo" in (run / FOLDER / WRITER).read_text()
        found: list[str] = []

        def other_thread() -> None:
            try:
                WriterLock(run / FOLDER, nested=True).take()
            except Busy as busy:
                found.append(str(busy))

        thread = threading.Thread(target=other_thread)
        thread.start()
        thread.join()
        assert found and found[0].startswith("specdm demo, process")
    WriterLock(run / FOLDER).take()


def test_a_folder_is_made_and_taken_away_if_nothing_was_begun(tmp_path: Path) -> None:
    run = tmp_path / "new" / "run"
    with pytest.raises(ValueError), run_lock(run, what="specdm train"):
        raise ValueError
    assert not list(tmp_path.iterdir())
    with run_lock(run, what="specdm train"):
        (run / "config.yaml").write_text("")
    assert [path.name for path in run.iterdir()] == ["config.yaml"]
    (run / FOLDER).mkdir()
    with run_lock(run, what="specdm train"):
        pass
    assert [path.name for path in (run / FOLDER).iterdir()] == [LOCK]


def test_a_place_that_takes_no_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = r"run cannot be written to \(.*\); choose another place"
    with pytest.raises(RunError, match=told), run_lock(tmp_path / "file" / "run", what="specdm train"):
        pass


def test_a_disk_without_locks_is_written_all_the_same(tmp_path: Path, monkeypatch) -> None:
    def none(self, *_: object, **__: object) -> None:
        raise NotImplementedError("FileSystem does not appear to support flock")

    monkeypatch.setattr("filelock.FileLock.acquire", none)
    with run_lock(tmp_path / "run", what="specdm train"):
        (tmp_path / "run" / "config.yaml").write_text("")


@dataclass
class Told:
    """What the first process told the others."""

    values: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class TwoRanks(Ranks):
    """Two processes of which both are this one: the first tells before the second asks."""

    size: int = 2
    said: Told = field(default_factory=Told)

    def told(self, value: Any) -> Any:
        if self.first:
            self.said.values.append(value)
        return self.said.values[-1]


def test_of_processes_that_train_together_the_first_takes_it_and_all_are_refused(tmp_path: Path) -> None:
    run, said = tmp_path / "run", Told()
    with run_lock(run, what="specdm train", ranks=TwoRanks(rank=0, said=said)):
        with run_lock(run, what="specdm train", ranks=TwoRanks(rank=1, said=said)):
            pass
        assert (run / FOLDER / WRITER).exists(), "the second has not given back what it does not hold"
    with held_by_another(run / FOLDER):
        for rank in (0, 1):
            ranks = TwoRanks(rank=rank, said=said)
            with pytest.raises(RunError, match="is writing into this"), run_lock(run, what="specdm train", ranks=ranks):
                pass


def test_training_is_refused_and_leaves_the_run_as_it_was(little_tiles, little_settings, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with held_by_another(run / FOLDER, what="specdm train"):
        with pytest.raises(RunError, match=r"another process \(specdm train, process \d+ on .+\) is writing into this"):
            train_run(run, tiles=little_tiles, config=load_config(overrides=little_settings), show_progress=False)
        assert [path.name for path in run.iterdir()] == [FOLDER]


def test_a_finished_run_is_loaded_whoever_writes_and_wherever_it_is(
    little_run: Path, little_tiles, little_settings, tmp_path: Path, monkeypatch
) -> None:
    run = shutil.copytree(little_run, tmp_path / "run")
    config = load_config(overrides=little_settings)
    with held_by_another(run / FOLDER, what="specdm distill"):
        train_run(run, tiles=little_tiles, config=config, show_progress=False)

    def nothing(self: WriterLock) -> None:
        raise PermissionError("read-only")

    monkeypatch.setattr(WriterLock, "take", nothing)
    train_run(run, tiles=little_tiles, config=config, show_progress=False)
