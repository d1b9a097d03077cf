"""What a format of exported files has to say and do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from specdm.tiles.export.tile import Tile
from specdm.tiles.georeference import Place, TilePlaces, scene_places
from specdm.tiles.layout import TileLayout
from specdm.tiles.tile_coords import SCENE, SPLITS
from specdm.tiles.tileset import TileSet


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
        scenes: whether drawn tiles name the scene of which their windows are.
        places: where the scenes lie of which there are tiles; empty if no tile has a place.
        n_placed: tiles that have one.
    """

    layout: TileLayout
    scored: bool
    counts: dict[str, int]
    scenes: bool = False
    places: tuple[Place, ...] = ()
    n_placed: int = 0

    @classmethod
    def of(cls, tiles: TileSet) -> Source:
        """What is to be known of a tile set."""
        found = dict(zip(*np.unique(tiles.split, return_counts=True), strict=True))
        counts = {split: int(found[split]) for split in SPLITS if split in found}
        known, placed = scene_places(tiles.dataset.attrs), TilePlaces(tiles.dataset).counted()
        places = tuple(dict.fromkeys(known[name] for name in placed))
        return cls(
            tiles.layout, tiles.scored, counts, SCENE in tiles.dataset.coords, places, n_placed=sum(placed.values())
        )

    @property
    def n_tiles(self) -> int:
        return sum(self.counts.values())

    @property
    def crs_length(self) -> int:
        """Characters of the longest coordinate reference system."""
        return max((len(place.crs_wkt or "") for place in self.places), default=0)

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
