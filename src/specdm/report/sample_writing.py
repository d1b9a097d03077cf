"""Drawn tiles on their way into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
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
    """Copy the tiles of a set that are not there yet; its first one is tile `first` of what is written."""
    tell = callback or (lambda done, total: None)
    while writer.done < first + len(tiles):
        start = writer.done - first
        part = slice(start, min(start + COPIED, len(tiles)))
        writer.write(
            tiles.images(part),
            tiles.masks(part) if tiles.layers else None,
            tiles.amounts(part) if tiles.quantities else None,
        )
        tell(writer.done, writer.n_tiles)


def coord_blocks(
    *, source: str, seed: int, first: int, stop: int, windows: Mapping[str, np.ndarray] | None = None
) -> Iterator[dict[str, Any]]:
    """Coordinates of drawn tiles, block after block.

    Args:
        source: id of the model.
        seed: of the set.
        first, stop: indices of the first tile, and after the last.
        windows: `window_y` and `window_x` of all of them, `(stop - first,)`, where they complete given tiles.
    """
    for start in range(first, stop, BLOCK):
        index = np.arange(start, min(start + BLOCK, stop))
        # named by what they were drawn from, also where they have a place
        coords = tile_coords(len(index), split="synthetic", source=source, seed=seed, index=index)
        here = slice(start - first, start - first + len(index))
        yield coords | {key: values[here] for key, values in (windows or {}).items()}


def windows_of(given: TileSet, *, first: int, stop: int) -> dict[str, np.ndarray]:
    """Where the given tiles lie that tiles complete."""
    index = np.arange(first, stop) % len(given)
    return {key: given.dataset[key].values[index] for key in ("window_y", "window_x")}
