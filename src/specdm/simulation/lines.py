"""What runs across a landscape: a river with its banks, a lake, a main road."""

from __future__ import annotations

import numpy as np

from specdm.simulation.draws import generator, smooth_field
from specdm.simulation.ground import Ground


def draw_water(ground: Ground, *, seed: int) -> None:
    """A winding river with meadows and trees along it and, in a larger scene, a lake."""
    if not ground.has("water"):
        return
    random = generator(seed, "water")
    tall, wide = ground.extent
    least = min(tall, wide)
    along, off = _course(ground, random, bend=0.05 * least, waves=(1.3, 3.1))
    width = min(46.0, 0.05 * least) * (1 + 0.25 * np.sin(along / (0.3 * least) + random.uniform(0, 6)))
    rough = smooth_field(generator(seed, "banks"), ground.cover.shape, length=45 / ground.spacing)
    ground.paint((off < width / 2 + 16 + 14 * rough) & (off >= width / 2), "grassland")
    ground.paint((off < width / 2 + 7 + 9 * rough) & (off >= width / 2), "forest")
    ground.paint(off < width / 2, "water")
    if least > 1500:
        y, x = random.uniform(0.2, 0.8, 2) * (tall, wide)
        angle, (long, short) = random.uniform(0, np.pi), random.uniform((110, 65), (190, 100))
        u = np.cos(angle) * (ground.x - x) + np.sin(angle) * (ground.y - y)
        v = np.cos(angle) * (ground.y - y) - np.sin(angle) * (ground.x - x)
        out = np.hypot(u / long, v / short) + 0.10 * rough
        ground.paint((out < 1.22) & (out >= 1), "grassland")
        ground.paint(out < 1, "water")


def draw_main_road(ground: Ground, *, seed: int, shift: float = 0.0) -> None:
    """A main road through the scene, bridges included.

    Args:
        ground: the map, changed in place.
        seed: of the scene.
        shift: metres by which the middle of the road lies elsewhere than it would: a bypass.
    """
    random = generator(seed, "main road")
    least = min(ground.extent)
    _, off = _course(ground, random, bend=0.02 * least, waves=(0.7, 1.4), shift=shift)
    ground.paint(off < 11.0, "roads", angle=0.0)
    lane = (off >= 11.0) & (off < 16.0)
    water = ground.cover == ground.position("water") if ground.has("water") else np.zeros_like(lane)
    ground.paint(lane & ~water, "grassland")


def _course(
    ground: Ground,
    random: np.random.Generator,
    *,
    bend: float,
    waves: tuple[float, float],
    shift: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Metres along a winding line through the scene, and metres away from it, float32 `(row, column)` each."""
    tall, wide = ground.extent
    angle = random.uniform(0, np.pi)
    through = random.uniform(0.3, 0.7, 2) * (tall, wide)
    u = np.cos(angle) * (ground.x - through[1]) + np.sin(angle) * (ground.y - through[0])
    v = np.cos(angle) * (ground.y - through[0]) - np.sin(angle) * (ground.x - through[1])
    length = max(tall, wide)
    line, slope = np.zeros_like(u), np.zeros_like(u)
    for number, phase in zip(waves, random.uniform(0, 2 * np.pi, 2), strict=True):
        rate = 2 * np.pi * number / length
        line += bend / number**0.5 * np.sin(rate * u + phase)
        slope += bend / number**0.5 * rate * np.cos(rate * u + phase)
    bump = shift * np.exp(-0.5 * (u / (0.16 * length)) ** 2)
    slope += -bump * u / (0.16 * length) ** 2
    # the distance across, made the distance to the line by its slope
    return u, np.abs(v - line - bump) / np.sqrt(1 + slope**2)
