"""Shards of a tile set: what each job of a job array draws."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from specdm.errors import RunError

LEAST_PIECES = 4
"""Files that a shard has on average, at the least, if shards end with files."""

_NAME = re.compile(r"(?P<stem>.+)\.shard-(?P<number>\d+)-of-(?P<count>\d+)\.zarr")


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`, from 1 on."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """ "3/100".

        Raises:
            RunError: it is something else.
        """
        match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise RunError(f"--shard {text}: expected a number from 1 on and their count, such as 3/100")
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def range_of(self, n: int, *, piece: int = 1) -> tuple[int, int]:
        """First tile of a set of `n`, and the one after the last.

        Args:
            n: tiles of the set.
            piece: tiles of a file of the set. Shards end with a file where they then differ by a quarter at the most
                (`LEAST_PIECES`), so that the whole set can have their files.

        Raises:
            RunError: there are more shards than tiles.
        """
        if self.count > n:
            raise RunError(f"--shard {self}: {self.count} shards of {n} tiles; expected at most one a tile")
        unit = piece if ends_with_files(n, count=self.count, piece=piece) else 1
        units = ceil(n / unit)
        first, stop = ((number * units // self.count) * unit for number in (self.number - 1, self.number))
        return first, min(stop, n)

    def path(self, whole: Path) -> Path:
        """Its own tile set, beside the whole one."""
        number = str(self.number).zfill(len(str(self.count)))
        return whole.with_name(f"{_stem(whole)}.shard-{number}-of-{self.count}.zarr")


def ends_with_files(n: int, *, count: int, piece: int) -> bool:
    """Whether shards of a set of `n` tiles end with its files, of `piece` tiles each."""
    return ceil(n / piece) >= LEAST_PIECES * count


def shards_beside(whole: Path) -> dict[Path, Shard]:
    """Shards of a tile set that are there by their names, in order; finished ones only."""
    found = {}
    for path in whole.parent.glob("*.zarr"):
        match = _NAME.fullmatch(path.name)
        if match is not None and match["stem"] == _stem(whole):
            found[path] = Shard(int(match["number"]), int(match["count"]))
    return dict(sorted(found.items(), key=lambda item: (item[1].count, item[1].number)))


def _stem(whole: Path) -> str:
    return whole.name.removesuffix(".zarr")
