"""The map a scene is drawn on: a fine grid of classes and parcels, and its coordinates in metres."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from specdm.simulation.covers import Legend


@dataclass
class Ground:
    """A map under construction, finer than the image: each cell has one class and belongs to one parcel.

    Attributes:
        legend: the classes.
        spacing: size of a cell in metres.
        x, y: metres of the cell centres from the upper left corner, float32 `(row, column)`.
        cover: position of the class in the legend, int8 `(row, column)`.
        parcel: number of the parcel, int32 `(row, column)`.
        angles: direction of each parcel in radians, by number.
        open_parcels: numbers of the parcels of open land (fields and meadows).
    """

    legend: Legend
    spacing: float
    x: np.ndarray
    y: np.ndarray
    cover: np.ndarray
    parcel: np.ndarray
    angles: list[float] = field(default_factory=list)
    open_parcels: list[int] = field(default_factory=list)

    @classmethod
    def empty(cls, legend: Legend, *, shape: tuple[int, int], spacing: float) -> Ground:
        rows, columns = shape
        y = np.broadcast_to(((np.arange(rows) + 0.5) * spacing)[:, None], shape).astype(np.float32)
        x = np.broadcast_to(((np.arange(columns) + 0.5) * spacing)[None, :], shape).astype(np.float32)
        return cls(legend, spacing, x, y, np.zeros(shape, np.int8), np.zeros(shape, np.int32))

    @property
    def extent(self) -> tuple[float, float]:
        """Height and width in metres."""
        return self.cover.shape[0] * self.spacing, self.cover.shape[1] * self.spacing

    def has(self, name: str) -> bool:
        return name in self.legend.names

    def position(self, *names: str) -> int:
        """Position of the first of these classes that the legend has; its first class if it has none."""
        return next((self.legend.names.index(name) for name in names if self.has(name)), 0)

    def new_parcel(self, angle: float) -> int:
        self.angles.append(angle)
        return len(self.angles) - 1

    def paint(self, where: np.ndarray, name: str, *, angle: float = 0.0) -> None:
        """Give cells (flat indices or a mask) a class, as one parcel; nothing if the legend has it not."""
        if self.has(name):
            target = np.flatnonzero(where) if where.dtype == bool else where
            self.cover.flat[target] = self.position(name)
            self.parcel.flat[target] = self.new_parcel(angle)

    def turned(self, cells: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates in metres of cells (flat indices) along and across a direction, float32 `(cell,)` each."""
        x, y = self.x.flat[cells], self.y.flat[cells]
        along = np.cos(angle) * x + np.sin(angle) * y
        return along, np.cos(angle) * y - np.sin(angle) * x


def split_cells(
    along: np.ndarray,
    across: np.ndarray,
    *,
    random: np.random.Generator,
    size: tuple[float, float],
    depth: int = 12,
) -> list[np.ndarray]:
    """Cut cells into rectangles by straight borders, the longer side first, until they are small enough.

    Args:
        along, across: coordinates in metres, `(cell,)`.
        random: where to cut.
        size: least and most metres of a side at which cutting ends.
        depth: most cuts on top of each other.

    Returns:
        Positions of each rectangle's cells.
    """

    def cut(cells: np.ndarray, left: int) -> list[np.ndarray]:
        if not len(cells):
            return []
        a, b = along[cells], across[cells]
        sides = np.ptp(a), np.ptp(b)
        longer = int(sides[1] > 1.6 * sides[0])  # fields are rather strips along their direction
        side = sides[longer]
        if left == 0 or side < random.uniform(*size) * (1.0 if longer else 1.6):
            return [cells]
        values = (a, b)[longer]
        border = values.min() + side * random.uniform(0.36, 0.64)
        return cut(cells[values < border], left - 1) + cut(cells[values >= border], left - 1)

    return cut(np.arange(len(along)), depth)
