"""What killed writers leave beside a store, and when it is safe to take it away.

A writer works in the hidden folder `.NAME.NODE-PID-XXXXXXXX.partial` beside its store and removes it in the end.
If it is killed, nobody does. The next writer of that name takes such a folder away, under a rule that spares
every writer that may still be at work:

- made on this machine by a process that is gone, and nothing in it written for an hour (process numbers
  are used again, and containers may share a machine's name but not its processes);
- or, whoever made it, nothing in it written for a week.

A store about to be replaced is `....old` for a moment; it is taken away too, but only where there is a new one.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import time
import uuid
from pathlib import Path

HOUR = 3600.0
WEEK = 7 * 24 * HOUR
_FOLDER = r"(?:(?P<node>[^.]+)-(?P<pid>\d+)-)?[0-9a-f]{8}\.(?P<kind>partial|old)"


def partial_folder(path: Path) -> Path:
    """A new name for the folder in which a writer makes the store at `path`."""
    # the node's name is shortened: a file's name must not exceed 255 bytes
    return path.with_name(f".{path.name}.{_node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}.partial")


def take_place(folder: Path, path: Path) -> None:
    """Rename a finished folder to `path`, in the place of what is there.

    Raises:
        OSError: it cannot be renamed; what was at `path` is there as before.
    """
    old = partial_folder(path).with_suffix(".old")
    if path.exists():
        os.rename(path, old)
    try:
        os.rename(folder, path)
    except OSError:
        if old.exists():
            os.rename(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def sweep_leftovers(path: Path) -> list[Path]:
    """Remove what killed writers of the store at `path` have left, under the rule above.

    Never raises: what cannot be removed stays.

    Returns:
        The folders that were removed.
    """
    removed = []
    for folder, match in _beside(path):
        if match["kind"] == "old" and not path.exists():
            continue
        idle = time.time() - _last_written(folder)
        gone = match["pid"] is not None and match["node"] == _node() and not _alive(int(match["pid"]))
        if idle > WEEK or (gone and idle > HOUR):
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder)
    return removed


def leftovers(path: Path) -> list[Path]:
    """What writers of the store at `path`, killed or at work, have beside it."""
    return sorted(folder for folder, _ in _beside(path))


def _beside(path: Path) -> list[tuple[Path, re.Match[str]]]:
    try:
        beside = list(path.parent.iterdir())
    except OSError:
        return []
    found = [(folder, re.fullmatch(re.escape(f".{path.name}.") + _FOLDER, folder.name)) for folder in beside]
    return [
        (folder, match)
        for folder, match in found
        if match is not None and folder.is_dir() and not folder.is_symlink()
    ]


def _node() -> str:
    # without dots, so that a folder of the store "a.zarr.b" is never taken for one of "a.zarr"
    return re.sub(r"[^\w-]", "_", platform.node())[:40] or "unknown"


def _last_written(folder: Path) -> float:
    """When something in it was last written, seconds since 1970; now if that cannot be told."""
    try:
        # every chunk is a file right in the folder of its array
        return max(entry.stat().st_mtime for entry in (folder, *folder.iterdir(), *folder.glob("*/*")))
    except OSError:
        return time.time()


def _alive(pid: int) -> bool:
    """Whether a process of this machine is there; yes where that cannot be told."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)  # sends nothing
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
