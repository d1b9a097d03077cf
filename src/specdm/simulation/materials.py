"""The end members a scene is mixed from: measured materials, modelled canopies, water and shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specdm.simulation.draws import generator
from specdm.simulation.library import GRID, load_library
from specdm.simulation.sun import Sun
from specdm.simulation.vegetation import CANOPIES, canopy_reflectance
from specdm.simulation.water import water_reflectance

SHADE = "shade"


@dataclass(frozen=True)
class Measured:
    """Which spectra of the library may stand for a material: kinds, and ranges of reflectance by wavelength."""

    kinds: tuple[tuple[str, str], ...]
    ranges: tuple[tuple[float, float, float], ...]  # nm, least, most


MEASURED: dict[str, Measured] = {
    "dry plants": Measured(
        (("npv", "litter"), ("npv", "npv")), ((480, 0.05, 0.12), (660, 0.13, 0.26), (860, 0.22, 0.36))
    ),
    "pale soil": Measured(
        (("bare", "soil"),), ((480, 0.10, 0.16), (660, 0.21, 0.29), (860, 0.28, 0.38), (1650, 0.40, 0.54))
    ),
    "dark soil": Measured(
        (("bare", "soil"),), ((480, 0.05, 0.08), (660, 0.09, 0.14), (860, 0.15, 0.23), (1650, 0.24, 0.36))
    ),
    "asphalt": Measured(
        (("built", "asphalt"), ("built", "road"), ("built", "parking_lot")),
        ((480, 0.05, 0.10), (660, 0.06, 0.12), (1650, 0.08, 0.16)),
    ),
    "concrete": Measured(
        (("built", "sidewalk"), ("built", "bridge"), ("built", "driveway")),
        ((480, 0.17, 0.32), (660, 0.26, 0.42), (1650, 0.30, 0.50)),
    ),
    "red roof": Measured((("built", "tile"),), ((480, 0.04, 0.08), (660, 0.15, 0.30))),
    "grey roof": Measured(
        (("built", "comp_shingle"), ("built", "concrete_tile"), ("built", "metal")),
        ((480, 0.13, 0.26), (660, 0.16, 0.28), (1650, 0.14, 0.28)),
    ),
}

MATERIALS = (*CANOPIES, *MEASURED, "water", SHADE)
"""All there are, in the order they have in a scene."""


def material_spectra(names: Sequence[str], *, seed: int, sun: Sun) -> np.ndarray:
    """Spectra of materials on the grid of end members.

    Which measured spectrum stands for a material, and the leaves of a canopy, depend on `seed`; canopies move with
    the day of the year and the sun, water with the season, soils and stones stay.

    Args:
        names: some of `MATERIALS`.
        seed: of the scene.
        sun: date and sun of the image.

    Returns:
        Reflectance, float64 `(material, len(GRID))`.

    Raises:
        SceneError: the extra is not installed.
    """
    return np.stack([_spectrum(name, seed, sun) for name in names])


def _spectrum(name: str, seed: int, sun: Sun) -> np.ndarray:
    random = generator(seed, f"material {name}")
    if name == SHADE:
        # what the sky alone lights, bluish and never quite black (Adams et al. 1986 call it the shade end member)
        return 0.006 * (GRID / 550.0) ** -1.5
    if name == "water":
        summer = 0.5 - 0.5 * np.cos(2 * np.pi * (sun.day - 20) / 365)
        chlorophyll, sediment = random.uniform(2, 8), random.uniform(1.5, 6.0)
        return water_reflectance(chlorophyll=chlorophyll * (0.4 + summer), sediment=sediment * (1.5 - summer))
    if name in CANOPIES:
        return canopy_reflectance(name, day=sun.day, sun_zenith=sun.zenith, random=random)
    library = load_library()
    fits = library.of_kinds(MEASURED[name].kinds)
    for wavelength, least, most in MEASURED[name].ranges:
        value = library.at(wavelength)
        fits &= (value >= least) & (value <= most)
    return library.on_grid(int(random.choice(np.flatnonzero(fits))))
