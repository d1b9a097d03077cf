"""Shards of a tile set: what each job of a job array draws."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from specdm.errors import RunError

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

    def range_of(self, n: int) -> tuple[int, int]:
        """First tile of a set of `n`, and the one after the last.

        Raises:
            RunError: there are more shards than tiles.
        """
        if self.count > n:
            raise RunError(f"--shard {self}: {self.count} shards of {n} tiles; expected at most one a tile")
        return (self.number - 1) * n // self.count, self.number * n // self.count

    def path(self, whole: Path) -> Path:
        """Its own tile set, beside the whole one."""
        number = str(self.number).zfill(len(str(self.count)))
        return whole.with_name(f"{_stem(whole)}.shard-{number}-of-{self.count}.zarr")


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
