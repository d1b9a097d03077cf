"""Which files lie beside a file, whatever the case of their letters; a folder of many is listed once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_SETTLED_NS = 3_000_000_000
"""Age from which a folder's time of change is trusted: some file systems count in steps of two seconds, and a file
added within one step leaves the time as it was."""


def files_beside(path: Path, names: Iterable[str]) -> list[Path]:
    """The files of the same folder that have one of these names in lower case, sorted, without `path` itself."""
    listing = _names_in(path.parent)
    found = [path.parent / own for name in set(names) for own in listing.get(name, ())]
    return sorted(other for other in found if other != path and other.is_file())


def _names_in(folder: Path) -> dict[str, tuple[str, ...]]:
    """Names in a folder by their lower case; none if it cannot be listed."""
    try:
        stat = folder.stat()
        # tools that copy folders set the first time back, but nobody sets the second
        changed = (stat.st_mtime_ns, stat.st_ctime_ns)
        if time.time_ns() - max(changed) < _SETTLED_NS:
            return _listed(folder)
        return _listed_once(folder.absolute(), changed)
    except OSError:
        return {}


@lru_cache(maxsize=16)
def _listed_once(folder: Path, changed: tuple[int, int]) -> dict[str, tuple[str, ...]]:
    """As `_listed`, kept until the folder changes."""
    return _listed(folder)


def _listed(folder: Path) -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for name in os.listdir(folder):
        names[name.lower()] = (*names.get(name.lower(), ()), name)
    return names
