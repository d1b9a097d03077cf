"""Writing tile sets piece by piece, so that a writer that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError
from specdm.tiles.checks import check_parts
from specdm.tiles.layout import TileLayout
from specdm.tiles.leftovers import sweep_leftovers
from specdm.tiles.piece_files import piece_file, same_but_for_length, take_file
from specdm.tiles.pieces import piece_tiles
from specdm.tiles.room import check_room
from specdm.tiles.store_ends import check_free, put_in_place, write_frame
from specdm.tiles.store_lock import release_store_lock, take_store_lock
from specdm.tiles.unfinished import (
    HEAD,
    PLAN,
    Plan,
    array_folder,
    differences,
    how_to_go_on,
    piece_number,
    tiles_there,
    unfinished_folder,
)
from specdm.tiles.writer import array_options, chunk_tiles, tile_arrays
from specdm.tiles.writer_lock import LOCK, WRITER, WriterLock

if TYPE_CHECKING:
    from collections.abc import Iterator

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
        piece: int | None = None,
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
            piece: tiles of a file, for a part of a larger set that shall have the files of that; default:
                `piece_tiles`.
        """
        self.path = Path(path)
        self.layout = layout
        self.n_tiles = n_tiles
        self.folder = unfinished_folder(self.path)
        self._replace, self._anew = replace, anew
        chunk, options = chunk_tiles(layout), tile_arrays(layout, n_tiles)
        # as it will be read again
        plain = json.loads(json.dumps(dict(record)))
        self._plan = Plan(n_tiles, chunk, piece or piece_tiles(layout, n_tiles), list(options), plain, again)
        self._arrays: dict[str, Any] = {}
        self._held: dict[str, list[np.ndarray]] = {name: [] for name in options}
        self._lock: WriterLock | None = None
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
        with self._writing():
            self._lock = take_store_lock(self.path)
            try:
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
        self.check(images, masks, amounts)
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

    def check(self, images: np.ndarray, masks: np.ndarray | None, amounts: np.ndarray | None = None) -> None:
        """Make sure that tiles could be written; see `write`."""
        check_parts(self.layout, images, masks, amounts, where=str(self.path))

    @property
    def piece(self) -> int:
        """Tiles of a file; the last one may hold fewer."""
        return self._plan.piece

    def adopt(self, store: Path, number: int) -> bool:
        """Take the files of a piece of another store as the next piece, linked where the disk has links.

        The tiles in them are taken as they are: read and check them before.

        Args:
            store: a tile set on disk.
            number: of its piece, from 0; the last one only where it is the last here too.

        Returns:
            Whether the arrays are stored alike and no tile waits for its piece to be full; else nothing is done.

        Raises:
            TileError: the disk does not take it.
        """
        if self.done != self._on_disk:
            return False
        with self._writing():
            if not self._arrays:
                self._begin()
            pairs = [(self.folder / name, store / name) for name in self._plan.arrays]
            if not all(same_but_for_length(own, other) for own, other in pairs):
                return False
            for own, other in pairs:
                take_file(piece_file(other, number), piece_file(own, self.done // self.piece))
        self.done = self._on_disk = min(self.done + self.piece, self.n_tiles)
        return True

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
                f"{self.path}: an unfinished set is there ({count}), of other settings ({found}); go on with: "
                f"{how_to_go_on(there)}; "
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
            # an array that is opened does not remember it; without, tiles of no data would pass for damage
            with zarr.config.set({"array.write_empty_chunks": True}):
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
        if self._lock is not None:
            release_store_lock(self._lock)
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
