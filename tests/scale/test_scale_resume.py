"""Sampling that is killed, stopped, or started twice: the same command goes on, and nothing is taken for whole."""

from __future__ import annotations

import errno
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scale_stores import CHUNK, FORKING, OPTIONS, N, assert_equal_stores, started

from specdm.errors import RunError, TileError
from specdm.report.sample_question import Question
from specdm.report.sample_run import sample_run
from specdm.synthesis.scale.parts import PartDrawer
from specdm.tiles.resumable_writer import ResumableWriter
from specdm.tiles.store import open_tiles
from specdm.tiles.unfinished import tiles_there, unfinished_folder, unfinished_words

COMMAND = ("-n", N, "--seed", 3, "--batch-size", 6, "--steps", 1)


class Stop(BaseException):
    """Stands for a kill: nothing catches it."""


def stopped_run(run: Path, path: Path, monkeypatch: pytest.MonkeyPatch, *, after: int = 3, **options) -> None:
    """Sample, and stop when a number of batches is drawn."""
    draw, calls = PartDrawer.__call__, []

    def stopping(self, part):
        calls.append(part)
        if len(calls) > after:
            raise Stop
        return draw(self, part)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(PartDrawer, "__call__", stopping)
        sample_run(run, output=path, **(OPTIONS | options))


@pytest.mark.parametrize("seed", [0, 1])
def test_killed_at_random_moments_it_ends_as_if_it_had_not_been(
    seed: int, little_run: Path, whole_set: Path, tmp_path: Path
) -> None:
    path, moments, kills = tmp_path / "tiles.zarr", random.Random(seed), 0
    for _ in range(4):
        process = started("sample", little_run, *COMMAND, "-o", path)
        began = time.monotonic()
        # of what the whole takes, here and now
        wait = moments.uniform(0.1, 1.0)
        while not unfinished_folder(path).exists() and process.is_alive() and time.monotonic() - began < 60:
            time.sleep(0.01)
        process.join(wait)
        kills += process.is_alive()
        process.kill()
        process.join()
        if path.exists():
            break
        with pytest.raises(TileError, match=r"not finished: \d+ of 40 tiles are there|does not exist"):
            open_tiles(path)
    last = started("sample", little_run, *COMMAND, "-o", path)
    last.join()
    assert last.exitcode == 0 and kills > 0
    assert_equal_stores(path, whole_set)


def test_an_unfinished_set_is_never_opened(little_run: Path, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "tiles.zarr"
    stopped_run(little_run, path, monkeypatch, again="specdm sample run -n 40 -o tiles.zarr")
    folder = unfinished_folder(path)
    for name in (path, folder):
        with pytest.raises(TileError, match=r"16 of 40 tiles are there; go on with: specdm sample run -n 40"):
            open_tiles(name)
        with pytest.raises((FileNotFoundError, ValueError)):
            xr.open_zarr(name, consolidated=False)
    # what zarr was writing when it was killed, and what a machine that lost its power leaves
    (folder / "image" / "c.3.0.0.0.0123abcd.partial").write_bytes(b"half")
    (folder / "mask" / "c.2.0.0.0").write_bytes(b"")
    assert "8 of 40" in str(unfinished_words(path))


def test_what_was_drawn_is_not_drawn_again(little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch) -> None:
    path, said, told = tmp_path / "tiles.zarr", [], []
    stopped_run(little_run, path, monkeypatch)
    sample_run(
        little_run, output=path, say=said.append, callback=lambda done, total: told.append((done, total)), **OPTIONS
    )
    assert said == ["going on: 16 of 40 tiles are there"]
    assert told[0] == (16, 40) and told[1] == (18, 40) and told[-1] == (40, 40)
    assert_equal_stores(path, whole_set)


@pytest.mark.parametrize("overwritten", [False, True])
def test_killed_while_all_is_gathered(
    overwritten: bool, little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch
) -> None:
    """Before every move and removal of the end, one after the other."""
    path = tmp_path / "tiles.zarr"
    if overwritten:
        sample_run(little_run, output=path, **(OPTIONS | {"seed": 9, "n": 2}))
    stops = 0
    for name in ("rename", "rmtree"):
        module = os if name == "rename" else shutil
        for last in range(5 if name == "rename" else 2):
            calls, real = [], getattr(module, name)

            def stopping(*arguments, calls=calls, real=real, last=last, **options):
                if "head" in str(arguments[0]) or str(arguments[0]).endswith(("tiles.zarr", "/image", "/mask")):
                    calls.append(arguments)
                    if len(calls) > last:
                        raise Stop
                return real(*arguments, **options)

            with monkeypatch.context() as patch:
                patch.setattr(module, name, stopping)
                try:
                    sample_run(little_run, output=path, overwrite=overwritten, **OPTIONS)
                except Stop:
                    stops += 1
                    if path.exists():
                        assert len(open_tiles(path)) in (N, 2)
                    else:
                        with pytest.raises(TileError, match="not finished: 40 of 40"):
                            open_tiles(path)
    assert stops > 3
    sample_run(little_run, output=path, overwrite=overwritten, **OPTIONS)
    assert_equal_stores(path, whole_set)


class TestOtherOptions:
    def test_are_refused_and_named(self, little_run: Path, tmp_path: Path, monkeypatch) -> None:
        path = tmp_path / "tiles.zarr"
        stopped_run(little_run, path, monkeypatch)
        for other, words in (
            ({"seed": 4}, "seed 3, not 4"),
            ({"steps": 2}, "steps 1, not 2"),
            ({"n": 30}, "tiles 40, not 30"),
            ({"dense": True}, "dense False, not True"),
            ({"composition": {"class 2": 0.5}}, 'composition unset, not {"class 2": 0.5}'),
        ):
            with pytest.raises(TileError, match="an unfinished set is there") as found:
                sample_run(little_run, output=path, **(OPTIONS | other))
            assert words in str(found.value) and "16 of 40" in str(found.value)
        assert "16 of 40" in str(unfinished_words(path))

    def test_of_what_is_the_default_anyway_go_on(self, little_run: Path, tmp_path: Path, monkeypatch) -> None:
        path = tmp_path / "tiles.zarr"
        stopped_run(little_run, path, monkeypatch, steps=None, after=2)
        stopped_run(little_run, path, monkeypatch, steps=4, after=1)  # the model's own number of steps

    def test_begin_anew_where_that_is_asked_for(self, little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch):
        path = tmp_path / "tiles.zarr"
        stopped_run(little_run, path, monkeypatch, seed=5)
        # a mistake throws nothing away
        with pytest.raises(Exception, match="no class 'gold'"):
            sample_run(little_run, output=path, overwrite=True, **(OPTIONS | {"composition": {"gold": 1.0}}))
        assert "16 of 40" in str(unfinished_words(path))
        sample_run(little_run, output=path, overwrite=True, **OPTIONS)
        assert_equal_stores(path, whole_set)

    def test_another_model_is_refused(self, little_run: Path, tmp_path: Path, monkeypatch) -> None:
        path = tmp_path / "tiles.zarr"
        stopped_run(little_run, path, monkeypatch)
        monkeypatch.setattr("specdm.synthesis.pipeline.SpecDMPipeline.id_of", lambda self, evaluations=None: "specdm-2")
        with pytest.raises(TileError, match=r"model specdm-\w+, not specdm-2"):
            sample_run(little_run, output=path, **OPTIONS)


@pytest.mark.parametrize("n", [6, 12])
def test_a_finished_set_of_given_masks_is_no_set_of_new_tiles(
    n: int, little_run: Path, whole_set: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tiles.zarr"
    options = OPTIONS | {"n": 6}
    sample_run(little_run, output=path, question=Question(files=[whole_set], known=["mask"]), **options)
    with pytest.raises(RunError, match=r"exists already, of other settings \(.*given .*not unset"):
        sample_run(little_run, output=path, **(options | {"n": n}))


@pytest.mark.parametrize("finished", [False, True])
def test_a_set_grows(finished: bool, little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "tiles.zarr"
    if finished:
        sample_run(little_run, output=path, **(OPTIONS | {"n": 18}))
        stopped_run(little_run, path, monkeypatch, after=2)
        assert len(open_tiles(path)) == 18, "the smaller set must stay until the larger one is whole"
    else:
        stopped_run(little_run, path, monkeypatch, n=18, after=2)
    sample_run(little_run, output=path, **OPTIONS)
    assert_equal_stores(path, whole_set)


def test_the_last_piece_of_a_smaller_set_is_no_piece_of_a_larger(
    little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch
) -> None:
    path = tmp_path / "tiles.zarr"
    with monkeypatch.context() as patch, pytest.raises(Stop):
        # all 18 tiles are there, and the last piece holds 2 of 4
        patch.setattr(ResumableWriter, "finish", lambda *_: (_ for _ in ()).throw(Stop))
        sample_run(little_run, output=path, **(OPTIONS | {"n": 18}))
    assert "18 of 18" in str(unfinished_words(path))
    sample_run(little_run, output=path, **OPTIONS)
    assert_equal_stores(path, whole_set)


def _hold(folder: Path, ready) -> None:
    from specdm.tiles.writer_lock import WriterLock

    lock = WriterLock(folder)
    lock.take()
    ready.set()
    time.sleep(300)


def test_two_writers(little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "tiles.zarr"
    stopped_run(little_run, path, monkeypatch)
    ready = FORKING.Event()
    other = FORKING.Process(target=_hold, args=(unfinished_folder(path), ready))
    other.start()
    assert ready.wait(120)
    with pytest.raises(TileError, match=r"another process \(process \d+ on .*\) is writing this tile set"):
        sample_run(little_run, output=path, **OPTIONS)
    other.kill()
    other.join()
    # its lock died with it
    sample_run(little_run, output=path, **OPTIONS)
    assert_equal_stores(path, whole_set)


class TestFullDisk:
    def test_in_the_middle(self, little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch) -> None:
        import zarr.storage._local as local

        path, real, calls = tmp_path / "tiles.zarr", local._put, []

        def put(place, value, **options):
            if place.name.startswith("c."):
                calls.append(place)
            if len(calls) > 9:
                place.with_suffix(".0123abcd.partial").write_bytes(b"half")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(place))
            return real(place, value, **options)

        with monkeypatch.context() as patch:
            patch.setattr(local, "_put", put)
            with pytest.raises(TileError, match=r"No space left on device\); 16 of 40 tiles are there and stay"):
                sample_run(little_run, output=path, **OPTIONS)
        sample_run(little_run, output=path, **OPTIONS)
        assert_equal_stores(path, whole_set)

    def test_is_foreseen(self, little_run: Path, tmp_path: Path, monkeypatch) -> None:
        path = tmp_path / "tiles.zarr"
        usage = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=100_000))
        with pytest.raises(TileError, match=r"40 more tiles take about \d+ kB, but 100 kB are free there"):
            sample_run(little_run, output=path, **OPTIONS)
        assert list(tmp_path.iterdir()) == []


def test_a_chunk_that_is_missing_is_told(whole_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiles.zarr"
    shutil.copytree(whole_set, path)
    (path / "image" / "c.3.0.0.0.0").unlink()
    # the rest of a killed write must not count in its place
    (path / "image" / "c.3.0.0.0.0123abcd.partial").write_bytes(b"half")
    with pytest.raises(TileError, match="1 of 10 image chunks are missing"):
        open_tiles(path)


def test_a_folder_of_another_kind_is_spared(little_run: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiles.zarr"
    unfinished_folder(path).mkdir()
    (unfinished_folder(path) / "notes.txt").write_text("mine")
    with pytest.raises(TileError, match=r"holds something else \(notes.txt\)"):
        sample_run(little_run, output=path, overwrite=True, **OPTIONS)
    assert [file.name for file in unfinished_folder(path).iterdir()] == ["notes.txt"]


def test_very_many_tiles_come_in_shards(little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch) -> None:
    path = tmp_path / "tiles.zarr"
    monkeypatch.setattr("specdm.tiles.pieces.MOST_FILES", 4)
    stopped_run(little_run, path, monkeypatch)
    assert "12 of 40" in str(unfinished_words(path))
    sample_run(little_run, output=path, **OPTIONS)
    assert sorted(file.name for file in (path / "mask").iterdir() if file.name != "zarr.json") == [
        f"c.{i}.0.0.0" for i in range(4)
    ]
    opened = xr.open_zarr(path)["image"]
    assert opened.encoding["shards"][0] == 3 * CHUNK and opened.encoding["chunks"][0] == CHUNK
    assert_equal_stores(path, whole_set)
    (path / "mask" / "c.1.0.0.0").unlink()
    with pytest.raises(TileError, match="1 of 4 mask chunks are missing"):
        open_tiles(path)


def test_a_part_or_copy_is_not_taken_for_what_was_sampled(little_run: Path, whole_set: Path, tmp_path: Path) -> None:
    for number, tiles in enumerate([open_tiles(whole_set), open_tiles(whole_set).select(slice(0, N - 1))]):
        tiles.save(tmp_path / f"{number}.zarr")
        with pytest.raises(RunError, match="exists already; add --overwrite"):
            sample_run(little_run, output=tmp_path / f"{number}.zarr", **OPTIONS)


def test_given_tiles_go_on_too(little_run: Path, little_tiles, tmp_path: Path, monkeypatch) -> None:
    from specdm.report.sample_question import Question

    little_tiles.save(tmp_path / "real.zarr")
    question = Question(files=[tmp_path / "real.zarr"], known=["image"])
    sample_run(little_run, output=tmp_path / "whole.zarr", question=question, **OPTIONS)
    stopped_run(little_run, tmp_path / "tiles.zarr", monkeypatch, question=question)
    sample_run(little_run, output=tmp_path / "tiles.zarr", question=question, **OPTIONS)
    assert_equal_stores(tmp_path / "tiles.zarr", tmp_path / "whole.zarr")
    windows = little_tiles.dataset["window_y"].values
    found = open_tiles(tmp_path / "tiles.zarr").dataset["window_y"].values
    assert np.array_equal(found, np.resize(windows, N))
    os.utime(tmp_path / "real.zarr" / "zarr.json", (0, 0))
    with pytest.raises(RunError, match="given"):
        sample_run(little_run, output=tmp_path / "tiles.zarr", question=question, **OPTIONS)


def test_count_is_that_of_the_array_with_least(little_run: Path, tmp_path: Path, monkeypatch) -> None:
    from specdm.tiles.unfinished import Plan

    path = tmp_path / "tiles.zarr"
    stopped_run(little_run, path, monkeypatch, after=5)
    folder = unfinished_folder(path)
    plan = Plan.read(folder)
    assert plan is not None and tiles_there(folder, plan) == 28
    # a file that a writer renames meanwhile is listed, and gone when it is looked at
    (folder / "image" / "c.9.0.0.0.0.0123.partial").symlink_to(tmp_path / "nothing")
    assert tiles_there(folder, plan) == 28
    (folder / "image" / "c.2.0.0.0.0").unlink()
    assert tiles_there(folder, plan) == 8
