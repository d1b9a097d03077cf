"""`manifest.csv`: a line a tile, with where it comes from and its files."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType

from specdm.tiles.export.protocol import Source
from specdm.tiles.export.tile import Tile
from specdm.tiles.layout import TILE_SCORES
from specdm.tiles.tile_coords import NUMBER_COORDS

MANIFEST = "manifest.csv"
COLUMNS = ("name", "split", "source", "seed", "index", "window_y", "window_x", "files")


class Manifest:
    """Written line by line; use as a context manager.

    Numbers that a tile has not (seeds of real tiles, windows of drawn ones) stay empty; files have semicolons between.
    """

    def __init__(self, folder: Path, source: Source) -> None:
        self._scored = source.scored
        self._file = open(folder / MANIFEST, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._lines = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Manifest:
        self._lines.writerow([*COLUMNS, *([TILE_SCORES] if self._scored else [])])
        return self

    def write(self, tile: Tile, files: tuple[str, ...]) -> None:
        """The line of a tile."""
        facts = {key: "" if key in NUMBER_COORDS and value < 0 else value for key, value in tile.facts.items()}
        line = [facts["tile_name"], *(facts[key] for key in COLUMNS[1:-1]), ";".join(files)]
        if self._scored:
            score = facts[TILE_SCORES]
            line.append("" if score is None else repr(score))
        self._lines.writerow(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
