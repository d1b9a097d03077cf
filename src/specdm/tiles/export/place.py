"""The folder of an export: whether it may be made, whether it fits, and that it is there whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from specdm.errors import TileError
from specdm.tiles.export.sizes import readable
from specdm.tiles.leftovers import leftovers, partial_folder, take_place

RECORD = "export.json"
"""File by which a folder is known as an export."""


def check_place(folder: Path, *, overwrite: bool) -> None:
    """Raise TileError unless the folder is free, or is an earlier export (or empty) that may be replaced."""
    if not (folder.exists() or folder.is_symlink()):
        place = existing_parent(folder)
        if not place.is_dir():
            raise TileError(f"{folder} cannot be a folder: {place} is a file; choose another place")
        return
    if not overwrite:
        raise TileError(f"{folder} exists already; add --overwrite to replace it, or choose another name")
    if not folder.is_dir() or folder.is_symlink() or not (_is_export(folder) or not any(folder.iterdir())):
        raise TileError(f"{folder} is no earlier export, so it is not replaced; choose another name")


def check_space(folder: Path, needed: int) -> None:
    """Raise TileError if an export of so many bytes does not fit on the disk; leftovers beside it are named."""
    free = shutil.disk_usage(existing_parent(folder)).free
    if needed > free:
        left = ", ".join(str(place) for place in leftovers(folder.absolute()))
        remove = f", or remove what an export that was stopped has left ({left}), unless one is at work" if left else ""
        raise TileError(
            f"{folder}: the export takes up to {readable(needed)}, but only {readable(free)} are free on that disk; "
            f"nothing was written; choose another place, or export fewer tiles{remove}"
        )


def existing_parent(folder: Path) -> Path:
    """The nearest folder (or file) above that is there."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


@contextmanager
def new_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A hidden folder beside, which gets the name when all of it is written, and goes away otherwise.

    Raises:
        TileError: the disk does not take it.
    """
    partial = partial_folder(folder.absolute())
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        check_place(folder, overwrite=overwrite)
        take_place(partial, folder)
    except OSError as error:
        raise TileError(
            f"{folder}: the export cannot be written ({error.strerror or error}); nothing is left of it; choose "
            "another place"
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _is_export(folder: Path) -> bool:
    try:
        record: Any = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return "specdm_version" in record and "format" in record
    except (OSError, ValueError, TypeError):
        return False
