"""From a map to abundances: texture on the fine grid, then the mean of each pixel."""

from __future__ import annotations

import numpy as np

from specdm.simulation.covers import FIELDS
from specdm.simulation.draws import generator, smooth_field
from specdm.simulation.ground import Ground
from specdm.simulation.materials import SHADE
from specdm.simulation.vegetation import CANOPIES

_TILE = 256  # cells of a texture's side; it wraps around
_PATCHES, _GRAIN = 70.0, 16.0  # metres


def pixel_means(values: np.ndarray, factor: int) -> np.ndarray:
    """Means over blocks of `factor` x `factor` cells, `(..., y, x)`."""
    *front, rows, columns = values.shape
    return values.reshape(*front, rows // factor, factor, columns // factor, factor).mean(axis=(-3, -1))


def class_shares(ground: Ground, factor: int) -> np.ndarray:
    """Share of each pixel's area that each class covers, float32 `(class, y, x)`, sums to one."""
    return np.stack(
        [pixel_means((ground.cover == i).astype(np.float32), factor) for i in range(len(ground.legend.names))]
    )


def material_shares(
    ground: Ground, factor: int, *, day: int, seed: int, when: str, texture: float, part: slice
) -> np.ndarray:
    """Abundance of each material under even light, with differences between and within parcels.

    Texture is a difference of composition (more soil here, thicker crop there), so that pixels stay linear mixtures
    of the same end members. The shares of a class are multiplied by exp(noise) and brought back to a sum of one;
    noise is what a parcel has of its own, patches stretched along the parcel's direction, and fine grain.

    Args:
        ground: the map.
        factor: cells along the side of a pixel.
        day: day of the year.
        seed: of the scene.
        when: the date; part of the texture is its own.
        texture: 0 for none, 1 for the usual amount.
        part: rows of pixels to work on, for less memory at a time.

    Returns:
        float64 `(material, rows, x)`, sums to one.
    """
    rows = slice(part.start * factor, part.stop * factor)
    cover, parcel = ground.cover[rows], ground.parcel[rows]
    between, within = (texture * spread for spread in ground.legend.spread())
    shares = ground.legend.shares(day)
    own = _parcel_offsets(ground, seed, when)
    places = _stretched_places(ground, rows)
    total = np.zeros(cover.shape)
    weights = np.zeros((len(ground.legend.materials), *cover.shape))
    for i, material in enumerate(ground.legend.materials):
        present = shares[:, i]
        if not present.any():
            continue
        noise = between[cover] * own[parcel, i] + within[cover] * _texture(material, seed, when, ground.spacing, places)
        weights[i] = present[cover] * np.exp(noise)
        total += weights[i]
    return pixel_means(weights / total, factor)


def lit(abundances: np.ndarray, light: np.ndarray, materials: tuple[str, ...]) -> np.ndarray:
    """Abundances in light that differs from pixel to pixel: what light is missing is abundance of shade.

    Args:
        abundances: `(material, y, x)`, sums to one.
        light: `(y, x)`, above 0 up to 1.
        materials: their names, shade among them.

    Returns:
        float64 `(material, y, x)`, sums to one.
    """
    darker = abundances * light
    darker[materials.index(SHADE)] += 1.0 - light
    return darker / darker.sum(axis=0)


def _parcel_offsets(ground: Ground, seed: int, when: str) -> np.ndarray:
    """What each parcel has of its own, `(parcel, material)`: mostly lasting, partly of the date."""
    size = (len(ground.angles), len(ground.legend.materials))
    lasting = generator(seed, "parcels").standard_normal(size)
    passing = generator(seed, f"parcels {when}").standard_normal(size)
    part = np.array([_passing(material) for material in ground.legend.materials])
    return np.sqrt(1 - part**2) * lasting + part * passing


def _passing(material: str) -> float:
    """How much of a material's texture is of the date alone: much of what grows, little of soils and roofs."""
    return 0.5 if material in CANOPIES or material == "dry plants" else 0.1


def _stretched_places(ground: Ground, rows: slice) -> np.ndarray:
    """Coordinates `(2, row, column)` in metres along and across each cell's parcel.

    Along fields they are shortened threefold: farm machines leave streaks.
    """
    streaks = np.array([3.0 if name in FIELDS else 1.0 for name in ground.legend.names], np.float32)
    angle = np.asarray(ground.angles)[ground.parcel[rows]].astype(np.float32)
    x, y = ground.x[rows], ground.y[rows]
    along = np.cos(angle) * x + np.sin(angle) * y
    return np.stack([along / streaks[ground.cover[rows]], np.cos(angle) * y - np.sin(angle) * x])


def _texture(material: str, seed: int, when: str, spacing: float, places: np.ndarray) -> np.ndarray:
    """Patches and grain of a material, standard deviation about 1, float32 `(row, column)`."""
    from scipy.ndimage import map_coordinates

    field = np.zeros((_TILE, _TILE), np.float32)
    part = _passing(material)
    for weight, purpose in (((1 - part**2) ** 0.5, f"texture {material}"), (part, f"texture {material} {when}")):
        random = generator(seed, purpose)
        for share, length in ((0.8, _PATCHES), (0.6, _GRAIN)):
            field += weight * share * smooth_field(random, field.shape, length=length / spacing)
    return map_coordinates(field, places / spacing, order=1, mode="grid-wrap")
