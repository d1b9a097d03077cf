"""Drawn tiles on their way into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from specdm.tiles.tile_coords import tile_coords

if TYPE_CHECKING:
    from specdm.synthesis.scale.parts import DrawnPart, PartDrawer
    from specdm.tiles.resumable_writer import ResumableWriter
    from specdm.tiles.tileset import TileSet

Engine = Literal["local", "ray"]
Progress = Callable[[int, int], None]

COPIED = 64
"""Tiles that are taken from another set at a time."""

BLOCK = 1 << 16
"""Tiles whose coordinates are written at a time."""


@dataclass(frozen=True)
class Drawing:
    """Tiles that are to be drawn.

    Attributes:
        draw: draws parts of the set.
        first, stop: indices of the first tile, and after the last.
        n: tiles of the whole set, of which these may be a shard.
        batch_size: tiles that are drawn together.
        engine: what draws.
        address: of a Ray cluster.
    """

    draw: PartDrawer
    first: int
    stop: int
    n: int
    batch_size: int
    engine: Engine
    address: str | None

    def rest(self, done: int) -> Iterator[DrawnPart]:
        """The tiles after the first `done` of them, in order."""
        from specdm.synthesis.scale.parts import parts_of

        start = self.first + done
        parts = parts_of(start, self.stop, n=self.n, batch_size=self.batch_size)
        if self.engine == "ray":
            from specdm.synthesis.scale.ray_parts import ray_parts

            drawn: Iterator[DrawnPart] = ray_parts(self.draw, parts, address=self.address)
        else:
            drawn = map(self.draw, parts)
        for part in drawn:
            yield part.cut(start, self.stop)


def draw_into(writer: ResumableWriter, drawing: Drawing, *, callback: Progress | None = None) -> None:
    """Draw all tiles that are not there yet; `callback` is called with (done, all)."""
    tell = callback or (lambda done, total: None)
    if writer.done == writer.n_tiles:
        return
    for part in drawing.rest(writer.done):
        writer.write(part.images, part.masks, part.amounts)
        tell(writer.done, writer.n_tiles)


def copy_into(writer: ResumableWriter, tiles: TileSet, *, first: int = 0, callback: Progress | None = None) -> None:
    """Take over the tiles of a set that are not there yet; its first one is tile `first` of what is written.

    All are read and checked. Where its files have the borders of those that are written they are linked, so that the
    disk holds them once; else tiles are written anew.

    Args:
        writer: whose layout is that of `tiles`.
        tiles: a set on disk, as `open_tiles` gives it.
        first: see above.
        callback: called with (done, all).

    Raises:
        TileError: the set is damaged, or the disk is full.
    """
    tell = callback or (lambda done, total: None)
    links = first % writer.piece == 0
    while writer.done < first + len(tiles):
        start = writer.done - first
        stop = min(start + writer.piece, len(tiles))
        # the last file of a set is one of a larger set only where it is full
        if links and start % writer.piece == 0 and (stop - start == writer.piece or first + stop == writer.n_tiles):
            for at in range(start, stop, COPIED):
                writer.check(*_part(tiles, at, min(at + COPIED, stop)))
            links = writer.adopt(Path(tiles.where), start // writer.piece)
        else:
            links = False
        if not links:
            writer.write(*_part(tiles, start, min(start + COPIED, len(tiles))))
        tell(writer.done, writer.n_tiles)


def _part(tiles: TileSet, start: int, stop: int) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    part = slice(start, stop)
    return (
        tiles.images(part),
        tiles.masks(part) if tiles.layers else None,
        tiles.amounts(part) if tiles.quantities else None,
    )


def coord_blocks(
    *, source: str, seed: int, first: int, stop: int, windows: Mapping[str, np.ndarray] | None = None
) -> Iterator[dict[str, Any]]:
    """Coordinates of drawn tiles, block after block.

    Args:
        source: id of the model.
        seed: of the set.
        first, stop: indices of the first tile, and after the last.
        windows: of all of them, `(stop - first,)`, where they complete given tiles: what `windows_of` gives.
    """
    for start in range(first, stop, BLOCK):
        index = np.arange(start, min(start + BLOCK, stop))
        # named by what they were drawn from, also where they have a place
        coords = tile_coords(len(index), split="synthetic", source=source, seed=seed, index=index)
        here = slice(start - first, start - first + len(index))
        yield coords | {key: values[here] for key, values in (windows or {}).items()}


def windows_of(given: TileSet, *, first: int, stop: int) -> dict[str, np.ndarray]:
    """Where the given tiles lie that tiles complete: coordinates by name, see `completed_ground`."""
    from specdm.tiles.georeference import completed_ground

    return completed_ground(given.dataset, np.arange(first, stop) % len(given))
