"""Scores of reliability put into a tile set that is on disk, part by part in bounded memory.

The arrays are written beside the store and moved into it when they are whole; the store names them last. So whoever
opens it, also after a writer was killed, finds all scores or none.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.tiles.layout import SCORE_ATTRS, SCORE_DIMS, TILE_SCORES, TileLayout
from specdm.tiles.leftovers import partial_folder, sweep_leftovers
from specdm.tiles.scores import SCORES, check_scores, split_scores
from specdm.tiles.store_whole import NO_AMOUNT
from specdm.tiles.writer import chunk_tiles, create_array

METADATA = "zarr.json"


class ScoreWriter:
    """Put scores into a store; use as a context manager. Scores that were there are replaced at the very end.

    Example:
        >>> with ScoreWriter("tiles.zarr", tiles.layout, len(tiles)) as writer:
        ...     writer.write(0, found.pixel, found.tile)
    """

    def __init__(self, path: str | Path, layout: TileLayout, n_tiles: int) -> None:
        """Nothing is written yet.

        Args:
            path: the store.
            layout: of the tile set in it.
            n_tiles: its tiles.
        """
        self.path = Path(path)
        self.layout = layout
        self.n_tiles = n_tiles
        self.partial = partial_folder(self.path)
        self._arrays: dict[str, Any] = {}
        self._tile = np.full(n_tiles, np.nan, np.float32)
        self._written = np.zeros(n_tiles, bool)

    def __enter__(self) -> ScoreWriter:
        import zarr

        try:
            sweep_leftovers(self.path)
            group = zarr.open_group(str(self.partial), mode="w-", zarr_format=3)
            chunk = min(chunk_tiles(self.layout), self.n_tiles)
            for name, shape in self.layout.score_shapes.items():
                self._arrays[name] = _created(group, name, (self.n_tiles, *shape), chunk, fill=np.nan)
            self._arrays[TILE_SCORES] = _created(group, TILE_SCORES, (self.n_tiles,), self.n_tiles, fill=NO_AMOUNT)
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def write(self, start: int, pixel: np.ndarray, tile: np.ndarray) -> None:
        """Scores of the tiles `start`, `start + 1`, ...

        Args:
            start: position of the first.
            pixel, tile: as those of `with_scores`, of these tiles.

        Raises:
            TileError: other shapes, types or values, or the disk does not take them.
        """
        stop = start + len(pixel)
        check_scores(self.layout, pixel, tile, n=len(pixel), where=str(self.path))
        if start < 0 or stop > self.n_tiles:
            raise TileError(f"{self.path}: scores of tiles {start} to {stop - 1} for a set of {self.n_tiles}")
        try:
            for name, values in split_scores(self.layout, pixel).items():
                self._arrays[name][start:stop] = values
        except OSError as error:
            raise self._unwritable(error) from error
        self._tile[start:stop] = tile
        self._written[start:stop] = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except OSError as problem:
            raise self._unwritable(problem) from problem
        finally:
            shutil.rmtree(self.partial, ignore_errors=True)

    def _finish(self) -> None:
        if not self._written.all():
            missing = int((~self._written).sum())
            raise TileError(f"{self.path}: scores of {missing} of {self.n_tiles} tiles were never written")
        self._arrays[TILE_SCORES][:] = self._tile
        added = {name: json.loads((self.partial / name / METADATA).read_text()) for name in self._arrays}
        root = self.path / METADATA
        record = json.loads(root.read_text())
        # forgotten first: a reader must not find old maps beside new ones
        if (bare := _forgetting(record)) != record:
            _replace(root, bare)
        for name in SCORES:
            if (self.path / name).exists():
                shutil.rmtree(self.path / name)
        for name in self._arrays:
            os.rename(self.partial / name, self.path / name)
        _replace(root, _naming(bare, added))

    def _unwritable(self, error: OSError) -> TileError:
        return TileError(
            f"{self.path}: cannot write scores into the tile set ({error.strerror or error}); "
            "copy it to a place that can be written"
        )


def _created(group: Any, name: str, shape: tuple[int, ...], chunk: int, *, fill: float) -> Any:
    return create_array(
        group,
        name,
        shape=shape,
        chunk=chunk,
        dtype=np.float32,
        fill=fill,
        dims=SCORE_DIMS[name],
        attrs=SCORE_ATTRS,
    )


def _forgetting(record: Mapping[str, Any]) -> dict[str, Any]:
    """A store's metadata that name no scores."""
    known = dict(record)
    attrs = dict(known.get("attributes", {}))
    if "coordinates" in attrs:
        attrs["coordinates"] = " ".join(name for name in attrs["coordinates"].split() if name not in SCORES)
        known["attributes"] = attrs
    if known.get("consolidated_metadata"):
        inner = known["consolidated_metadata"]
        kept = {name: value for name, value in inner["metadata"].items() if name not in SCORES}
        known["consolidated_metadata"] = {**inner, "metadata": kept}
    return known


def _naming(record: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """A store's metadata that name scores too."""
    known = dict(record)
    attrs = dict(known.get("attributes", {}))
    # what makes plain xarray take the scores of tiles as a coordinate
    known["attributes"] = {**attrs, "coordinates": f"{attrs.get('coordinates', '')} {TILE_SCORES}".strip()}
    if known.get("consolidated_metadata"):
        inner = known["consolidated_metadata"]
        known["consolidated_metadata"] = {**inner, "metadata": {**inner["metadata"], **added}}
    return known


def _replace(path: Path, record: Mapping[str, Any]) -> None:
    """Put metadata in place whole, with the time of those before: the tiles that were judged are the same."""
    times = path.stat()
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(record, indent=2))
        os.utime(partial, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
