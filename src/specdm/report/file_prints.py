"""What tells whether a file is still what it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from specdm.scenes.readers.detect import envi_data_of, envi_header_of

SAMPLED_BYTES = 64 * 2**20
"""Read of a large file, in pieces spread over it."""

PIECE_BYTES = 2**16


def print_of(file: Path) -> list[Any]:
    """Name, size and time of a file, which another one hardly shares; of a folder those of all within."""
    stats = [path.stat() for path in _inside(file)]
    return [file.name, sum(stat.st_size for stat in stats), max((stat.st_mtime_ns for stat in stats), default=0)]


def full_print_of(file: Path) -> list[Any]:
    """`print_of`, and a digest of what is in it, which stays the same in a copy of another time."""
    inside = _inside(file)
    digest = hashlib.sha256()
    for path in inside:
        digest.update(f"{path.name} {path.stat().st_size}\n".encode())
        _read_pieces(path, digest, most=max(PIECE_BYTES, SAMPLED_BYTES // len(inside)))
    return [*print_of(file), digest.hexdigest()]


def changed_file(prints: Mapping[str, list[Any]]) -> str | None:
    """The first of some files that is there and not what it was when its `full_print_of` was taken, by path."""
    for path, known in prints.items():
        file = Path(path)
        if file.exists() and print_of(file) != known[:-1] and full_print_of(file)[-1] != known[-1]:
            return path
    return None


def _inside(file: Path) -> list[Path]:
    """The files that make it. An ENVI header and its data are one file in two."""
    if (file / "zarr.json").is_file():
        return [file / "zarr.json"]
    if file.is_dir():
        return sorted(path for path in file.rglob("*") if path.is_file())
    if not file.exists():
        return []
    beside = envi_data_of(file) if file.suffix.lower() == ".hdr" else envi_header_of(file)
    return [file] if beside is None else [file, beside]


def _read_pieces(path: Path, digest: Any, *, most: int) -> None:
    size = path.stat().st_size
    pieces = max(1, min(most, size) // PIECE_BYTES)
    with path.open("rb") as file:
        for piece in range(pieces + 1):
            file.seek(max(0, size - PIECE_BYTES) * piece // pieces)
            digest.update(file.read(PIECE_BYTES))
