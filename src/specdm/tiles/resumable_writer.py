"""Writing tile sets piece by piece, so that a writer that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import contextmanager, suppress
from math import ceil, prod
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError
from specdm.tiles.checks import check_parts
from specdm.tiles.layout import TileLayout
from specdm.tiles.leftovers import sweep_leftovers
from specdm.tiles.room import check_room
from specdm.tiles.store_ends import check_free, put_in_place, write_frame
from specdm.tiles.unfinished import (
    HEAD,
    LOCK,
    PLAN,
    WRITER,
    Plan,
    array_folder,
    differences,
    how_to_go_on,
    piece_number,
    sign,
    tiles_there,
    unfinished_folder,
    writer_of,
)
from specdm.tiles.writer import array_options, chunk_tiles, tile_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES = 4096
"""Files of an array; a set that would have more has several chunks in a file (a shard)."""

SHARD_BYTES = 64_000_000
"""Of images in a file, before compression, at the most: it is held in memory, and drawn again after a kill."""


def piece_tiles(layout: TileLayout, n_tiles: int) -> int:
    """Tiles of a file: a chunk, or a shard of several chunks where there would be very many files."""
    chunk = chunk_tiles(layout)
    most = max(1, SHARD_BYTES // (4 * prod(layout.image_shape) * chunk))
    return chunk * min(ceil(n_tiles / chunk / MOST_FILES) or 1, most)


class ResumableWriter:
    """Write tiles in order, in bounded memory; use as a context manager.

    What is written stays, however the block ends, and the next writer of that name goes on after it. The set appears
    under its name with `finish`, and not before. One process at a time can write: the lock is the system's own, so
    that of a process that was killed is gone with it.

    Example:
        >>> with ResumableWriter("tiles.zarr", layout, 1000, record={"model": "m", "seed": 0}) as writer:
        ...     while writer.done < 1000:
        ...         writer.write(*some_tiles(first=writer.done))
        ...     writer.finish([tile_coords(1000, split="synthetic", source="m")])
    """

    def __init__(
        self,
        path: str | Path,
        layout: TileLayout,
        n_tiles: int,
        *,
        record: Mapping[str, Any],
        again: str | None = None,
        replace: bool = False,
        anew: bool = False,
    ) -> None:
        """Nothing is written yet.

        Args:
            path: the store's final name; missing parent folders are made.
            layout: all but the tiles; its `attrs` may still change until `finish`.
            n_tiles: tiles there will be. More than an unfinished set was to have are fine: it grows.
            record: what tiles are made of, as plain values: an unfinished set goes on only with the same.
            again: command that goes on, for messages.
            replace: a tile set of that name is replaced in the end. Anything else is never replaced.
            anew: an unfinished set of another record, or of more tiles, is thrown away.
        """
        self.path = Path(path)
        self.layout = layout
        self.n_tiles = n_tiles
        self.folder = unfinished_folder(self.path)
        self._replace, self._anew = replace, anew
        chunk, options = chunk_tiles(layout), tile_arrays(layout, n_tiles)
        # as it will be read again
        plain = json.loads(json.dumps(dict(record)))
        self._plan = Plan(n_tiles, chunk, piece_tiles(layout, n_tiles), list(options), plain, again)
        self._arrays: dict[str, Any] = {}
        self._held: dict[str, list[np.ndarray]] = {name: [] for name in options}
        self._lock: Any = None
        self._room_checked = False
        self._on_disk = 0
        self.done = 0
        """Tiles that are there, from the first on."""

    def __enter__(self) -> ResumableWriter:
        """Open what is there, or begin.

        Raises:
            TileError: the name is taken, an unfinished set of it is another one, another process is writing it, or
                the place takes no files.
        """
        from filelock import FileLock, Timeout

        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.folder / LOCK, timeout=0)
            try:
                lock.acquire()
            except Timeout:
                raise TileError(
                    f"{self.path}: another process ({writer_of(self.folder)}) is writing this tile set; wait for "
                    "it, or choose another name"
                ) from None
            self._lock = lock
            try:
                sign(self.folder)
                self._open()
            except BaseException:
                self._let_go()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._let_go()

    def write(self, images: np.ndarray, masks: np.ndarray | None, amounts: np.ndarray | None = None) -> None:
        """Write the next tiles; they are on the disk as soon as a piece is full, or the last tile is there.

        Args:
            images: float32 `(n, date, band, y, x)`.
            masks: int16 `(n, layer, y, x)`; None if the layout has no layers.
            amounts: float32 `(n, quantity, y, x)`; None if the layout has no quantities.

        Raises:
            TileError: shapes or types do not fit the layout, there are too many tiles, or the disk does not take
                them; then all pieces that are there stay.
            MaskError: a mask value has no class, or amounts are not what the quantities say.
        """
        check_parts(self.layout, images, masks, amounts, where=str(self.path))
        if self.done + len(images) > self.n_tiles:
            raise TileError(f"{self.path}: {len(images)} tiles after {self.done} do not fit into {self.n_tiles}")
        given: dict[str, np.ndarray | None] = {"image": images, "mask": masks, "amount": amounts}
        if not self._room_checked:
            some = [np.asarray(given[name]) for name in self._held]
            check_room(self.path, self.folder, some, self.n_tiles - self._on_disk)
            self._room_checked = True
        if not self._arrays:
            # not before there is a tile: what goes wrong until then changes nothing, nor what was there
            with self._writing():
                self._begin()
        for name, held in self._held.items():
            held.append(np.asarray(given[name]))
        self.done += len(images)
        while self.done - self._on_disk >= self._plan.piece or (self.done == self.n_tiles > self._on_disk):
            self._put_piece()

    def finish(self, blocks: Iterable[Mapping[str, np.ndarray]]) -> None:
        """Give the set its coordinates and its name.

        Args:
            blocks: coordinates of all tiles, as `tile_coords` makes them, block after block.

        Raises:
            TileError: a tile is missing, the name is taken, or the disk does not take it.
        """
        if self._on_disk < self.n_tiles:
            raise TileError(f"{self.path}: {self.n_tiles - self._on_disk} of {self.n_tiles} tiles were never written")
        head = self.folder / HEAD
        with self._writing():
            write_frame(head, self.layout, blocks)
            for name in self._plan.arrays:
                os.rename(self.folder / name, head / name)
            put_in_place(head, self.path, overwrite=self._replace)
            shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> None:
        check_free(self.path, self._replace)
        sweep_leftovers(self.path)
        there = Plan.read(self.folder)
        if there is not None and self._goes_on(there):
            self._take_over(there)
            self._open_arrays()
            self._on_disk = self.done = tiles_there(self.folder, self._plan)
        else:
            self._check_own()

    def _goes_on(self, there: Plan) -> bool:
        # more tiles are no difference
        tiles = min(self.n_tiles, there.n_tiles)
        found = differences({**there.record, "tiles": there.n_tiles}, {**self._plan.record, "tiles": tiles})
        if found and not self._anew:
            count = f"{tiles_there(self.folder, there):,} of {there.n_tiles:,} tiles"
            raise TileError(
                f"{self.path}: an unfinished set is there ({count}), of {found}; go on with: {how_to_go_on(there)}; "
                "or choose another name, or ask to overwrite it"
            )
        return not found

    def _take_over(self, there: Plan) -> None:
        """Go on with what is there; a piece that ended with the last tile of a smaller set is none of a larger one."""
        for name in there.arrays:
            if (where := array_folder(self.folder, name)) != self.folder / name:
                os.rename(where, self.folder / name)
        shutil.rmtree(self.folder / HEAD, ignore_errors=True)
        self._plan = Plan(**{**self._plan.__dict__, "chunk": there.chunk, "piece": there.piece})
        if self.n_tiles > there.n_tiles:
            whole = there.n_tiles // there.piece
            for name in there.arrays:
                for file in (self.folder / name).glob("c.*"):
                    if (number := piece_number(file.name)) is None or number >= whole:
                        file.unlink()
        self._plan.write(self.folder)

    def _check_own(self) -> None:
        own = {PLAN, f"{PLAN}.new", LOCK, WRITER, HEAD, "image", "mask", "amount"}
        strange = sorted({item.name for item in self.folder.iterdir()} - own)
        if strange:
            raise TileError(
                f"{self.folder} is needed while {self.path.name} is written, but holds something else ({strange[0]}); "
                "choose another name"
            )

    def _begin(self) -> None:
        # the arrays first: an old plan with few pieces is true, a new one with old pieces would not be
        for name in (HEAD, "image", "mask", "amount"):
            if (self.folder / name).exists():
                shutil.rmtree(self.folder / name)
        self._plan.write(self.folder)
        self._open_arrays()

    def _open_arrays(self) -> None:
        import zarr

        for name, options in tile_arrays(self.layout, self.n_tiles).items():
            folder = self.folder / name
            if not (folder / "zarr.json").is_file():
                described = array_options(chunk=self._plan.chunk, shard=self._plan.piece, **options)
                zarr.create_array(store=str(folder), **described)
            for file in folder.iterdir():
                # what zarr was writing when it was killed
                if file.name != "zarr.json" and piece_number(file.name) is None:
                    file.unlink()
            array = zarr.open_array(str(folder), mode="r+")
            if array.shape[1:] != options["shape"][1:]:
                raise TileError(f"{folder} holds tiles of another shape; ask to overwrite it, or choose another name")
            if array.shape != options["shape"]:
                array.resize(options["shape"])
            self._arrays[name] = array

    def _put_piece(self) -> None:
        start = self._on_disk
        count = min(self._plan.piece, self.n_tiles - start)
        with self._writing():
            for name, held in self._held.items():
                values = np.concatenate(held)
                self._arrays[name][start : start + count] = values[:count]
                held[:] = [values[count:].copy()]
        self._on_disk += count

    def _let_go(self) -> None:
        if self._lock is None:
            return
        if not (self.folder / PLAN).exists():
            # nothing was begun; what else is in the folder is not ours
            with suppress(OSError):
                for name in (WRITER, LOCK):
                    (self.folder / name).unlink(missing_ok=True)
                self.folder.rmdir()
        self._lock.release()
        self._lock = None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            stays = f"{self._on_disk:,} of {self.n_tiles:,} tiles are there and stay; " if self._on_disk else ""
            raise TileError(
                f"{self.path}: cannot write the tile set ({error.strerror or error}); {stays}make room or choose "
                f"another place, then go on with: {how_to_go_on(self._plan)}"
            ) from error
