"""Writing tile sets: one Zarr v3 store, part by part in bounded memory.

A store is written beside its final name and renamed when it is whole, so that whoever finds one can use it.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.checks import check_parts
from specdm.tiles.layout import (
    AMOUNT_DIMS,
    IMAGE_DIMS,
    MASK_DIMS,
    SCORE_ATTRS,
    SCORE_DIMS,
    TILE_SCORES,
    TileLayout,
)
from specdm.tiles.leftovers import partial_folder, sweep_leftovers
from specdm.tiles.scores import check_scores, split_scores
from specdm.tiles.store_ends import check_free, put_in_place, write_frame
from specdm.tiles.tile_coords import NUMBER_COORDS, SCENE, TEXT_COORDS

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 8_000_000
CHUNK_TILES = 64
BATCH_BYTES = 128_000_000
COMPRESSION_LEVEL = 3


def chunk_tiles(layout: TileLayout) -> int:
    """Tiles of one chunk: about 8 MB of images, 1 to 64 tiles."""
    return int(np.clip(CHUNK_BYTES // _tile_bytes(layout), 1, CHUNK_TILES))


def batch_tiles(layout: TileLayout) -> int:
    """Tiles to hold in memory at a time while writing: whole chunks, at most 64 tiles or about 128 MB."""
    chunk = chunk_tiles(layout)
    most = min(CHUNK_TILES, BATCH_BYTES // _tile_bytes(layout))
    return max(chunk, most - most % chunk)


def _tile_bytes(layout: TileLayout) -> int:
    # a colour picture with many quantities is mostly amounts
    return 4 * max(prod(layout.image_shape), prod(layout.amount_shape))


def tile_arrays(layout: TileLayout, n_tiles: int) -> dict[str, dict[str, Any]]:
    """Options of `create_array` for each array of tiles that a set of this layout has, but for its chunks."""
    return {
        name: {"shape": (n_tiles, *shape), "dtype": dtype, "fill": fill, "dims": dims, "attrs": attrs}
        for name, shape, dtype, fill, dims, attrs in (
            ("image", layout.image_shape, np.float32, np.nan, IMAGE_DIMS, layout.image_attrs),
            ("mask", layout.mask_shape, np.int16, UNLABELLED, MASK_DIMS, layout.mask_attrs),
            ("amount", layout.amount_shape, np.float32, np.nan, AMOUNT_DIMS, layout.amount_attrs),
        )
        if shape[0]
    }


class TileStoreWriter:
    """Write a tile set part by part in bounded memory; use as a context manager.

    Nothing appears under the final name until the block ends without an error and every tile is written. What
    a killed writer of the same name has left beside it is swept away first, see `specdm.tiles.leftovers`.

    Example:
        >>> with TileStoreWriter("tiles.zarr", layout, 1000) as writer:
        ...     writer.write(0, images, masks, tile_coords(64, split="synthetic", source="model"))
    """

    def __init__(
        self,
        path: str | Path,
        layout: TileLayout,
        n_tiles: int,
        *,
        overwrite: bool = False,
        scored: bool = False,
    ) -> None:
        """Create the store's folder beside its final place.

        Args:
            path: the store's final name; missing parent folders are made.
            layout: all but the tiles; its `attrs` may still change until the block ends.
            n_tiles: tiles there will be; `shorten` may lower it.
            overwrite: replace a tile set of that name, at the very end. Anything else is never replaced.
            scored: every tile comes with scores of reliability.

        Raises:
            TileError: the name is taken, the place is not writable, or `n_tiles` is below 1.
        """
        self.path = Path(path)
        self.layout = layout
        self.n_tiles = n_tiles
        self.overwrite = overwrite
        self.scored = scored
        if n_tiles < 1:
            raise TileError(f"{self.path}: a tile set needs at least one tile")
        check_free(self.path, overwrite)
        self.partial = partial_folder(self.path)
        self._arrays: dict[str, Any] = {}
        self._written = np.zeros(n_tiles, bool)
        self._tiles: dict[str, np.ndarray] = {
            **{key: np.full(n_tiles, "", object) for key in TEXT_COORDS},
            **{key: np.full(n_tiles, -1, np.int64) for key in NUMBER_COORDS},
            **({TILE_SCORES: np.full(n_tiles, np.nan, np.float32)} if scored else {}),
        }

    def __enter__(self) -> TileStoreWriter:
        import zarr

        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            sweep_leftovers(self.path)
            group = zarr.open_group(str(self.partial), mode="w-", zarr_format=3)
            chunk = min(chunk_tiles(self.layout), self.n_tiles)
            for name, options in tile_arrays(self.layout, self.n_tiles).items():
                self._arrays[name] = create_array(group, name, chunk=chunk, **options)
            for name, of_one in self.layout.score_shapes.items() if self.scored else ():
                self._arrays[name] = create_array(
                    group,
                    name,
                    shape=(self.n_tiles, *of_one),
                    chunk=chunk,
                    dtype=np.float32,
                    fill=np.nan,
                    dims=SCORE_DIMS[name],
                    attrs=SCORE_ATTRS,
                )
        return self

    def write(
        self,
        start: int,
        images: np.ndarray,
        masks: np.ndarray | None,
        tiles: Mapping[str, np.ndarray],
        amounts: np.ndarray | None = None,
        scores: np.ndarray | None = None,
    ) -> None:
        """Write tiles `start`, `start + 1`, ...

        Args:
            start: position of the first.
            images: float32 `(n, date, band, y, x)`.
            masks: int16 `(n, layer, y, x)`; None if the layout has no layers.
            tiles: their coordinates, as `tile_coords` makes them, and with scores `tile_reliability`, float32 `(n,)`.
            amounts: float32 `(n, quantity, y, x)`; None if the layout has no quantities.
            scores: as those of `with_scores`; goes with `scored`.

        Raises:
            TileError: shapes or types do not fit the layout, or the disk does not take it.
            MaskError: a mask value has no class, or amounts are not what the quantities say.
        """
        stop = start + len(images)
        check_parts(self.layout, images, masks, amounts, where=str(self.path))
        if start < 0 or stop > self.n_tiles:
            raise TileError(f"{self.path}: tiles {start} to {stop - 1} do not fit into {self.n_tiles}")
        given: dict[str, np.ndarray | None] = {"image": images, "mask": masks, "amount": amounts}
        if (scores is not None) != self.scored:
            raise TileError(f"{self.path}: scores are given with every tile, or, where scored is off, with none")
        if scores is not None:
            check_scores(self.layout, scores, tiles[TILE_SCORES], n=len(images), where=str(self.path))
            given |= split_scores(self.layout, scores)
        with self._writing():
            for name, array in self._arrays.items():
                array[start:stop] = given[name]
        if SCENE in tiles and SCENE not in self._tiles:
            self._tiles[SCENE] = np.full(self.n_tiles, "", object)
        for key, values in self._tiles.items():
            if key in tiles or key != SCENE:
                values[start:stop] = tiles[key]
        self._written[start:stop] = True

    def shorten(self, n_tiles: int) -> None:
        """Make it a set of the first `n_tiles` tiles only."""
        if not 1 <= n_tiles <= self.n_tiles:
            raise TileError(f"{self.path}: cannot shorten {self.n_tiles} tiles to {n_tiles}")
        with self._writing():
            for array in self._arrays.values():
                array.resize((n_tiles, *array.shape[1:]))
        self.n_tiles = n_tiles
        self._written = self._written[:n_tiles]
        self._tiles = {key: values[:n_tiles] for key, values in self._tiles.items()}

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            shutil.rmtree(self.partial, ignore_errors=True)

    def _finish(self) -> None:
        if not self._written.all():
            missing = int((~self._written).sum())
            raise TileError(f"{self.path}: {missing} of {self.n_tiles} tiles were never written")
        with self._writing():
            write_frame(self.partial, self.layout, [self._tiles])
            put_in_place(self.partial, self.path, overwrite=self.overwrite)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TileError(
                f"{self.path}: cannot write the tile set ({error.strerror or error}); choose another place"
            ) from error


def create_array(
    group: Any,
    name: str,
    *,
    shape: tuple[int, ...],
    chunk: int,
    dtype: Any,
    fill: float,
    dims: tuple[str, ...],
    attrs: Mapping[str, Any],
) -> Any:
    """An array of a store, of chunks of `chunk` tiles, compressed, every chunk written."""
    return group.create_array(
        name, **array_options(shape=shape, chunk=chunk, dtype=dtype, fill=fill, dims=dims, attrs=attrs)
    )


def array_options(
    *,
    shape: tuple[int, ...],
    chunk: int,
    dtype: Any,
    fill: float,
    dims: tuple[str, ...],
    attrs: Mapping[str, Any],
    shard: int | None = None,
) -> dict[str, Any]:
    """Options of `zarr.create_array` for an array of tiles.

    Args:
        shape: tiles first.
        chunk: tiles that are read together.
        dtype: of the values.
        fill: value of what is not there.
        dims: names of the axes.
        attrs: attributes of the array.
        shard: tiles of one file, a multiple of `chunk`; default: a file each chunk.
    """
    from zarr.codecs import ZstdCodec

    return {
        "shape": shape,
        "dtype": dtype,
        "chunks": (chunk, *shape[1:]),
        "shards": None if shard in (None, chunk) else (shard, *shape[1:]),
        "fill_value": fill,
        "dimension_names": dims,
        "attributes": dict(attrs),
        "compressors": ZstdCodec(level=COMPRESSION_LEVEL),
        "chunk_key_encoding": {"name": "default", "separator": "."},
        # so that a missing chunk is always damage
        "config": {"write_empty_chunks": True},
    }
