"""Writing tile sets: one Zarr v3 store, part by part in bounded memory.

A store is written beside its final name and renamed when it is whole, so that whoever finds one can use it.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
import warnings
from collections.abc import Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.layout import IMAGE_DIMS, MASK_DIMS, NUMBER_COORDS, TEXT_COORDS, TileLayout
from specdm.tiles.tileset import check_mask_values

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 8_000_000
CHUNK_TILES = 64
BATCH_BYTES = 128_000_000
COMPRESSION_LEVEL = 3


def chunk_tiles(layout: TileLayout) -> int:
    """Tiles of one chunk: about 8 MB of images, 1 to 64 tiles."""
    return int(np.clip(CHUNK_BYTES // (4 * prod(layout.image_shape)), 1, CHUNK_TILES))


def batch_tiles(layout: TileLayout) -> int:
    """Tiles to hold in memory at a time while writing: whole chunks, at most 64 tiles or about 128 MB."""
    chunk = chunk_tiles(layout)
    most = min(CHUNK_TILES, BATCH_BYTES // (4 * prod(layout.image_shape)))
    return max(chunk, most - most % chunk)


class TileStoreWriter:
    """Write a tile set part by part in bounded memory; use as a context manager.

    Nothing appears under the final name until the block ends without an error and every tile is written.

    Example:
        >>> with TileStoreWriter("tiles.zarr", layout, 1000) as writer:
        ...     writer.write(0, images, masks, tile_coords(64, split="synthetic", source="model"))
    """

    def __init__(
        self, path: str | Path, layout: TileLayout, n_tiles: int, *, overwrite: bool = False
    ) -> None:
        """Create the store's folder beside its final place.

        Args:
            path: the store's final name; missing parent folders are made.
            layout: all but the tiles; its `attrs` may still change until the block ends.
            n_tiles: tiles there will be; `shorten` may lower it.
            overwrite: replace a tile set of that name, at the very end. Anything else is never replaced.

        Raises:
            TileError: the name is taken, the place is not writable, or `n_tiles` is below 1.
        """
        self.path = Path(path)
        self.layout = layout
        self.n_tiles = n_tiles
        self.overwrite = overwrite
        if n_tiles < 1:
            raise TileError(f"{self.path}: a tile set needs at least one tile")
        _check_free(self.path, overwrite)
        self.partial = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.partial")
        self._written = np.zeros(n_tiles, bool)
        self._tiles: dict[str, np.ndarray] = {
            **{key: np.full(n_tiles, "", object) for key in TEXT_COORDS},
            **{key: np.full(n_tiles, -1, np.int64) for key in NUMBER_COORDS},
        }

    def __enter__(self) -> TileStoreWriter:
        import zarr

        with self._writing():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            group = zarr.open_group(str(self.partial), mode="w-", zarr_format=3)
            chunk = min(chunk_tiles(self.layout), self.n_tiles)
            self._images = _create(
                group,
                "image",
                shape=(self.n_tiles, *self.layout.image_shape),
                chunk=chunk,
                dtype=np.float32,
                fill=np.nan,
                dims=IMAGE_DIMS,
                attrs=self.layout.image_attrs,
            )
            self._masks = _create(
                group,
                "mask",
                shape=(self.n_tiles, *self.layout.mask_shape),
                chunk=chunk,
                dtype=np.int16,
                fill=UNLABELLED,
                dims=MASK_DIMS,
                attrs=self.layout.mask_attrs,
            )
        return self

    def write(
        self, start: int, images: np.ndarray, masks: np.ndarray, tiles: Mapping[str, np.ndarray]
    ) -> None:
        """Write tiles `start`, `start + 1`, ...

        Args:
            start: position of the first.
            images: float32 `(n, date, band, y, x)`.
            masks: int16 `(n, layer, y, x)`.
            tiles: their coordinates, as `tile_coords` makes them.

        Raises:
            TileError: shapes or types do not fit the layout, or the disk does not take it.
            MaskError: a mask value has no class.
        """
        stop = start + len(images)
        for what, array, shape, dtype in (
            ("images", images, self.layout.image_shape, np.float32),
            ("masks", masks, self.layout.mask_shape, np.int16),
        ):
            if array.shape != (stop - start, *shape) or array.dtype != dtype:
                raise TileError(
                    f"{self.path}: {what} are {array.dtype} of shape {array.shape}; expected "
                    f"{np.dtype(dtype)} of shape {(stop - start, *shape)}"
                )
        if start < 0 or stop > self.n_tiles:
            raise TileError(f"{self.path}: tiles {start} to {stop - 1} do not fit into {self.n_tiles}")
        check_mask_values(masks, self.layout.classes)
        with self._writing():
            self._images[start:stop] = images
            self._masks[start:stop] = masks
        for key, values in self._tiles.items():
            values[start:stop] = tiles[key]
        self._written[start:stop] = True

    def shorten(self, n_tiles: int) -> None:
        """Make it a set of the first `n_tiles` tiles only."""
        if not 1 <= n_tiles <= self.n_tiles:
            raise TileError(f"{self.path}: cannot shorten {self.n_tiles} tiles to {n_tiles}")
        with self._writing():
            for array in (self._images, self._masks):
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
        import zarr

        if not self._written.all():
            missing = int((~self._written).sum())
            raise TileError(f"{self.path}: {missing} of {self.n_tiles} tiles were never written")
        with self._writing(), warnings.catch_warnings():
            # strings and consolidated metadata are newer than the Zarr v3 core; every reader in use has both
            warnings.simplefilter("ignore")
            frame = self.layout.frame(self._tiles)
            texts = [name for name, coord in frame.coords.items() if coord.dtype.kind in "UT"]
            frame = frame.assign_coords({name: frame[name].astype(object) for name in texts})
            frame.to_zarr(self.partial, mode="a", zarr_format=3, consolidated=False)
            zarr.consolidate_metadata(str(self.partial))
            self._rename()

    def _rename(self) -> None:
        _check_free(self.path, self.overwrite)
        old = self.partial.with_suffix(".old")
        if self.path.exists():
            os.rename(self.path, old)
        try:
            os.rename(self.partial, self.path)
        except OSError:
            if old.exists():
                os.rename(old, self.path)
            raise
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise TileError(
                f"{self.path}: cannot write the tile set ({error.strerror or error}); choose another place"
            ) from error


def _check_free(path: Path, overwrite: bool) -> None:
    if not path.exists():
        return
    if not overwrite:
        raise TileError(f"{path} exists already; choose another name or ask to overwrite it")
    if not _is_tile_store(path):
        raise TileError(f"{path} is no tile set, so it is not overwritten; choose another name")


def _is_tile_store(path: Path) -> bool:
    try:
        return "specdm_version" in json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError):
        return False


def _create(
    group: Any,
    name: str,
    *,
    shape: tuple[int, ...],
    chunk: int,
    dtype: Any,
    fill: float,
    dims: tuple[str, ...],
    attrs: dict[str, Any],
) -> Any:
    from zarr.codecs import ZstdCodec

    return group.create_array(
        name,
        shape=shape,
        dtype=dtype,
        chunks=(chunk, *shape[1:]),
        fill_value=fill,
        dimension_names=dims,
        attributes=attrs,
        compressors=ZstdCodec(level=COMPRESSION_LEVEL),
        chunk_key_encoding={"name": "default", "separator": "."},
        # so that a missing chunk is always damage
        config={"write_empty_chunks": True},
    )
