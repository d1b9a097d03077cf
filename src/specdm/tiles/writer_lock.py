"""The lock of a folder into which one process at a time may write: of a growing tile set, of a run, of its parts."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK, WRITER = "lock", "writer.txt"
"""Files of a lock: the lock itself, and who holds it, in words for others that come."""


class Busy(Exception):
    """Another process holds the lock; its text says which, such as "process 12 on node1"."""


class WriterLock:
    """Held from `take` to `release`.

    The lock is the system's own, so that of a process that was killed is gone with it. Its file stays: taken away, a
    writer that has just opened it and one that makes it anew would hold a lock each.

    Attributes:
        folder: holds `LOCK` and `WRITER`; made if need be.
        held: whether this lock has been taken.
    """

    def __init__(self, folder: Path, *, what: str | None = None, nested: bool = False) -> None:
        """Nothing is locked yet.

        Args:
            folder: a folder.
            what: the work, for others that come, such as "training".
            nested: whether the same thread of this process may take it again while it holds it; else that is refused
                too.
        """
        self.folder = folder
        self.held = False
        self._what, self._nested, self._outermost = what, nested, True
        self._made: list[Path] = []
        self._lock: BaseFileLock | None = None

    def take(self) -> None:
        """Take the lock at once or not at all.

        Raises:
            Busy: another process has it.
            OSError: the folder cannot be made or written.
        """
        from filelock import FileLock, Timeout

        # nearest first
        self._made = [place for place in (self.folder, *self.folder.parents) if not place.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder.resolve() / LOCK, timeout=0, is_singleton=self._nested)
        self._outermost = not lock.is_locked
        try:
            lock.acquire()
        except Timeout:
            raise Busy(self._writer()) from None
        except NotImplementedError:
            # a disk that has no locks, such as Lustre mounted without them, must not keep one writer from working
            self.held = True
            return
        except OSError:
            self._unmake()
            raise
        self._lock, self.held = lock, True
        if self._outermost:
            self._sign()

    def release(self, *, unused: bool = False) -> None:
        """Let others write; nothing if it is not held.

        Args:
            unused: nothing was begun: the files of the lock, and the folder if it is empty then, are taken away too.
        """
        if not self.held:
            return
        if self._outermost:
            with suppress(OSError):
                (self.folder / WRITER).unlink(missing_ok=True)
                if unused:
                    (self.folder / LOCK).unlink(missing_ok=True)
                    self.folder.rmdir()
            self._unmake()
        if self._lock is not None:
            self._lock.release()
        self._lock, self.held = None, False

    def _unmake(self) -> None:
        """Take away folders that were made for the lock, if nothing has come into them."""
        for place in self._made:
            files = {item.name for item in place.iterdir()} if place.is_dir() else set()
            if place == self.folder and files == {LOCK}:
                with suppress(OSError):
                    (place / LOCK).unlink()
            try:
                place.rmdir()
            except OSError:
                return

    def _sign(self) -> None:
        who = f"process {os.getpid()} on {platform.node() or 'this machine'}"
        with suppress(OSError):  # a full disk keeps nobody from what needs no room
            (self.folder / WRITER).write_text(f"{self._what}, {who}" if self._what else who)

    def _writer(self) -> str:
        try:
            return (self.folder / WRITER).read_text().strip() or "unknown"
        except OSError:
            return "unknown"
