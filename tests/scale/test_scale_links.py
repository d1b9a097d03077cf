"""Shards that end with files of the whole set are linked into it: tiles are on the disk once, whatever is killed."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scale_stores import CHUNK, FORKING, OPTIONS, N, assert_equal_stores, small_pieces

from specdm.errors import RunError, TileError
from specdm.report.merge_run import merge_run
from specdm.report.sample_run import sample_run
from specdm.synthesis.scale.shard import LEAST_PIECES, Shard
from specdm.tiles import resumable_writer
from specdm.tiles.store import open_tiles
from specdm.tiles.unfinished import unfinished_words

FILES = 2 * N // CHUNK
"""Of images and masks."""


@pytest.fixture(scope="module")
def two_shards(little_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the shards of `all.zarr`, of five files an array each."""
    folder = tmp_path_factory.mktemp("linked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("specdm.tiles.writer.CHUNK_TILES", CHUNK)
        for number in (1, 2):
            sample_run(little_run, output=folder / "all.zarr", shard=f"{number}/2", **OPTIONS)
    return folder


@pytest.fixture
def shards(two_shards: Path, tmp_path: Path) -> Path:
    """A copy of `two_shards`."""
    return Path(shutil.copytree(two_shards, tmp_path / "shards"))


def tile_files(store: Path) -> list[Path]:
    return sorted(file for name in ("image", "mask") for file in (store / name).glob("c.*"))


def bytes_on_disk(folder: Path) -> int:
    """Of all files below it, each inode once."""
    stats = {stat.st_ino: stat for file in folder.rglob("*") if (stat := file.stat())}
    return sum(stat.st_blocks for stat in stats.values()) * 512


def content(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_tiles_are_on_the_disk_once(shards: Path, whole_set: Path) -> None:
    output, parts = shards / "all.zarr", [Shard(number, 2).path(shards / "all.zarr") for number in (1, 2)]
    assert [open_tiles(part).dataset["index"].values.tolist() for part in parts] == [[*range(20)], [*range(20, 40)]]
    before = {part: content(part) for part in parts}
    tiles = sum(file.stat().st_blocks * 512 for part in parts for file in tile_files(part))
    used = bytes_on_disk(shards)
    merge_run(output)
    assert_equal_stores(output, whole_set)
    assert len(tile_files(output)) == FILES and all(file.stat().st_nlink == 2 for file in tile_files(output))
    # folders, metadata and coordinates are its own
    own = [file for file in output.rglob("*") if file not in tile_files(output)]
    assert bytes_on_disk(shards) - used <= sum(file.stat().st_blocks * 512 for file in (output, *own)) < 2 * tiles
    assert {part: content(part) for part in parts} == before, "the shards stay as they are"
    for part in parts:
        shutil.rmtree(part)
    assert_equal_stores(output, whole_set)


def test_shards_have_the_files_of_a_whole_set_with_large_ones(
    little_run: Path, whole_set: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr("specdm.tiles.pieces.MOST_FILES", 5)
    monkeypatch.setattr("specdm.synthesis.scale.shard.LEAST_PIECES", 2)
    output = tmp_path / "all.zarr"
    for number in (1, 2):
        sample_run(little_run, output=output, shard=f"{number}/2", **OPTIONS)
    # alone, it would have smaller ones
    assert len(open_tiles(Shard(1, 2).path(output))) == 16 and len(tile_files(Shard(1, 2).path(output))) == 4
    merge_run(output)
    assert len(tile_files(output)) == 10 and all(file.stat().st_nlink == 2 for file in tile_files(output))
    assert_equal_stores(output, whole_set)


def test_what_is_written_into_a_shard_later_stays_out_of_the_whole(shards: Path, whole_set: Path) -> None:
    import zarr

    merge_run(shards / "all.zarr")
    array = zarr.open_array(Shard(1, 2).path(shards / "all.zarr") / "image", mode="r+")
    array[0:CHUNK] = 0
    assert_equal_stores(shards / "all.zarr", whole_set)


class Stop(BaseException):
    pass


@pytest.mark.parametrize("at", range(FILES))
def test_stopped_at_any_file_it_goes_on(at: int, shards: Path, whole_set: Path, monkeypatch) -> None:
    take, calls = resumable_writer.take_file, []

    def stopping(source: Path, target: Path) -> None:
        if len(calls) == at:
            raise Stop
        calls.append(target)
        take(source, target)

    with monkeypatch.context() as patch, pytest.raises(Stop):
        patch.setattr(resumable_writer, "take_file", stopping)
        merge_run(shards / "all.zarr", again="specdm merge all.zarr")
    assert not (shards / "all.zarr").exists()
    assert f"{at // 2 * CHUNK} of 40 tiles are there" in str(unfinished_words(shards / "all.zarr"))
    merge_run(shards / "all.zarr")
    assert_equal_stores(shards / "all.zarr", whole_set)
    assert all(file.stat().st_nlink == 2 for file in tile_files(shards / "all.zarr")), "none is copied"


def _killed(output: Path, what: str, at: int) -> None:
    """Merge, and die by SIGKILL in the call number `at` of a function, before or after it works."""
    small_pieces()
    module, name = (resumable_writer, what) if hasattr(resumable_writer, what) else (os, what)
    real, calls = getattr(module, name), []

    def dying(*arguments: object, **options: object) -> object:
        calls.append(None)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)

    setattr(module, name, dying)
    merge_run(output)


@pytest.mark.parametrize(
    ("what", "at"),
    [
        ("take_file", 1), ("take_file", 2), ("take_file", 11), ("link", 1), ("link", 8), ("write_frame", 1),
        ("put_in_place", 1), ("rename", 1), ("rename", 2), ("rename", 3),
    ],
)  # fmt: skip
def test_killed_it_goes_on_and_no_tile_is_lost(
    what: str, at: int, shards: Path, whole_set: Path, two_shards: Path
) -> None:
    output = shards / "all.zarr"
    process = FORKING.Process(target=_killed, args=(output, what, at))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL
    for number in (1, 2):
        part = Shard(number, 2).path(output)
        assert content(part) == content(Shard(number, 2).path(two_shards / "all.zarr"))
    merge_run(output)
    assert_equal_stores(output, whole_set)
    assert sorted(file.name for file in (output / "image").iterdir()) == sorted(
        file.name for file in (whole_set / "image").iterdir()
    )


class TestAnotherDisk:
    @pytest.fixture(autouse=True)
    def no_links(self, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.link

        def link(source: Path, target: Path) -> None:
            if ".shard-" in str(source):
                raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
            real(source, target)

        monkeypatch.setattr(os, "link", link)

    def test_files_are_copied(self, shards: Path, whole_set: Path) -> None:
        merge_run(shards / "all.zarr")
        assert all(file.stat().st_nlink == 1 for file in tile_files(shards / "all.zarr"))
        assert_equal_stores(shards / "all.zarr", whole_set)

    def test_too_little_room_is_told_before(self, shards: Path, monkeypatch) -> None:
        before = content(shards)
        usage = shutil.disk_usage(shards)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000))
        with pytest.raises(RunError, match=r"2 shards must be copied, .* they take \d+ kB, but 50 kB are free there"):
            merge_run(shards / "all.zarr")
        assert content(shards) == before

    def test_a_full_disk_in_the_middle(self, shards: Path, whole_set: Path, monkeypatch) -> None:
        copy, calls = shutil.copyfile, []

        def copyfile(source: Path, target: Path) -> None:
            calls.append(target)
            if len(calls) == 8:
                target.write_bytes(b"half")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
            copy(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(shutil, "copyfile", copyfile)
            with pytest.raises(TileError, match=r"No space left on device\); 12 of 40 tiles are there and stay"):
                merge_run(shards / "all.zarr")
        merge_run(shards / "all.zarr")
        assert_equal_stores(shards / "all.zarr", whole_set)
        assert not list((shards / "all.zarr").rglob("*.partial"))


def test_linked_tiles_need_no_room(shards: Path, whole_set: Path, monkeypatch) -> None:
    usage = shutil.disk_usage(shards)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000))
    merge_run(shards / "all.zarr")
    assert_equal_stores(shards / "all.zarr", whole_set)


@pytest.mark.parametrize("damage", ["truncated", "missing", "other tiles"])
def test_a_damaged_shard_is_told(damage: str, shards: Path) -> None:
    part = Shard(2, 2).path(shards / "all.zarr")
    file = part / "image" / "c.3.0.0.0.0"
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:100])
    elif damage == "missing":
        file.unlink()
    else:
        shutil.rmtree(part)
        shutil.copytree(Shard(1, 2).path(shards / "all.zarr"), part)
    with pytest.raises((TileError, RunError), match=r"shard-2-of-2\.zarr"):
        merge_run(shards / "all.zarr")
    assert not (shards / "all.zarr").exists()


def test_a_set_that_grows_takes_the_files_it_has(little_run: Path, whole_set: Path, tmp_path: Path) -> None:
    path = tmp_path / "tiles.zarr"
    sample_run(little_run, output=path, **(OPTIONS | {"n": 18}))
    kept = {file.name: file.stat().st_ino for file in tile_files(path) if file.name < "c.4"}
    sample_run(little_run, output=path, **OPTIONS)
    assert_equal_stores(path, whole_set)
    assert kept.items() <= {file.name: file.stat().st_ino for file in tile_files(path)}.items() and len(kept) == 8


@given(st.integers(1, 5000), st.integers(1, 60), st.integers(1, 100))
def test_borders_are_those_of_files_where_shards_are_about_equal(n: int, count: int, piece: int) -> None:
    count = min(count, n)
    ranges = [Shard(number, count).range_of(n, piece=piece) for number in range(1, count + 1)]
    assert [first for first, _ in ranges] == [0, *(stop for _, stop in ranges[:-1])] and ranges[-1][1] == n
    pieces = -(-n // piece)
    if pieces < LEAST_PIECES * count:
        assert ranges == [Shard(number, count).range_of(n) for number in range(1, count + 1)]
        return
    assert all(first % piece == 0 for first, _ in ranges)
    sizes = [-(-(stop - first) // piece) for first, stop in ranges]
    assert max(sizes) - min(sizes) <= 1 and min(sizes) >= LEAST_PIECES
