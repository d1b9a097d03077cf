"""Districts of a landscape: open fields, woods and settlements, with the tracks between them."""

from __future__ import annotations

import numpy as np

from specdm.simulation.covers import FIELDS
from specdm.simulation.draws import generator, smooth_field
from specdm.simulation.ground import Ground, split_cells
from specdm.simulation.settlement import build_settlement

DISTRICT = 650.0
"""Mean size of a district in metres."""

_GROWN = {"cereal": 2.2, "row crops": 1.8, "grassland": 1.6, "bare soil": 0.9}
"""How usual the classes of open land are."""


def draw_districts(ground: Ground, *, seed: int, field_size: float) -> None:
    """Fill the map with districts: fields cut into straight parcels, woods, settlements, and tracks between.

    Args:
        ground: the map, changed in place.
        seed: of the scene.
        field_size: typical side of a parcel in metres.
    """
    random = generator(seed, "districts")
    centres = _centres(ground, random)
    nearest, border, pair = _neighbours(ground, centres)
    kinds = _kinds(ground, len(centres), random)
    wood = smooth_field(generator(seed, "wood"), ground.cover.shape, length=90 / ground.spacing)
    for district, kind in enumerate(kinds):
        cells = np.flatnonzero(nearest == district)
        angle = float(random.uniform(0, np.pi))
        if kind == "settlement":
            build_settlement(ground, cells, random=random, angle=angle)
            continue
        _parcels(ground, cells, random=random, angle=angle, size=field_size * random.uniform(0.7, 1.5))
        if kind == "forest":
            # an edge that is not straight, with meadows before it
            inner = border.flat[cells] + 28 * wood.flat[cells] > 22
            ground.paint(cells[inner], "forest", angle=angle)
    copse = (wood > 2.1) & np.isin(nearest, [i for i, kind in enumerate(kinds) if kind == "fields"])
    ground.paint(copse, "forest")
    _tracks(ground, border, pair, random)


def _centres(ground: Ground, random: np.random.Generator) -> np.ndarray:
    """Centres of districts `(district, 2)`, y and x in metres: a grid, each moved at random."""
    tall, wide = ground.extent
    rows, columns = (max(2, round(side / DISTRICT)) for side in (tall, wide))
    grid = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    moved = grid + 0.5 + random.uniform(-0.38, 0.38, grid.shape)
    return moved * (tall / rows, wide / columns)


def _neighbours(ground: Ground, centres: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearest district of each cell, metres to its border, and a number for the pair of districts there."""
    from scipy.spatial import cKDTree

    points = np.stack([ground.y.ravel(), ground.x.ravel()], axis=1)
    distance, index = cKDTree(centres).query(points, k=2)
    apart = np.linalg.norm(centres[index[:, 0]] - centres[index[:, 1]], axis=1)
    border = (distance[:, 1] ** 2 - distance[:, 0] ** 2) / (2 * apart)
    pair = index.min(axis=1) * len(centres) + index.max(axis=1)
    shape = ground.cover.shape
    return index[:, 0].reshape(shape), border.astype(np.float32).reshape(shape), pair.reshape(shape)


def _kinds(ground: Ground, count: int, random: np.random.Generator) -> list[str]:
    """A kind for each district, such that every kind there is a class for occurs."""
    share = {"fields": 0.70, "forest": 0.18 * ground.has("forest"), "settlement": 0.12 * ground.has("buildings")}
    kinds = [kind for kind, part in share.items() if part]
    weights = np.array([share[kind] for kind in kinds])
    rest = random.choice(kinds, max(count - len(kinds), 0), p=weights / weights.sum())
    drawn = [*kinds[:count], *(str(kind) for kind in rest)]
    return [drawn[i] for i in random.permutation(count)]


def _parcels(
    ground: Ground, cells: np.ndarray, *, random: np.random.Generator, angle: float, size: float
) -> None:
    """Cut a district into parcels and give each a class of open land."""
    choices = [name for name in FIELDS if ground.has(name)]
    # what is grown differs from district to district
    weights = 0.8 * random.dirichlet([_GROWN[name] for name in choices]) + 0.2 / len(choices)
    along, across = ground.turned(cells, angle)
    for part in split_cells(along, across, random=random, size=(0.55 * size, 1.3 * size)):
        number = ground.new_parcel(angle)
        ground.open_parcels.append(number)
        ground.parcel.flat[cells[part]] = number
        ground.cover.flat[cells[part]] = ground.position(str(random.choice(choices, p=weights)))


def _tracks(ground: Ground, border: np.ndarray, pair: np.ndarray, random: np.random.Generator) -> None:
    """Roads along the borders of districts, some lined with trees."""
    width = random.choice([4.0, 6.0, 9.0], pair.max() + 1)[pair]
    lined = (random.random(pair.max() + 1) < 0.3)[pair]
    open_land = np.isin(ground.cover, [ground.position(name) for name in FIELDS if ground.has(name)])
    ground.paint(lined & open_land & (border > width / 2) & (border < width / 2 + 11), "forest")
    ground.paint(border < width / 2, "roads")
