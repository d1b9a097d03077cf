"""One writer at a time of a tile set: who makes it, replaces it, or puts scores into it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from specdm.errors import TileError
from specdm.tiles.unfinished import PLAN, unfinished_folder
from specdm.tiles.writer_lock import Busy, WriterLock


def take_store_lock(path: Path) -> WriterLock:
    """Take the lock of the tile set that is, or will be, at `path`; give it back with `release_store_lock`.

    Raises:
        TileError: another process is writing it.
        OSError: the place takes no files.
    """
    lock = WriterLock(unfinished_folder(path))
    try:
        lock.take()
    except Busy as busy:
        raise TileError(
            f"{path}: another process ({busy}) is writing this tile set; wait for it, or choose another name"
        ) from None
    return lock


def release_store_lock(lock: WriterLock) -> None:
    """Let others write; of an unfinished set what is there stays."""
    lock.release(unused=not (lock.folder / PLAN).exists())


@contextmanager
def store_lock(path: Path) -> Iterator[None]:
    """Hold the lock of a tile set in a block.

    Raises:
        TileError: another process is writing it, or the place takes no files.
    """
    try:
        lock = take_store_lock(path)
    except OSError as error:
        raise TileError(
            f"{path}: nothing can be written there ({error.strerror or error}); choose another place, or copy it to one"
        ) from error
    try:
        yield
    finally:
        release_store_lock(lock)
