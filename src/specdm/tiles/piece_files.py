"""Files of tiles taken over from another store as they are, so that the disk holds them once."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from specdm.tiles.leftovers import partial_folder


def same_but_for_length(array: Path, other: Path) -> bool:
    """Whether two arrays of tiles differ in their number of tiles alone: a file of one may then be a file of the other.

    Args:
        array, other: folders of Zarr arrays; one that is missing is like none.
    """
    one, two = _described(array), _described(other)
    return one is not None and one == two


def piece_file(array: Path, number: int) -> Path:
    """The file of an array that holds its piece `number`, all of the other axes."""
    axes = len(json.loads((array / "zarr.json").read_text(encoding="utf-8"))["shape"])
    return array / ".".join(["c", str(number), *["0"] * (axes - 1)])


def take_file(source: Path, target: Path) -> None:
    """Make `target` the same file as `source`, whole or not at all; a copy of it where the disk has no links.

    Neither changes with the other: Zarr puts a new file in the place of one that is written again.

    Raises:
        OSError: `source` is not there, or the disk is full.
    """
    # a link that is there already would stay beside its twin: renaming one to the other does nothing
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
        shutil.copyfile(source, partial)
        os.replace(partial, target)


def can_link(store: Path, path: Path) -> bool:
    """Whether files of a store can be linked into another one that is to be at `path`, in a folder that is there."""
    trial = partial_folder(path)
    try:
        trial.mkdir()
        os.link(store / "zarr.json", trial / "zarr.json")
    except OSError:
        return False
    finally:
        shutil.rmtree(trial, ignore_errors=True)
    return True


def _described(array: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((array / "zarr.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    # attributes say nothing of how files are written
    return {key: value for key, value in record.items() if key != "attributes"} | {"shape": record["shape"][1:]}
