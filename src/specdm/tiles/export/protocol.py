"""What a format of exported files has to say and do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from specdm.tiles.export.tile import Tile
from specdm.tiles.layout import TileLayout


class TileFiles(Protocol):
    """Writes tiles, one after the other, into a folder that is there."""

    def write(self, tile: Tile) -> tuple[str, ...]:
        """Write a tile; the names of its files, relative to the folder."""

    def close(self) -> None:
        """Finish what is open. Called once, after the last tile or after an error."""


@dataclass(frozen=True)
class Source:
    """What is exported, but for the tiles.

    Attributes:
        layout: of the tile set.
        scored: whether its tiles have scores of reliability.
        counts: split -> tiles of it.
    """

    layout: TileLayout
    scored: bool
    counts: dict[str, int]

    @property
    def n_tiles(self) -> int:
        return sum(self.counts.values())

    @property
    def digits(self) -> int:
        """Digits of a tile's number in the names of files."""
        return max(5, len(str(self.n_tiles - 1)))


@dataclass(frozen=True)
class ExportFormat:
    """A format.

    Attributes:
        name: what one types.
        title: what one reads.
        check: raises TileError with what would be lost if the format cannot hold the tiles, or ConfigError if a
            package is missing; returns what is written otherwise than it stands in the tile set, one line each.
        tile_bytes: bytes that a tile takes on the disk, at the most.
        open: files in a folder.
        layout: how the data lies in the files, for the data set card: lines of Markdown.
    """

    name: str
    title: str
    check: Callable[[Source], list[str]]
    tile_bytes: Callable[[Source], int]
    open: Callable[[Path, Source], TileFiles]
    layout: Callable[[Source], list[str]]


def nothing_changes(source: Source) -> list[str]:
    """`ExportFormat.check` of a format that holds every tile set as it is."""
    return []
