"""Shards of a tile set put together: checked to be all of it, then linked or copied, in bounded memory."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import RunError
from specdm.report.sample_record import (
    FIRST,
    OF_TILES,
    SHARD,
    TILES,
    check_sampling_output,
    has_all,
    record_of,
    sweep_finished,
)
from specdm.report.sample_writing import Progress, coord_blocks, copy_into
from specdm.synthesis.scale.shard import Shard, shards_beside
from specdm.tiles.export.sizes import readable
from specdm.tiles.piece_files import can_link
from specdm.tiles.unfinished import differences, unfinished_words

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

MOST_NAMED = 5
"""Missing shards that are named."""


@dataclass(frozen=True)
class ShardStore:
    """A shard on disk.

    Attributes:
        path: its tile set.
        shard: which one it is.
        record: what its tiles are made of; what is particular to the shard is not in it.
        n: tiles of the whole set.
        first, stop: its first tile in the whole set, and the one after its last.
    """

    path: Path
    shard: Shard
    record: dict[str, Any]
    n: int
    first: int
    stop: int

    @classmethod
    def open(cls, path: Path) -> ShardStore:
        """Raises RunError if this is no shard, or is not finished."""
        record = record_of(path)
        if record is None and (unfinished := unfinished_words(path)) is not None:
            raise RunError(unfinished)
        if record is None or SHARD not in record:
            raise RunError(f"{path} is no shard; expected a tile set that specdm sample --shard i/n has written")
        shard, n = Shard.parse(record.pop(SHARD)), record.pop(OF_TILES)
        # version 0.1 did not say where a shard begins: it divided tiles, not files
        first = record.pop(FIRST, shard.range_of(n)[0])
        return cls(path, shard, record, n, first, first + record.pop(TILES))


def merge_run(
    output: Path,
    shards: Sequence[Path] = (),
    *,
    overwrite: bool = False,
    again: str | None = None,
    callback: Progress | None = None,
    say: Callable[[str], None] | None = None,
) -> TileSet:
    """Put the shards of a tile set together; it equals one that was sampled as a whole. Killed, it goes on.

    The shards stay. Where they lie on the disk of the output and end with files of the whole set, as large ones do (see
    `Shard.range_of`), their files are linked into it and take no more room; else tiles are copied.

    Args:
        output: the whole tile set.
        shards: default: those beside the output, by their names.
        overwrite: replace a tile set of that name.
        again: command that goes on, for messages.
        callback: called with (tiles done, all).
        say: called with a line if it is there already.

    Raises:
        RunError: a shard is missing, not finished, twice there or of another model, seed, size or options; or the
            output exists or cannot be written; or what must be copied has no room.
        TileError: a shard is damaged, the disk is full (then what is there stays), or another process is writing.
    """
    stores = checked_shards(output, shards)
    record, n = stores[0].record, stores[0].n
    check_sampling_output(output, overwrite=overwrite, asked=record, n=n)
    from specdm.tiles.layout import SAMPLING
    from specdm.tiles.resumable_writer import ResumableWriter
    from specdm.tiles.store import open_tiles
    from specdm.tiles.tile_coords import SCENE

    if not overwrite and has_all(output, n=n):
        if say is not None:
            say(f"{output} is there already, of the same model, seed and options")
        sweep_finished(output)
        return open_tiles(output)
    one = open_tiles(stores[0].path)
    layout = one.layout
    layout.attrs[SAMPLING] = json.dumps({**record, TILES: n})
    named = [key for key in ("window_y", "window_x", SCENE) if key in one.dataset.coords]
    windows: dict[str, list[np.ndarray]] = {key: [] for key in named}
    with ResumableWriter(
        output, layout, n, record=record, again=again, replace=output.exists(), anew=overwrite
    ) as writer:
        check_room_to_merge(output, [store for store in stores if store.stop > writer.done], piece=writer.piece)
        for store in stores:
            tiles = open_tiles(store.path)
            index = tiles.dataset["index"].values
            if not np.array_equal(index, np.arange(store.first, store.stop)):
                raise RunError(
                    f"{store.path} does not hold the tiles {store.first} to {store.stop - 1}, as shard {store.shard} "
                    "shall; draw it anew"
                )
            for key, values in windows.items():
                values.append(tiles.dataset[key].values)
            copy_into(writer, tiles, first=store.first, callback=callback)
        places = {key: np.concatenate(values) for key, values in windows.items()}
        writer.finish(coord_blocks(source=record["model"], seed=record["seed"], first=0, stop=n, windows=places))
    return open_tiles(output)


def checked_shards(output: Path, shards: Sequence[Path]) -> list[ShardStore]:
    """All shards of a tile set, in order; see `merge_run`."""
    paths = list(shards) or list(shards_beside(output))
    if not paths:
        raise RunError(
            f"no shards of {output} are beside it; expected such as {Shard(1, 2).path(output).name}, which "
            "specdm sample --shard 1/2 writes; or name them"
        )
    stores = [ShardStore.open(path) for path in paths]
    one = stores[0]
    for store in stores[1:]:
        there = {**store.record, "shards": store.shard.count, TILES: store.n}
        asked = {**one.record, "shards": one.shard.count, TILES: one.n}
        if what := differences(there, asked):
            raise RunError(
                f"{store.path} is no shard of the same set as {one.path}: {what}; name the shards that belong together"
            )
    stores.sort(key=lambda store: store.shard.number)
    for before, store in pairwise(stores):
        if before.shard == store.shard:
            raise RunError(f"{before.path} and {store.path} overlap: both are shard {store.shard}; leave one out")
    _check_complete(output, stores)
    for first, store in zip([0, *(store.stop for store in stores)], stores, strict=False):
        if store.first != first:
            raise RunError(
                f"{store.path} begins with tile {store.first}, but tile {first} is the next one; draw all shards with "
                "the same version of specdm"
            )
    return stores


def check_room_to_merge(output: Path, stores: Sequence[ShardStore], *, piece: int) -> None:
    """Make sure before anything is written that what must be copied has room.

    Args:
        output: the whole tile set.
        stores: shards that are not in it yet.
        piece: tiles of a file of it.

    Raises:
        RunError: it has none.
    """
    linked = [store for store in stores if store.first % piece == 0 and can_link(store.path, output)]
    needed = sum(_bytes_of_tiles(store.path) for store in stores if store not in linked)
    free = shutil.disk_usage(output.parent).free
    if needed > free:
        raise RunError(
            f"{output}: {len(stores) - len(linked)} shards must be copied, as they lie on another disk or end within a "
            f"file of it; they take {readable(needed)}, but {readable(free)} are free there; make room, or choose "
            "another place"
        )


def _bytes_of_tiles(store: Path) -> int:
    return sum(file.stat().st_size for name in ("image", "mask", "amount") for file in (store / name).glob("c.*"))


def _check_complete(output: Path, stores: Sequence[ShardStore]) -> None:
    count = stores[0].shard.count
    missing = sorted(set(range(1, count + 1)) - {store.shard.number for store in stores})
    if not missing:
        return
    named = ", ".join(str(Shard(number, count)) for number in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    first = Shard(missing[0], count).path(stores[0].path.with_name(output.name))
    begun = unfinished_words(first)
    raise RunError(
        f"{output} is not complete: {len(stores)} of {count} shards are there, missing {named}{more}; "
        + (begun or f"draw them with specdm sample RUN ... -o {shlex.quote(str(output))} --shard {missing[0]}/{count}")
    )
