"""`manifest.csv`: a line a tile, with where it comes from and its files."""

from __future__ import annotations

import csv
from pathlib import Path
from types import TracebackType
from typing import Any

from specdm.tiles.export.placed import PLACE_COLUMNS, place_facts
from specdm.tiles.export.protocol import Source
from specdm.tiles.export.tile import Tile
from specdm.tiles.layout import TILE_SCORES
from specdm.tiles.tile_coords import NUMBER_COORDS, SCENE

MANIFEST = "manifest.csv"
COLUMNS = ("name", "split", "source", "seed", "index", "window_y", "window_x", "files")


class Manifest:
    """Written line by line; use as a context manager.

    Numbers that a tile has not (seeds of real tiles, windows of drawn ones) stay empty, as does the place of a tile
    that has none; files have semicolons between, numbers of a transform blanks.
    """

    def __init__(self, folder: Path, source: Source) -> None:
        self._more = [TILE_SCORES] if source.scored else []
        self._more += [SCENE] if source.scenes else []
        self._more += PLACE_COLUMNS if source.places else []
        self._file = open(folder / MANIFEST, "w", encoding="utf-8", newline="")  # noqa: SIM115
        self._lines = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Manifest:
        self._lines.writerow([*COLUMNS, *self._more])
        return self

    def write(self, tile: Tile, files: tuple[str, ...]) -> None:
        """The line of a tile."""
        facts = {key: "" if key in NUMBER_COORDS and value < 0 else value for key, value in tile.facts.items()}
        further = facts | place_facts(tile.place)
        line = [facts["tile_name"], *(facts[key] for key in COLUMNS[1:-1]), ";".join(files)]
        self._lines.writerow([*line, *(_cell(further[key]) for key in self._more)])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(map(repr, value))
    return value if isinstance(value, str) else repr(value)
