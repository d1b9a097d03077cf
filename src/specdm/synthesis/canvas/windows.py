"""Where the windows of a scene lie, and how much each counts at each of its cells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class Area:
    """A rectangle of cells or pixels: first row and column, rows and columns."""

    y: int
    x: int
    height: int
    width: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def times(self, factor: int) -> Area:
        """The same ground on a grid that is finer by a factor."""
        return Area(self.y * factor, self.x * factor, self.height * factor, self.width * factor)

    def meet(self, other: Area) -> Area | None:
        """What two areas share, or None."""
        y, x = max(self.y, other.y), max(self.x, other.x)
        bottom = min(self.y + self.height, other.y + other.height)
        right = min(self.x + self.width, other.x + other.width)
        return Area(y, x, bottom - y, right - x) if bottom > y and right > x else None

    def grown(self, margin: int, *, inside: Area) -> Area:
        """With a margin on each side, as far as there is ground."""
        wide = Area(self.y - margin, self.x - margin, self.height + 2 * margin, self.width + 2 * margin)
        found = wide.meet(inside)
        assert found is not None, "an area lies inside what it is a part of"
        return found

    def moved(self, *, y: int, x: int) -> Area:
        """The same rectangle counted from another origin."""
        return Area(self.y + y, self.x + x, self.height, self.width)

    def within(self, other: Area) -> tuple[slice, slice]:
        """Where this area lies in an array that holds another."""
        return self.moved(y=-other.y, x=-other.x).slices


def blocks(whole: Area, size: int) -> Iterator[Area]:
    """The blocks of the lattice of this size that an area touches, each cut to the area, row by row."""
    for row in range(whole.y // size, -(-(whole.y + whole.height) // size)):
        for column in range(whole.x // size, -(-(whole.x + whole.width) // size)):
            shared = Area(row * size, column * size, size, size).meet(whole)
            if shared is not None:
                yield shared


@dataclass(frozen=True)
class WindowGrid:
    """Overlapping square windows that cover a canvas.

    Where windows overlap the mean of what they say is taken, with weights that fall to nearly nothing at a window's
    border, so that what is drawn changes smoothly from one to the next (MultiDiffusion, Bar-Tal et al. 2023, eq. 5:
    weighted least squares; smooth weights as in Mixture of Diffusers, Jimenez 2023).

    Attributes:
        height, width: of the canvas, in cells.
        size: cells along a window, those that the model was trained on.
        overlap: share of a window that its neighbour covers too, 0 up to but without 1.
    """

    height: int
    width: int
    size: int
    overlap: float

    @property
    def stride(self) -> int:
        """Cells from one window to the next."""
        return max(1, round(self.size * (1 - self.overlap)))

    @cached_property
    def areas(self) -> list[Area]:
        """All windows, row by row; the last of a row ends with the canvas."""
        rows, columns = (self._starts(length) for length in (self.height, self.width))
        return [Area(y, x, self.size, self.size) for y in rows for x in columns]

    @cached_property
    def weights(self) -> np.ndarray:
        """How much a window counts at its cells, float32 `(size, size)`: squared sines, above 0 everywhere."""
        return np.outer(self._side, self._side).astype(np.float32)

    def total(self, area: Area) -> np.ndarray:
        """Sum of the weights of all windows at the cells of an area, float32 `(y, x)`, above 0."""
        rows, columns = (self._sums(length) for length in (self.height, self.width))
        down, across = area.slices
        # windows are all pairs of a row and a column of starts, so sums of products are products of sums
        return np.outer(rows[down], columns[across]).astype(np.float32)

    @cached_property
    def _side(self) -> np.ndarray:
        return np.sin(np.pi * (np.arange(self.size) + 0.5) / self.size) ** 2

    def _starts(self, length: int) -> list[int]:
        last = length - self.size
        return [*range(0, last, self.stride), last]

    def _sums(self, length: int) -> np.ndarray:
        sums = np.zeros(length)
        for start in self._starts(length):
            sums[start : start + self.size] += self._side
        return sums
