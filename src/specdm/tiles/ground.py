"""A scene at planning resolution: its labels counted in cells, its windows, and what reserving ground costs.

Cells are one pixel in small scenes and coarser in large ones, so that planning a split takes the same time
and memory for any scene. Coarse cells only make the choice of blocks less sharp; which windows may be used
is decided afterwards, in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from specdm.tiles.windows import Block, axis_starts, count_cover


def cell_size(height: int, width: int, size: int, budget: int) -> int:
    """Pixels along a cell: a divisor or multiple of the tile size, so that `budget` cells suffice."""
    for cell in (d for d in range(1, size + 1) if size % d == 0):
        if (height // cell) * (width // cell) <= budget:
            return cell
    wanted = int(np.ceil(np.sqrt(height * width / budget) / size))
    return size * max(1, min(wanted, min(height, width) // size))


@dataclass
class Ground:
    """What planning knows of one scene.

    Attributes:
        height, width, size, stride: pixels of the scene, of a tile, and between training windows.
        cell: pixels along a cell.
        labels: labelled pixels of each class in each cell, `(rows, columns, classes)`.
        forbidden: cells that training windows must not touch from the start, bool `(rows, columns)`.
        blocks: ground reserved so far, in pixels, none overlapping another.
    """

    height: int
    width: int
    size: int
    stride: int
    cell: int
    labels: np.ndarray
    forbidden: np.ndarray
    blocks: list[Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows, self.columns = self.labels.shape[:2]
        self.window = max(1, self.size // self.cell)
        step = max(1, self.stride // self.cell)
        self.starts_y = axis_starts(self.rows, self.window, step)
        self.starts_x = axis_starts(self.columns, self.window, step)
        planned = max(1, len(self.starts_y) * len(self.starts_x))
        # a coarse grid has fewer windows than will be cut: each stands for that many
        self.weight = count_cover(self.height, self.width, size=self.size, stride=self.stride) / planned
        self.reserved = np.zeros((self.rows, self.columns), bool)
        self.legal = self._legal(self.forbidden)
        self._label_sums = summed(self.labels)

    @property
    def windows_left(self) -> float:
        """Training windows that touch nothing reserved or forbidden; an estimate where cells are coarse."""
        return float(self.legal.sum() * self.weight)

    def covered(self, reserved: np.ndarray | None = None) -> np.ndarray:
        """Labelled pixels of each class that training windows still reach, `(classes,)`."""
        legal = self.legal if reserved is None else self.legal & self._legal(reserved)
        turns = np.zeros((self.rows + 1, self.columns + 1), np.int64)
        y, x = np.nonzero(legal)
        y, x = self.starts_y[y], self.starts_x[x]
        # +1 where a window begins and -1 where it ends: their running sum counts the windows over each cell
        for end_y, end_x, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
            np.add.at(turns, (y + end_y * self.window, x + end_x * self.window), sign)
        reached = turns.cumsum(0).cumsum(1)[:-1, :-1] > 0
        return self.labels[reached].sum(axis=0)

    def candidates(self, tiles: int) -> Candidates:
        """Blocks of up to `tiles` x `tiles` tiles that could be reserved next.

        They stand on a grid that starts at either border, so that blocks fit flush into every corner.
        """
        high = self._block_cells(tiles, self.rows, self.height)
        wide = self._block_cells(tiles, self.columns, self.width)
        at_y, at_x = _both_ends(self.rows, high), _both_ends(self.columns, wide)
        y, x = (a.ravel() for a in np.meshgrid(at_y, at_x, indexing="ij"))
        free = rectangle_sums(summed(self.reserved), y, x, high, wide) == 0
        y, x = y[free], x[free]
        first_y = np.searchsorted(self.starts_y, y - self.window, side="right")
        first_x = np.searchsorted(self.starts_x, x - self.window, side="right")
        last_y = np.searchsorted(self.starts_y, y + high, side="left")
        last_x = np.searchsorted(self.starts_x, x + wide, side="left")
        sums = summed(self.legal)
        lost = sums[last_y, last_x] - sums[first_y, last_x] - sums[last_y, first_x] + sums[first_y, first_x]
        return Candidates(
            y=y,
            x=x,
            high=high,
            wide=wide,
            lost=lost * self.weight,
            labels=rectangle_sums(self._label_sums, y, x, high, wide),
            clean=rectangle_sums(summed(self.forbidden), y, x, high, wide) == 0,
        )

    def reserve(self, y: int, x: int, high: int, wide: int) -> Block:
        """Take a rectangle of cells out of the training ground; returns it in pixels."""
        self.reserved[y : y + high, x : x + wide] = True
        self.legal &= self._legal(self.reserved)
        block = Block(
            # the last cell of a scene also holds the pixels left over: a block there is flush with the border
            y=self.height - high * self.cell if y + high == self.rows else y * self.cell,
            x=self.width - wide * self.cell if x + wide == self.columns else x * self.cell,
            height=high * self.cell,
            width=wide * self.cell,
        )
        self.blocks.append(block)
        return block

    def labels_of(self, block: Block) -> np.ndarray:
        """Labelled pixels of each class in a block that `reserve` gave, `(classes,)`."""
        y, x = (block.y + block.height) // self.cell, (block.x + block.width) // self.cell
        high, wide = block.height // self.cell, block.width // self.cell
        return self.labels[y - high : y, x - wide : x].sum(axis=(0, 1))

    def _legal(self, closed: np.ndarray) -> np.ndarray:
        y, x = np.meshgrid(self.starts_y, self.starts_x, indexing="ij")
        hits = rectangle_sums(summed(closed), y.ravel(), x.ravel(), self.window, self.window)
        return (hits == 0).reshape(y.shape)

    def _block_cells(self, tiles: int, cells: int, pixels: int) -> int:
        if self.cell > self.size:
            return int(np.clip(round(tiles * self.size / self.cell), 1, cells))
        return min(tiles, pixels // self.size) * self.window


@dataclass(frozen=True)
class Candidates:
    """Blocks that could be reserved: `n` positions of one shape, in cells.

    Attributes:
        y, x: first row and column, `(n,)`.
        high, wide: cells of each block.
        lost: training windows that would go, `(n,)`.
        labels: labelled pixels of each class within, `(n, classes)`.
        clean: no forbidden cell within, bool `(n,)`.
    """

    y: np.ndarray
    x: np.ndarray
    high: int
    wide: int
    lost: np.ndarray
    labels: np.ndarray
    clean: np.ndarray


def summed(cells: np.ndarray) -> np.ndarray:
    """Summed-area table over the first two axes, int64, one longer along each."""
    table = np.zeros((cells.shape[0] + 1, cells.shape[1] + 1, *cells.shape[2:]), np.int64)
    table[1:, 1:] = cells.cumsum(axis=0, dtype=np.int64).cumsum(axis=1)
    return table


def rectangle_sums(table: np.ndarray, y: np.ndarray, x: np.ndarray, high: int, wide: int) -> np.ndarray:
    """Sums over rectangles of one shape from a summed-area table: `(n,)` or `(n, classes)`."""
    return table[y + high, x + wide] - table[y, x + wide] - table[y + high, x] + table[y, x]


def _both_ends(cells: int, block: int) -> np.ndarray:
    step = max(1, block // 4)
    forward = axis_starts(cells, block, step, flush=False)
    return np.unique(np.concatenate([forward, cells - block - forward]))
