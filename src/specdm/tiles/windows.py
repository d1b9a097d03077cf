"""Where windows lie: square windows over an area, blocks of ground, and which windows touch what.

Everything is in whole pixels of one scene; a window is its first row and first column. No image is read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Block:
    """A rectangle of ground: first row, first column, rows, columns, in pixels."""

    y: int
    x: int
    height: int
    width: int


def axis_starts(length: int, size: int, stride: int, *, flush: bool = True) -> np.ndarray:
    """First pixels of the windows along one axis, int64, rising.

    Args:
        length: pixels there are.
        size: pixels of a window.
        stride: pixels from one window to the next.
        flush: add a last window at the very end, so that no pixel is left over.

    Returns:
        `(n,)`; empty if the axis is shorter than a window.
    """
    if length < size:
        return np.zeros(0, np.int64)
    starts = np.arange(0, length - size + 1, stride, dtype=np.int64)
    if flush and starts[-1] != length - size:
        starts = np.append(starts, length - size)
    return starts


def cover(height: int, width: int, *, size: int, stride: int) -> np.ndarray:
    """Windows that cover an area completely, the last of a row or column flush with the border.

    Returns:
        int64 `(n, 2)`: first row, first column; row by row. Empty if the area is smaller than a window.
    """
    return _grid(axis_starts(height, size, stride), axis_starts(width, size, stride))


def count_cover(height: int, width: int, *, size: int, stride: int) -> int:
    """How many windows `cover` gives."""
    return len(axis_starts(height, size, stride)) * len(axis_starts(width, size, stride))


def pave(block: Block, *, size: int, offset: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Windows side by side in a block, none overlapping, none reaching beyond; what is left over stays out.

    Args:
        block: the ground to pave.
        size: pixels of a window.
        offset: rows and columns of the block to leave free before the first window.

    Returns:
        int64 `(n, 2)`: first row, first column, in pixels of the scene.
    """
    starts_y = axis_starts(block.height - offset[0], size, size, flush=False)
    starts_x = axis_starts(block.width - offset[1], size, size, flush=False)
    return _grid(starts_y + block.y + offset[0], starts_x + block.x + offset[1])


def touching(windows: np.ndarray, blocks: Sequence[Block], *, size: int) -> np.ndarray:
    """Which windows share a pixel with any of the blocks: bool `(n,)`."""
    hit = np.zeros(len(windows), bool)
    for block in blocks:
        rows = (windows[:, 0] < block.y + block.height) & (windows[:, 0] + size > block.y)
        columns = (windows[:, 1] < block.x + block.width) & (windows[:, 1] + size > block.x)
        hit |= rows & columns
    return hit


def inside(windows: np.ndarray, allowed: np.ndarray, *, size: int) -> np.ndarray:
    """Which windows lie on allowed ground with every pixel: bool `(n,)`.

    Args:
        windows: `(n, 2)` first row, first column.
        allowed: boolean map of the scene, `(height, width)`. Looked at one row of windows at a time, so that
            the map of a large scene needs no summed-area table many times its size.
        size: pixels of a window.
    """
    good = np.zeros(len(windows), bool)
    for y in np.unique(windows[:, 0]):
        here = np.flatnonzero(windows[:, 0] == y)
        columns = allowed[y : y + size].all(axis=0)
        # bad columns up to each one: equal at both ends of a window means that none lies within
        bad = np.concatenate([[0], np.cumsum(~columns)])
        starts = windows[here, 1]
        good[here] = bad[starts + size] == bad[starts]
    return good


def _grid(starts_y: np.ndarray, starts_x: np.ndarray) -> np.ndarray:
    return np.stack(np.meshgrid(starts_y, starts_x, indexing="ij"), axis=-1).reshape(-1, 2)
