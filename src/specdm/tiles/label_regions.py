"""Labelled ground in pieces that are kept or dropped as a whole, found where it lies and not tile by tile.

Training windows overlap, so a region goes through many tiles and is whole in none. The labels of all tiles of a
source are therefore laid on its ground first, in the box that its tiles cover. Of a source four bytes a pixel of that
box stay in memory, the number of its piece; about five times as much while its pieces are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from specdm.tiles.tileset import TileSet

LEAST_CELL = 4
"""Smallest side in pixels of the cells that large regions are cut into."""


@dataclass(frozen=True)
class SourceGround:
    """Where the tiles of one source lie, in the box that they cover; `n` tiles.

    Attributes:
        name: of the source; a tile without a window is ground of its own, and its position stands behind the name.
        index: positions of its tiles in the set, `(n,)`.
        rows, columns: first row and column of each tile in the box, `(n,)`.
        top, left: first row and column of the box in the scene.
        size: pixels along a tile.
    """

    name: str
    index: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    top: int
    left: int
    size: int

    def mosaic(self, labels: np.ndarray, *, only: np.ndarray | None = None) -> np.ndarray:
        """What the tiles say of the ground, int16 `(layer, height, width)`, -1 where none of them says anything.

        Args:
            labels: class positions of its tiles, int16 `(n, layer, y, x)`, -1 where unlabelled.
            only: tiles that count, bool `(n,)`; all by default.
        """
        extent = (int(self.rows.max()) + self.size, int(self.columns.max()) + self.size)
        ground: np.ndarray = np.full((labels.shape[1], *extent), -1, np.int16)
        for place in np.flatnonzero(np.ones(len(self.index), bool) if only is None else only):
            window = ground[self._window(place)]
            np.copyto(window, labels[place], where=labels[place] >= 0)
        return ground

    def cut(self, ground: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        """Each tile's position in the set and its window `(layer, y, x)` of `(layer, height, width)`."""
        for place, at in enumerate(self.index):
            yield int(at), ground[self._window(place)]

    def _window(self, place: int | np.integer) -> tuple[slice, slice, slice]:
        y, x = int(self.rows[place]), int(self.columns[place])
        return slice(None), slice(y, y + self.size), slice(x, x + self.size)


@dataclass(frozen=True)
class Pieces:
    """Pieces of labelled ground of one source; `n` of them, by layer and first pixel.

    Attributes:
        numbers: which piece each pixel is of, int32 `(layer, height, width)` in the box, -1 where unlabelled.
        first: place of its first pixel among all of `numbers`, `(n,)`.
        layer, label: mask layer and class position of each, `(n,)`.
        y, x: its first pixel in the scene, row by row, `(n,)`.
        pixels: its size, `(n,)`.
        cell: side of the grid cell it was cut out of a larger region with, `(n,)`; 0 if it is a whole region.
        trained: whether a training tile shows any of its labels, bool `(n,)`.
        key: random number 0..1 that says when its turn is, `(n,)`. It goes by the seed and the first pixel alone, so
            it is the same for whatever share of the labels is kept.
    """

    numbers: np.ndarray
    first: np.ndarray
    layer: np.ndarray
    label: np.ndarray
    y: np.ndarray
    x: np.ndarray
    pixels: np.ndarray
    cell: np.ndarray
    trained: np.ndarray
    key: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def on_ground(self, stays: np.ndarray) -> np.ndarray:
        """Pixels of the pieces that are true in `(n,)`, bool `(layer, height, width)`."""
        # the number of no piece, -1, finds the last entry
        return np.append(stays, False)[self.numbers]

    def first_of(self, ground: np.ndarray) -> np.ndarray:
        """What `(layer, height, width)` has at the first pixel of each piece, `(n,)`."""
        return ground.ravel()[self.first]


def grounds_of(tiles: TileSet, index: np.ndarray) -> list[SourceGround]:
    """The ground of the tiles at some positions `(n,)`, source by source."""
    sources = tiles.dataset["source"].values.astype(str)[index]
    rows, columns = (tiles.dataset[key].values[index].astype(np.int64) for key in ("window_y", "window_x"))
    placed = (rows >= 0) & (columns >= 0)
    alone = np.array([f"{name}, tile {at}" for name, at in zip(sources, index, strict=True)], dtype=str)
    names = np.where(placed, sources, alone)
    order = np.argsort(names, kind="stable")
    found, starts = np.unique(names[order], return_index=True)
    grounds = []
    for name, own in zip(found, np.split(order, starts[1:]), strict=True) if len(order) else ():
        y, x = (np.where(placed[own], values[own], 0) for values in (rows, columns))
        top, left = int(y.min()), int(x.min())
        grounds.append(SourceGround(str(name), index[own], y - top, x - left, top, left, tiles.size))
    return grounds


def find_pieces(
    ground: SourceGround,
    mosaic: np.ndarray,
    trained: np.ndarray,
    *,
    largest: np.ndarray,
    gridded: np.ndarray,
    seed: int,
) -> Pieces:
    """Connected regions of a class (4 neighbours), those too large cut along a grid of the ground.

    The grid's cells have half a tile's side, and half of that where a piece is still too large, down to
    `LEAST_CELL`. What a region has in one cell is one piece.

    Args:
        ground: of the source.
        mosaic: class positions, int16 `(layer, height, width)`, -1 where unlabelled.
        trained: pixels whose label a training tile shows, bool `(layer, height, width)`.
        largest: pixels above which a region is cut, `(layer, classes)`.
        gridded: layers whose regions mean nothing and are always cut, bool `(layer,)`.
        seed: of the keys.
    """
    numbers = np.full(mosaic.shape, -1, np.int32)
    columns: list[list[np.ndarray]] = []
    done = 0
    for layer, labels in enumerate(mosaic):
        places = np.flatnonzero(labels >= 0)
        y, x = np.divmod(places, labels.shape[1])
        label = labels[y, x].astype(np.int64)
        piece, cell = _cut(
            _regions(labels)[y, x].astype(np.int64),
            y + ground.top,
            x + ground.left,
            largest=largest[layer][label],
            side=max(LEAST_CELL, ground.size // 2),
            always=bool(gridded[layer]),
        )
        _, first, piece, pixels = np.unique(piece, return_index=True, return_inverse=True, return_counts=True)
        # pieces in the order of their first pixels, whichever level of the grid made them
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        piece, first, pixels = rank[piece], first[order], pixels[order]
        numbers[layer, y, x] = done + piece
        shown = np.bincount(piece, weights=trained[layer, y, x], minlength=len(pixels)) > 0
        random = np.random.default_rng([seed, crc32(ground.name.encode()), layer])
        key = random.random(labels.shape, np.float32)[y[first], x[first]]
        flat, here = layer * labels.size + places[first], np.full(len(pixels), layer)
        rows, aside = y[first] + ground.top, x[first] + ground.left
        columns.append([flat, here, label[first], rows, aside, pixels, cell[first], shown, key])
        done += len(pixels)
    return Pieces(numbers, *(np.concatenate(column) for column in zip(*columns, strict=True)))


def _regions(labels: np.ndarray) -> np.ndarray:
    """Number of the connected region of each pixel, int32 `(y, x)`; 0 where unlabelled."""
    from scipy.ndimage import label as connected

    regions = np.zeros(labels.shape, np.int32)
    done = 0
    for position in np.unique(labels[labels >= 0]):
        own = labels == position
        found, count = connected(own)
        regions[own] = found[own] + done
        done += count
    return regions


def _cut(
    piece: np.ndarray, y: np.ndarray, x: np.ndarray, *, largest: np.ndarray, side: int, always: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Cut what is too large; everything is of labelled pixels, `(k,)`.

    Returns:
        Numbers of pieces, with gaps, and the side of the cell that cut each pixel's piece, 0 where none did.
    """
    cell = np.zeros(len(piece), np.int64)
    lines = np.arange(0, max(y.max(initial=0), x.max(initial=0)) + side + 1, side)
    for level in range(side.bit_length()):
        if side >> level < LEAST_CELL and level:
            break
        if level:
            # halves of a cell lie within it, also where its side is odd
            lines = np.sort(np.concatenate([lines, (lines[:-1] + lines[1:]) // 2]))
        _, piece, pixels = np.unique(piece, return_inverse=True, return_counts=True)
        large = (pixels[piece] > largest) | (always and not level)
        if not large.any():
            break
        rows, columns = (np.searchsorted(lines, values[large], side="right") for values in (y, x))
        _, part = np.unique((piece[large] * len(lines) + rows) * len(lines) + columns, return_inverse=True)
        piece[large] = len(pixels) + part
        cell[large] = side >> level
    return piece, cell
