"""From the Parquet files of an export back to a tile set, in its order and with all that it had."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import ConfigError, SpecDMError, TileError
from specdm.hub.versions import check_not_newer
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.export.manifest import MANIFEST
from specdm.tiles.export.place import RECORD
from specdm.tiles.export.placed import PLACE_COLUMNS
from specdm.tiles.layout import TILE_SCORES, TileLayout
from specdm.tiles.tile_coords import NUMBER_COORDS, SCENE, TEXT_COORDS
from specdm.tiles.writer import TileStoreWriter, batch_tiles

Row = dict[str, Any]


def read_record(folder: Path, *, where: str) -> dict[str, Any]:
    """`export.json` of Parquet files.

    Args:
        folder: of the export.
        where: what messages call it.

    Raises:
        TileError: it is missing or damaged, of another format, or of a newer version of SpecDM.
    """
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        form = record["format"]
    except FileNotFoundError:
        raise TileError(f"{where}: no tile set of SpecDM: it has no {RECORD}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TileError(f"{where}: {RECORD} is damaged ({error}); send the tile set again") from error
    check_not_newer(record.get("specdm_version"), where=where, error=TileError)
    if form != "hf":
        raise TileError(f"{where}: tiles in the format {form}; expected Parquet files, as specdm push sends them")
    return record


def store_parquet(folder: Path, output: Path, *, where: str) -> None:
    """Write the store that an export to Parquet was made of, in bounded memory; it is there whole or not at all.

    Args:
        folder: what `specdm.tiles.export.export_tiles` wrote in the format hf.
        output: the new store.
        where: what messages call the export.

    Raises:
        ConfigError: the package pyarrow is missing.
        TileError: the export is damaged, or the store cannot be written.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError:
        raise ConfigError(
            'tile sets of the Hub need the package pyarrow, which is not installed; run: pip install "specdm[export]"'
        ) from None
    record = read_record(folder, where=where)
    try:
        layout = _layout(record)
        files = _files(folder)
        left, rows = Counter(files), {name: _rows(folder / name) for name in dict.fromkeys(files)}
        first = next(rows[files[0]])
        with TileStoreWriter(output, layout, len(files), scored=TILE_SCORES in first) as writer:
            batch: list[Row] = []
            for position, name in enumerate(files):
                batch.append(first if position == 0 else next(rows[name]))
                left[name] -= 1
                if not left[name]:
                    # else its file and its last rows would stay till the end
                    rows.pop(name).close()
                if len(batch) == batch_tiles(layout) or position == len(files) - 1:
                    _write(writer, layout, position + 1 - len(batch), batch)
                    batch = []
    except SpecDMError:
        raise
    # pyarrow's own errors are ValueErrors and OSErrors; files with fewer tiles than the manifest says end early
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        reason = " ".join(str(error).split())[:200] or "tiles are missing"
        raise TileError(f"{where}: the tile files are damaged ({reason}); fetch or send them again") from error


def _layout(record: Mapping[str, Any]) -> TileLayout:
    classes = quantities = None
    if "class_value" in record:
        classes = Classes.create(record["class_value"], record["class_name"], record["class_color"])
    if "quantity_name" in record:
        quantities = Quantities.create(
            record["quantity_name"], units=record["quantity_unit"], sum_to_one=record["sum_to_one"]
        )
    numbers = {
        key: None if key not in record else np.array([np.nan if v is None else v for v in record[key]], np.float64)
        for key in ("wavelength", "fwhm")
    }
    return TileLayout(
        size=int(record["size"]),
        n_bands=len(record["band_name"]),
        classes=classes,
        quantities=quantities,
        band_name=record["band_name"],
        dates=record["date"],
        layers=record.get("layer", ()),
        date_sensor=record.get("date_sensor"),
        band_sensor=record.get("band_sensor"),
        image_units=record.get("image_units"),
        attrs=dict(record["attrs"]),
        **numbers,
    )


def _files(folder: Path) -> list[str]:
    """The file of each tile, in the order of the tile set."""
    with open(folder / MANIFEST, encoding="utf-8", newline="") as file:
        names = [line["files"] for line in csv.DictReader(file)]
    if not names:
        raise ValueError(f"{MANIFEST} names no tile")
    return names


def _rows(path: Path) -> Generator[Row, None, None]:
    """The tiles of a file, one group of rows in memory at a time."""
    import pyarrow
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            columns: dict[str, Any] = {}
            table = file.read_row_group(group)
            # a tile's place follows from its scene's, which is among the attributes
            for name in (name for name in table.column_names if name not in PLACE_COLUMNS):
                column = table.column(name).combine_chunks()
                # datasets, where it is loaded, has types of its own for arrays
                column = column.storage if isinstance(column, pyarrow.ExtensionArray) else column
                columns[name] = _array(column) if pyarrow.types.is_list(column.type) else column.to_pylist()
            for i in range(table.num_rows):
                yield {name: values[i] for name, values in columns.items()}


def _array(column: Any) -> np.ndarray:
    """Lists of lists `(n, ...)` as one array; all lists of a level have the same length."""
    import pyarrow

    shape = [len(column)]
    while pyarrow.types.is_list(column.type):
        n = len(column)
        column = column.flatten()
        shape.append(len(column) // max(n, 1))
    return column.to_numpy(zero_copy_only=False).reshape(shape)


def _write(writer: TileStoreWriter, layout: TileLayout, start: int, rows: list[Row]) -> None:
    def stacked(name: str, *shape: int) -> np.ndarray:
        # files leave out an axis of a single date or mask layer
        return np.stack([row[name] for row in rows]).reshape(len(rows), *shape)

    texts = (*TEXT_COORDS, *([SCENE] if SCENE in rows[0] else []))
    coords: dict[str, Any] = {key: np.array([str(row[key]) for row in rows], dtype=str) for key in texts}
    coords |= {key: np.array([row[key] for row in rows], np.int64) for key in NUMBER_COORDS}
    scores = None
    if TILE_SCORES in rows[0]:
        coords[TILE_SCORES] = np.array(
            [np.nan if row[TILE_SCORES] is None else row[TILE_SCORES] for row in rows], np.float32
        )
        scores = stacked("reliability", -1, layout.size, layout.size)
    writer.write(
        start,
        stacked("image", *layout.image_shape),
        stacked("mask", *layout.mask_shape) if layout.layers else None,
        coords,
        stacked("amount", *layout.amount_shape) if layout.quantities is not None else None,
        scores,
    )
