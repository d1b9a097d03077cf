"""Settlements: blocks between streets, houses on lots with gardens, some halls."""

from __future__ import annotations

import numpy as np

from specdm.simulation.ground import Ground, split_cells


def build_settlement(ground: Ground, cells: np.ndarray, *, random: np.random.Generator, angle: float) -> None:
    """Build over some cells of the map.

    Args:
        ground: the map, changed in place; classes that its legend has not are left out.
        cells: flat indices of the cells.
        random: what is built where.
        angle: direction of the streets, radians.
    """
    if not len(cells):
        return
    along, across = ground.turned(cells, angle)
    gardens = ground.position("gardens", "grassland")
    middle = along.mean(), across.mean()
    reach = max(float(np.hypot(along - middle[0], across - middle[1]).max()), 1.0)
    for block in split_cells(along, across, random=random, size=(60.0, 120.0)):
        ground.cover.flat[cells[block]] = gardens
        ground.parcel.flat[cells[block]] = ground.new_parcel(angle)
        a, b = along[block] - along[block].min(), across[block] - across[block].min()
        street = (a < 6) | (b < 6)
        ground.paint(cells[block][street], "roads", angle=angle)
        outward = float(np.hypot(along[block].mean() - middle[0], across[block].mean() - middle[1])) / reach
        if random.random() < 0.16:
            _hall(ground, cells[block], a, b, random, angle)
        elif random.random() > 0.45 * outward:  # towards the edge more blocks stay green
            _houses(ground, cells[block], a, b, random, angle)


def _houses(
    ground: Ground, cells: np.ndarray, a: np.ndarray, b: np.ndarray, random: np.random.Generator, angle: float
) -> None:
    """One house a lot, each with its own roof."""
    lot = float(random.uniform(19, 27)), float(random.uniform(19, 27))
    row, column = ((a - 8) // lot[0]).astype(int), ((b - 8) // lot[1]).astype(int)
    for r in range(row.max() + 1):
        for c in range(column.max() + 1):
            size = random.uniform(9, 14), random.uniform(11, 17)
            start = random.uniform(2, 4, 2)
            u, v = a - 8 - r * lot[0] - start[0], b - 8 - c * lot[1] - start[1]
            house = (u >= 0) & (u < size[0]) & (v >= 0) & (v < size[1]) & (row == r) & (column == c)
            if random.random() < 0.9 and house.any():
                ground.paint(cells[house], "buildings", angle=angle)


def _hall(
    ground: Ground, cells: np.ndarray, a: np.ndarray, b: np.ndarray, random: np.random.Generator, angle: float
) -> None:
    """One large building on a paved yard."""
    yard = (a > 6) & (b > 6)
    ground.paint(cells[yard], "roads", angle=angle)
    margin = random.uniform(12, 22)
    inside = (a > margin) & (a < a.max() - 8) & (b > margin) & (b < b.max() - 8)
    ground.paint(cells[inside], "buildings", angle=angle)
