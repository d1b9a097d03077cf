"""What killed writers leave is swept by the next one, and nothing else is."""

import os
import subprocess
import sys
import time

import numpy as np

from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.leftovers import HOUR, WEEK, partial_folder, sweep_leftovers
from specdm.tiles.store import TileStoreWriter, open_tiles


def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def leave(path, *, idle, pid=None):
    """A folder as a writer of `pid` (default: this process) leaves it, last written `idle` seconds ago."""
    folder = partial_folder(path)
    if pid is not None:
        folder = folder.with_name(folder.name.replace(f"-{os.getpid()}-", f"-{pid}-"))
    (folder / "image").mkdir(parents=True)
    (folder / "image" / "c.0").write_bytes(b"half")
    for entry in (folder / "image" / "c.0", folder / "image", folder):
        os.utime(entry, (time.time() - idle,) * 2)
    return folder


def test_only_what_no_writer_can_be_at_is_swept(tmp_path):
    path, gone = tmp_path / "t.zarr", dead_pid()
    stale = leave(path, idle=2 * HOUR, pid=gone)
    ancient = leave(path, idle=2 * WEEK)
    kept = [
        leave(path, idle=0, pid=gone),  # a process number of another container may look dead
        leave(path, idle=2 * HOUR),  # a slow writer that lives
        leave(tmp_path / "other.zarr", idle=2 * WEEK, pid=gone),
        leave(tmp_path / "t.zarr.more", idle=2 * WEEK, pid=gone),
    ]
    elsewhere = leave(path, idle=2 * HOUR, pid=gone)
    kept.append(elsewhere.rename(elsewhere.with_name(f".t.zarr.another_node-{gone}-0123abcd.partial")))
    mine = tmp_path / ".t.zarr.notes.partial"
    mine.mkdir()
    os.utime(mine, (0, 0))
    assert set(sweep_leftovers(path)) == {stale, ancient}
    assert all(folder.exists() for folder in [*kept, mine])


def test_folders_named_before_processes_were_go_after_a_week(tmp_path):
    path = tmp_path / "t.zarr"
    young, old = (
        leave(path, idle=idle).rename(tmp_path / f".t.zarr.{name}.partial")
        for name, idle in (("0123abcd", 2 * HOUR), ("89abcdef", 2 * WEEK))
    )
    assert sweep_leftovers(path) == [old]
    assert young.exists() and not old.exists()


def test_a_chunk_just_written_keeps_the_folder(tmp_path):
    folder = leave(tmp_path / "t.zarr", idle=2 * HOUR, pid=dead_pid())
    os.utime(folder / "image" / "c.0")
    assert not sweep_leftovers(tmp_path / "t.zarr")


def test_a_replaced_store_goes_only_where_there_is_a_new_one(tmp_path):
    path = tmp_path / "t.zarr"
    old = leave(path, idle=2 * WEEK)
    old = old.rename(old.with_suffix(".old"))
    assert not sweep_leftovers(path)
    path.mkdir()
    assert sweep_leftovers(path) == [old]


def test_a_new_writer_sweeps(tmp_path):
    leave(tmp_path / "t.zarr", idle=2 * HOUR, pid=dead_pid())
    with TileStoreWriter(tmp_path / "t.zarr", TileLayout(size=2, n_bands=1), 1) as writer:
        coords = tile_coords(1, split="synthetic", source="m")
        writer.write(0, np.ones((1, 1, 1, 2, 2), np.float32), np.full((1, 1, 2, 2), -1, np.int16), coords)
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.zarr"]
    assert len(open_tiles(tmp_path / "t.zarr")) == 1
