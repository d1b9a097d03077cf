"""Canopies through the year, by PROSPECT-D and 4SAIL in the package xleaf (MIT licence).

PROSPECT-D: Féret, Gitelson, Noble and Jacquemoud 2017, doi:10.1016/j.rse.2017.03.004. 4SAIL: Verhoef, Jia, Xiao and
Su 2007, doi:10.1109/TGRS.2007.895844. The season is a double logistic curve (Beck et al. 2006,
doi:10.1016/j.rse.2005.10.021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from specdm.simulation.extra import imported
from specdm.simulation.library import GRID


@dataclass(frozen=True)
class Canopy:
    """A kind of vegetation: leaf and canopy at rest and at full growth, and when in the year it grows.

    Attributes:
        lai: leaf area index outside and within the season.
        chlorophyll: micrograms per square centimetre of leaf.
        water: equivalent water thickness of the leaves, cm.
        dry_matter: g per square centimetre of leaf.
        structure: the leaf structure parameter N.
        angle: average leaf angle, degrees.
        season: days of the year when half of the growth is there and half is gone.
        pace: days that growth and decline take.
    """

    lai: tuple[float, float]
    chlorophyll: tuple[float, float]
    water: tuple[float, float]
    dry_matter: float
    structure: float
    angle: float
    season: tuple[int, int]
    pace: tuple[float, float]

    def growth(self, day: int) -> float:
        """How far the season has come, 0 to 1, on a day of the year."""
        rise = 1 / (1 + math.exp(-(day - self.season[0]) / self.pace[0]))
        fall = 1 / (1 + math.exp((day - self.season[1]) / self.pace[1]))
        return rise * fall


# middle European dates and magnitudes
CANOPIES: dict[str, Canopy] = {
    "cereal leaves": Canopy((1.2, 5.0), (18, 52), (0.008, 0.016), 0.0055, 1.45, 65, (100, 186), (9, 6)),
    "row-crop leaves": Canopy((0.8, 4.2), (25, 58), (0.010, 0.020), 0.0050, 1.60, 45, (168, 262), (9, 8)),
    "grass": Canopy((1.5, 3.4), (22, 36), (0.007, 0.012), 0.0060, 1.70, 70, (85, 300), (12, 14)),
    "tree crowns": Canopy((1.2, 5.8), (20, 50), (0.007, 0.011), 0.0100, 2.00, 40, (118, 292), (6, 8)),
}


def canopy_reflectance(name: str, *, day: int, sun_zenith: float, random: np.random.Generator) -> np.ndarray:
    """Reflectance of one of `CANOPIES` seen from above, on the grid of end members.

    Args:
        name: a key of `CANOPIES`.
        day: day of the year.
        sun_zenith: degrees from the vertical.
        random: varies leaf area, pigments and water by some percent, so that no two scenes are alike.

    Returns:
        float64 `(len(GRID),)`, 0 to 1.

    Raises:
        SceneError: xleaf is not installed.
    """
    xleaf = imported("xleaf")
    canopy = CANOPIES[name]
    growth = canopy.growth(day)
    chl, lai, water, dry = random.normal(1.0, (0.08, 0.08, 0.10, 0.08)).clip(0.75, 1.25)
    chlorophyll = chl * _between(canopy.chlorophyll, growth)
    spectrum = xleaf.simulate_canopy(
        chl=chlorophyll,
        car=chlorophyll / 5 + 2.0,  # fading leaves keep their carotenoids longest
        antho=0.5,
        ewt=water * _between(canopy.water, growth),
        lma=dry * canopy.dry_matter,
        N=canopy.structure,
        lai=lai * _between(canopy.lai, growth),
        lidf=canopy.angle,
        soil_dryness=0.6,
        solar_zenith=sun_zenith,
    )
    return np.asarray(spectrum, np.float64)[: len(GRID)]


def _between(ends: tuple[float, float], part: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * part
