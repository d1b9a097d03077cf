"""The classes of a simulated scene: what each kind of ground is made of through the year."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.classes import Classes
from specdm.simulation.materials import MATERIALS, SHADE
from specdm.simulation.vegetation import CANOPIES


@dataclass(frozen=True)
class Cover:
    """A class of ground.

    Attributes:
        color: for pictures, "#rrggbb".
        materials: all that it may be made of.
        shares: day of the year -> share of each material; they sum to one, missing ones are 0.
        between: how much the shares differ between parcels (standard deviation of their logarithm).
        within: how much they differ within a parcel, in patches and from pixel to pixel.
    """

    color: str
    materials: tuple[str, ...]
    shares: Callable[[int], Mapping[str, float]]
    between: float
    within: float


def _cereal(day: int) -> dict[str, float]:
    growth = CANOPIES["cereal leaves"].growth(day)
    ripe = _step(day, 188, 5) * (1 - 0.45 * _step(day, 214, 2)) * (1 - _step(day, 262, 4))  # harvest, ploughing
    return _filled({"cereal leaves": 0.82 * growth, "dry plants": 0.03 + 0.80 * ripe, SHADE: 0.08}, "pale soil")


def _row_crop(day: int) -> dict[str, float]:
    growth = CANOPIES["row-crop leaves"].growth(day)
    ripe = _step(day, 262, 8) * (1 - 0.7 * _step(day, 290, 3))
    return _filled({"row-crop leaves": 0.86 * growth, "dry plants": 0.03 + 0.6 * ripe, SHADE: 0.06}, "dark soil")


def _grassland(day: int) -> dict[str, float]:
    growth = CANOPIES["grass"].growth(day)
    dry = 0.16 + 0.20 * _step(day, 205, 12) * (1 - _step(day, 255, 10))  # parched in late summer
    return _filled({"grass": 0.30 + 0.45 * growth - 0.6 * (dry - 0.16), "dry plants": dry, SHADE: 0.04}, "dark soil")


def _forest(day: int) -> dict[str, float]:
    growth = CANOPIES["tree crowns"].growth(day)
    return _filled({"tree crowns": 0.20 + 0.48 * growth, SHADE: 0.22 + 0.06 * growth, "dark soil": 0.02}, "dry plants")


def _bare(day: int) -> dict[str, float]:
    return {"pale soil": 0.55, "dark soil": 0.33, "dry plants": 0.05, "grass": 0.03, SHADE: 0.04}


def _gardens(day: int) -> dict[str, float]:
    growth = CANOPIES["tree crowns"].growth(day)
    return _filled({"grass": 0.42, "tree crowns": 0.10 + 0.14 * growth, "concrete": 0.10, SHADE: 0.08}, "dark soil")


def _buildings(day: int) -> dict[str, float]:
    return {"red roof": 0.46, "grey roof": 0.46, SHADE: 0.08}


def _roads(day: int) -> dict[str, float]:
    return {"asphalt": 0.80, "concrete": 0.12, "grass": 0.05, SHADE: 0.03}


def _water(day: int) -> dict[str, float]:
    return {"water": 1.0}


COVERS: dict[str, Cover] = {
    "cereal": Cover("#e6c34a", ("cereal leaves", "dry plants", "pale soil", SHADE), _cereal, 0.30, 0.30),
    "row crops": Cover("#d9822b", ("row-crop leaves", "dry plants", "dark soil", SHADE), _row_crop, 0.32, 0.30),
    "grassland": Cover("#96d2a5", ("grass", "dry plants", "dark soil", SHADE), _grassland, 0.35, 0.32),
    "forest": Cover("#1e5c33", ("tree crowns", "dry plants", "dark soil", SHADE), _forest, 0.15, 0.50),
    "bare soil": Cover("#8c5a2b", ("pale soil", "dark soil", "dry plants", "grass", SHADE), _bare, 0.45, 0.30),
    "gardens": Cover("#b4c95a", ("grass", "tree crowns", "concrete", "dark soil", SHADE), _gardens, 0.35, 0.45),
    "buildings": Cover("#c8321e", ("red roof", "grey roof", SHADE), _buildings, 1.30, 0.15),
    "roads": Cover("#5a5a64", ("asphalt", "concrete", "grass", SHADE), _roads, 0.15, 0.20),
    "water": Cover("#1f78b4", ("water",), _water, 0.0, 0.0),
}

FIELDS = ("cereal", "row crops", "grassland", "bare soil")
"""Classes that parcels of open land are given."""


@dataclass(frozen=True)
class Legend:
    """The classes of one simulation, in order, and the materials they need."""

    names: tuple[str, ...]
    materials: tuple[str, ...]

    @classmethod
    def create(cls, names: Sequence[str] | None) -> Legend:
        """Checked classes; all of `COVERS` if none are named.

        Raises:
            SceneError: an unknown or doubled class, fewer than two, or none of `FIELDS`.
        """
        chosen = tuple(COVERS) if names is None else tuple(names)
        unknown = [name for name in chosen if name not in COVERS]
        if unknown:
            known = ", ".join(COVERS)
            raise SceneError(f"class {unknown[0]!r} is not known to the simulator; expected some of {known}")
        if len(chosen) < 2 or len(set(chosen)) < len(chosen):
            raise SceneError(f"classes {', '.join(chosen) or 'none'}; expected two or more different ones")
        if not set(chosen) & set(FIELDS):
            raise SceneError(f"classes {', '.join(chosen)} leave no open land; add one of {', '.join(FIELDS)}")
        used = {material for name in chosen for material in COVERS[name].materials} | {SHADE}
        return cls(chosen, tuple(material for material in MATERIALS if material in used))

    def classes(self) -> Classes:
        """Mask values 1, 2, ... with names and colours."""
        return Classes.create(range(1, len(self.names) + 1), self.names, [COVERS[n].color for n in self.names])

    def shares(self, day: int) -> np.ndarray:
        """What the classes are made of on a day of the year, float64 `(class, material)`, rows sum to one."""
        table = np.zeros((len(self.names), len(self.materials)))
        for row, name in enumerate(self.names):
            for material, share in COVERS[name].shares(day).items():
                table[row, self.materials.index(material)] = max(share, 0.0)
        return table / table.sum(axis=1, keepdims=True)

    def spread(self) -> tuple[np.ndarray, np.ndarray]:
        """`between` and `within` of the classes, float64 `(class,)` each."""
        covers = [COVERS[name] for name in self.names]
        return np.array([c.between for c in covers]), np.array([c.within for c in covers])


def _step(day: int, middle: float, pace: float) -> float:
    return float(1 / (1 + np.exp(-(day - middle) / pace)))


def _filled(shares: dict[str, float], rest: str) -> dict[str, float]:
    """The shares with what is missing to one given to the ground."""
    return shares | {rest: shares.get(rest, 0.0) + max(1.0 - sum(shares.values()), 0.0)}
