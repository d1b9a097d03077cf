"""Shards of a tile set put together: checked to be all of it, then copied, in bounded memory."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import RunError
from specdm.report.sample_record import (
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
    """

    path: Path
    shard: Shard
    record: dict[str, Any]
    n: int

    @classmethod
    def open(cls, path: Path) -> ShardStore:
        """Raises RunError if this is no shard, or is not finished."""
        record = record_of(path)
        if record is None and (unfinished := unfinished_words(path)) is not None:
            raise RunError(unfinished)
        if record is None or SHARD not in record:
            raise RunError(f"{path} is no shard; expected a tile set that specdm sample --shard i/n has written")
        shard, n = Shard.parse(record.pop(SHARD)), record.pop(OF_TILES)
        record.pop(TILES)
        return cls(path, shard, record, n)


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

    Args:
        output: the whole tile set.
        shards: default: those beside the output, by their names.
        overwrite: replace a tile set of that name.
        again: command that goes on, for messages.
        callback: called with (tiles done, all).
        say: called with a line if it is there already.

    Raises:
        RunError: a shard is missing, not finished, twice there or of another model, seed, size or options; or the
            output exists or cannot be written.
        TileError: a shard is damaged, the disk is full (then what is there stays), or another process is writing.
    """
    stores = checked_shards(output, shards)
    record, n = stores[0].record, stores[0].n
    check_sampling_output(output, overwrite=overwrite, asked=record, n=n)
    from specdm.tiles.layout import SAMPLING
    from specdm.tiles.resumable_writer import ResumableWriter
    from specdm.tiles.store import open_tiles

    if not overwrite and has_all(output, n=n):
        if say is not None:
            say(f"{output} is there already, of the same model, seed and options")
        sweep_finished(output)
        return open_tiles(output)
    layout = open_tiles(stores[0].path).layout
    layout.attrs[SAMPLING] = json.dumps({**record, TILES: n})
    windows: dict[str, list[np.ndarray]] = {"window_y": [], "window_x": []}
    with ResumableWriter(
        output, layout, n, record=record, again=again, replace=output.exists(), anew=overwrite
    ) as writer:
        for store in stores:
            tiles, (first, stop) = open_tiles(store.path), store.shard.range_of(n)
            index = tiles.dataset["index"].values
            if len(index) != stop - first or not np.array_equal(index, np.arange(first, stop)):
                raise RunError(
                    f"{store.path} does not hold the tiles {first} to {stop - 1}, as shard {store.shard} shall"
                )
            for key, values in windows.items():
                values.append(tiles.dataset[key].values)
            copy_into(writer, tiles, first=first, callback=callback)
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
    return stores


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
