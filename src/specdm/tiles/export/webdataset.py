"""WebDataset: tar files of up to some hundred tiles, a sample of `.npy` parts and a `.json` a tile."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np

from specdm.tiles.export.npz import axes
from specdm.tiles.export.placed import place_bytes, place_facts, place_lines
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles, nothing_changes
from specdm.tiles.export.set_arrays import set_facts
from specdm.tiles.export.shards import shard_tiles
from specdm.tiles.export.sizes import array_bytes
from specdm.tiles.export.tile import Tile

SHARD_TILES = 1000
SHARD_BYTES = 500_000_000
TAR_BLOCK = 512
TAR_RECORD = 10_240


class WebDatasetFiles:
    """`train-000000.tar` and so on, a row of them for each split; samples are called `tile_00000`."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._digits = folder, source.digits
        self._most = shard_tiles(source, most=SHARD_TILES, n_bytes=SHARD_BYTES)
        self._shared, self._placed = set_facts(source.layout), bool(source.places)
        self._written: dict[str, int] = {}
        self._open: dict[str, tarfile.TarFile] = {}

    def write(self, tile: Tile) -> tuple[str, ...]:
        split = tile.facts["split"]
        written = self._written.get(split, 0)
        name = f"{split}-{written // self._most:06d}.tar"
        if written % self._most == 0:
            if split in self._open:
                self._open.pop(split).close()
            self._open[split] = tarfile.open(self._folder / name, "w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        key = f"tile_{tile.position:0{self._digits}d}"
        for part, array in tile.arrays().items():
            buffer = io.BytesIO()
            np.save(buffer, array, allow_pickle=False)
            self._add(split, f"{key}.{part}.npy", buffer.getvalue())
        place = place_facts(tile.place) if self._placed else {}
        self._add(split, f"{key}.json", json.dumps({**tile.facts, **place, **self._shared}).encode())
        self._written[split] = written + 1
        return (name,)

    def close(self) -> None:
        """Write the ends of the open files; all are closed, whatever happens."""
        errors = []
        for tar in self._open.values():
            try:
                tar.close()
            except OSError as error:
                errors.append(error)
        self._open = {}
        if errors:
            raise errors[0]

    def _add(self, split: str, name: str, content: bytes) -> None:
        # no time and no owner: the same tiles give the same bytes
        facts = tarfile.TarInfo(name)
        facts.size = len(content)
        self._open[split].addfile(facts, io.BytesIO(content))


def _tile_bytes(source: Source) -> int:
    shared = len(json.dumps(set_facts(source.layout))) + 2048 + place_bytes(source, each=2)
    parts = [*array_bytes(source).values(), shared]
    tile = sum(-(-(n + 128) // TAR_BLOCK + 1) * TAR_BLOCK + TAR_BLOCK for n in parts)
    per_shard = shard_tiles(source, most=SHARD_TILES, n_bytes=SHARD_BYTES)
    shards = sum(-(-count // per_shard) for count in source.counts.values())
    return tile + -(-2 * TAR_RECORD * shards // source.n_tiles)


def _layout(source: Source) -> list[str]:
    per_shard = shard_tiles(source, most=SHARD_TILES, n_bytes=SHARD_BYTES)
    return [
        f"`SPLIT-NNNNNN.tar`: up to {per_shard} tiles each, a sample a tile. Its parts, each with the ending `.npy`:",
        *axes(source),
        "`json`: what the manifest says of the tile, and bands, classes and dates of the set.",
        *place_lines(source),
    ]


def _open(folder: Path, source: Source) -> TileFiles:
    return WebDatasetFiles(folder, source)


WEBDATASET = ExportFormat("webdataset", "WebDataset (.tar)", nothing_changes, _tile_bytes, _open, _layout)
