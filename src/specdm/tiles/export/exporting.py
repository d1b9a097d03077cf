"""Writing a tile set as files of another format, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from specdm.errors import TileError
from specdm.tiles.export.card import dataset_card
from specdm.tiles.export.card_parts import licence_of, public_attrs
from specdm.tiles.export.formats import find_format
from specdm.tiles.export.manifest import Manifest
from specdm.tiles.export.place import RECORD, check_place, check_space, new_folder
from specdm.tiles.export.protocol import Source
from specdm.tiles.export.set_arrays import set_facts
from specdm.tiles.export.tally import Tally
from specdm.tiles.export.tile import each_tile
from specdm.tiles.leftovers import sweep_leftovers
from specdm.tiles.tileset import TileSet
from specdm.version import __version__

CARD = "README.md"
SPARE_BYTES = 1_000_000
LINE_BYTES = 1024
"""For what lies beside the tiles: a line of the manifest takes less than the latter."""


def export_tiles(
    tiles: TileSet,
    *,
    format: str,
    folder: Path,
    overwrite: bool = False,
    callback: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] | None = None,
    before: Callable[[], None] | None = None,
) -> Path:
    """Write tiles as files of another format, with `manifest.csv`, a data set card `README.md` and `export.json`.

    Values are written as they are: float32, neither scaled nor clipped. Memory stays bounded. The folder appears when
    all is written; after an error nothing is left.

    Args:
        tiles: any tile set.
        format: one of `FORMATS`.
        folder: new folder.
        overwrite: replace an earlier export of that name, at the very end. Anything else is never replaced.
        callback: called with (tiles done, all).
        say: called with a line for each thing that is written otherwise than it stands in the tile set.
        before: called once all has been checked, before anything is written; what it raises ends the export.

    Returns:
        The folder.

    Raises:
        ConfigError: no such format, or a package that it needs is missing.
        TileError: the folder exists, the tiles do not fit on the disk or into the format, the tile set is empty or
            damaged, or the disk does not take the files.
    """
    entry, folder = find_format(format), Path(folder)
    if not len(tiles):
        raise TileError(f"{tiles.where} has no tiles; there is nothing to export")
    check_place(folder, overwrite=overwrite)
    source = Source.of(tiles)
    try:
        changes = entry.check(source)
    except TileError as error:
        raise TileError(f"{tiles.where}: {error}") from None
    # what killed exports have left goes before room is asked for
    sweep_leftovers(folder.absolute())
    line = LINE_BYTES + 2 * source.crs_length
    check_space(folder, len(tiles) * (entry.tile_bytes(source) + line) + SPARE_BYTES)
    for change in changes if say is not None else ():
        say(change)  # type: ignore[misc]
    if before is not None:
        before()

    tally = Tally(source.layout)
    with new_folder(folder, overwrite=overwrite) as partial:
        files = entry.open(partial, source)
        with Manifest(partial, source) as manifest:
            try:
                for tile in each_tile(tiles):
                    manifest.write(tile, files.write(tile))
                    tally.add(tile)
                    if callback is not None:
                        callback(tile.position + 1, len(tiles))
            finally:
                files.close()
        card = dataset_card(entry, source, tally, changes=changes, provenance=tiles.provenance)
        (partial / CARD).write_text(card, encoding="utf-8", newline="\n")
        record = _record(entry.name, source, tally)
        (partial / RECORD).write_text(json.dumps(record, indent=1, ensure_ascii=False), encoding="utf-8")
    return folder


def _record(name: str, source: Source, tally: Tally) -> dict[str, Any]:
    attrs = source.layout.attrs
    return {
        "specdm_version": __version__,
        "format": name,
        "tiles": source.counts,
        "georeferenced": source.n_placed,
        "size": source.layout.size,
        "task": source.layout.task,
        "citation": attrs.get("citation"),
        "licence": licence_of(attrs),
        "note": attrs.get("note"),
        "class_pixels": [int(count) for count in tally.classes],
        **set_facts(source.layout),
        "attrs": public_attrs(attrs),
    }
