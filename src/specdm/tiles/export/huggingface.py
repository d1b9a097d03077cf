"""Hugging Face datasets: Parquet files a split, as `datasets.load_dataset(FOLDER)` and the hub read them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import ConfigError
from specdm.tiles.export.npz import axes
from specdm.tiles.export.placed import CRS, TRANSFORM, place_bytes, place_facts, place_lines
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles
from specdm.tiles.export.shards import shard_tiles
from specdm.tiles.export.sizes import array_bytes
from specdm.tiles.export.tile import Tile
from specdm.tiles.layout import TILE_SCORES
from specdm.tiles.tile_coords import NUMBER_COORDS, SCENE, TEXT_COORDS

SHARD_TILES = 2000
SHARD_BYTES = 100_000_000
"""Of a file: its tiles are in memory while it is made."""

ROW_GROUP_TILES = 100


class HuggingFaceFiles:
    """`data/train-00000-of-00003.parquet` and so on."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._source = folder, source
        self._most = shard_tiles(source, most=SHARD_TILES, n_bytes=SHARD_BYTES)
        self._waiting: dict[str, list[Tile]] = {}
        self._shards: dict[str, int] = {}
        self._features: Any = None
        (folder / "data").mkdir()

    def write(self, tile: Tile) -> tuple[str, ...]:
        split = tile.facts["split"]
        waiting = self._waiting.setdefault(split, [])
        waiting.append(tile)
        name = self._name(split)
        done = self._shards.get(split, 0) * self._most + len(waiting)
        if len(waiting) == self._most or done == self._source.counts[split]:
            self._put(name, waiting)
            self._waiting[split] = []
            self._shards[split] = self._shards.get(split, 0) + 1
        return (name,)

    def close(self) -> None:
        """Nothing is left to do: the last tile of a split ends its last file."""

    def _name(self, split: str) -> str:
        of = -(-self._source.counts[split] // self._most)
        return f"data/{split}-{self._shards.get(split, 0):05d}-of-{of:05d}.parquet"

    def _put(self, name: str, tiles: list[Tile]) -> None:
        import pyarrow
        import pyarrow.parquet

        if self._features is None:
            self._features = features(tiles[0], placed=bool(self._source.places))
        schema = self._features.arrow_schema
        arrays = [tile.arrays() for tile in tiles]
        facts = [tile.facts | place_facts(tile.place) for tile in tiles]
        columns = []
        for field in schema:
            if field.name in arrays[0]:
                # built here: datasets.Dataset takes a fingerprint of every table, which newer pyarrow refuses
                nested = nested_lists(np.stack([found[field.name] for found in arrays]))
                columns.append(pyarrow.ExtensionArray.from_storage(field.type, nested))
            else:
                columns.append(pyarrow.array([found[field.name] for found in facts], field.type))
        table = pyarrow.Table.from_arrays(columns, schema=schema)
        # an open file, so that a full disk is told by the system
        with open(self._folder / name, "wb") as file:
            pyarrow.parquet.write_table(table, file, row_group_size=ROW_GROUP_TILES)


def nested_lists(values: np.ndarray) -> Any:
    """An array `(n, ...)` as Arrow's lists of lists, n of them."""
    import pyarrow

    found = pyarrow.array(np.ascontiguousarray(values).ravel())
    for size in values.shape[:0:-1]:
        found = pyarrow.ListArray.from_arrays(pyarrow.array(np.arange(0, len(found) + 1, size), pyarrow.int32()), found)
    return found


def features(tile: Tile, *, placed: bool) -> Any:
    """Columns of a data set of such tiles, as `datasets.Features`; with those of places if some of them have one."""
    import datasets

    texts = (*TEXT_COORDS, *([SCENE] if SCENE in tile.facts else []), *([CRS] if placed else []))
    of: dict[str, Any] = {key: datasets.Value("string") for key in texts}
    of |= {TRANSFORM: datasets.Sequence(datasets.Value("float64"))} if placed else {}
    of |= {key: datasets.Value("int64") for key in NUMBER_COORDS}
    if TILE_SCORES in tile.facts:
        of[TILE_SCORES] = datasets.Value("float32")
    kinds = {2: datasets.Array2D, 3: datasets.Array3D, 4: datasets.Array4D}
    for name, array in tile.arrays().items():
        of[name] = kinds[array.ndim](shape=array.shape, dtype=np.dtype(array.dtype).name)
    return datasets.Features(of)


def _check(source: Source) -> list[str]:
    missing = [package for package in ("datasets", "pyarrow") if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f'the format hf needs the package {missing[0]}, which is not installed; run: pip install "specdm[export]"'
        )
    return []


def _tile_bytes(source: Source) -> int:
    # Parquet keeps for each value where lists begin
    return int(1.3 * sum(array_bytes(source).values())) + 1024 + place_bytes(source) + -(-65_536 // source.n_tiles)


def _layout(source: Source) -> list[str]:
    return [
        '`datasets.load_dataset(FOLDER, split=SPLIT)`, FOLDER being this one or the name of its repository on the Hub; '
        '`.with_format("numpy")` gives arrays. Columns:',
        *axes(source),
        *place_lines(source),
        "and what the manifest says of each tile. Bands, classes and dates of the set are in `export.json`.",
        '`specdm.open_tiles("hf://datasets/OWNER/NAME")` gives the tile set back from the Hub as it was.',
    ]


def _open(folder: Path, source: Source) -> TileFiles:
    return HuggingFaceFiles(folder, source)


HUGGING_FACE = ExportFormat("hf", "Hugging Face datasets (Parquet)", _check, _tile_bytes, _open, _layout)
