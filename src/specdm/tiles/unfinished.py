"""Tile sets that are written piece by piece: what is there of one, and how it goes on.

A set of the name `NAME.zarr` grows in the folder `NAME.zarr.partial` beside it: each array of tiles in a folder of its
own, and `plan.json`, which says what it will be. It is no Zarr group, so nothing opens it as if it were whole. A
piece is a file of each array (a chunk, or a shard of several), put in place whole; so what is there can be counted.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from specdm.errors import TileError

SUFFIX = ".partial"
PLAN = "plan.json"
HEAD = "head"
"""Folder within, in which all is gathered in the end."""

_PIECE = re.compile(r"c\.(\d+)(\.0)+")


@dataclass(frozen=True)
class Plan:
    """What a tile set will be.

    Attributes:
        n_tiles: tiles there will be.
        chunk: tiles that are read together.
        piece: tiles of a file, a multiple of `chunk`.
        arrays: names of the arrays of tiles.
        record: what the tiles are made of, by name, as plain values.
        again: command that goes on, if there is one.
    """

    n_tiles: int
    chunk: int
    piece: int
    arrays: list[str]
    record: dict[str, Any]
    again: str | None

    @classmethod
    def read(cls, folder: Path) -> Plan | None:
        """The plan in a folder; None if there is none.

        Raises:
            TileError: it is damaged.
        """
        try:
            return cls(**json.loads((folder / PLAN).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (ValueError, TypeError) as error:
            raise TileError(f"{folder / PLAN} is damaged ({error}); remove {folder} to start anew") from error

    def write(self, folder: Path) -> None:
        """Put it into a folder, whole or not at all."""
        new = folder / f"{PLAN}.new"
        new.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        os.replace(new, folder / PLAN)


def differences(there: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """In what records differ, such as "seed 0, not 1"; empty if in nothing. What a record has not is None in it."""
    keys = [key for key in dict.fromkeys([*asked, *there]) if there.get(key) != asked.get(key)]
    return ", ".join(f"{key} {_word(there.get(key))}, not {_word(asked.get(key))}" for key in keys)


def unfinished_folder(path: Path) -> Path:
    """Where the tile set that will be at `path` grows."""
    return path.with_name(path.name + SUFFIX)


def array_folder(folder: Path, name: str) -> Path:
    """Where an array of a growing tile set is; its writer may have been killed while gathering all in `HEAD`."""
    gathered = folder / HEAD / name
    return gathered if gathered.exists() and not (folder / name).exists() else folder / name


def piece_number(file_name: str) -> int | None:
    """Number of the piece that a file of an array is; None if it is none, such as what a killed writer left."""
    match = _PIECE.fullmatch(file_name)
    return None if match is None else int(match[1])


def tiles_there(folder: Path, plan: Plan) -> int:
    """How many tiles are there, from the first on, in all arrays."""
    counts = []
    for name in plan.arrays:
        found: set[int] = set()
        where = array_folder(folder, name)
        if where.is_dir():
            with os.scandir(where) as entries:
                for entry in entries:
                    # what a writer is about to rename may be gone when it is looked at
                    number = piece_number(entry.name)
                    # an empty file is what a machine that lost its power has left
                    if number is not None and entry.stat().st_size > 0:
                        found.add(number)
        counts.append(next(count for count in range(len(found) + 1) if count not in found))
    return min(min(counts) * plan.piece, plan.n_tiles)


def unfinished_words(path: Path) -> str | None:
    """What is to be said of a tile set of this name, or in this folder, that is not whole; None if there is none.

    Raises:
        TileError: its plan is damaged.
    """
    folder = path if path.name.endswith(SUFFIX) else unfinished_folder(path)
    plan = Plan.read(folder)
    if plan is None:
        return None
    there = tiles_there(folder, plan)
    return f"{path} is not finished: {there:,} of {plan.n_tiles:,} tiles are there; go on with: {how_to_go_on(plan)}"


def how_to_go_on(plan: Plan) -> str:
    return plan.again or "the same call again"


def _word(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return "unset" if value is None else str(value)
