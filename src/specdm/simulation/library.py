"""Measured spectra of soils, dry plants and building materials from the package earthlib (MIT licence).

The soils are those of the ICRAF-ISRIC soil spectral library (Garrity and Bindraban 2004), the building materials
those of Santa Barbara (Herold, Roberts, Gardner and Dennison 2004, doi:10.1016/j.rse.2004.02.013).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from specdm.errors import FileFormatError
from specdm.scenes.readers.envi import parse_header
from specdm.simulation.extra import package_folder

GRID = np.arange(400.0, 2450.5, 1.0)
"""Wavelengths in nm on which all end members are kept before a sensor sees them."""

GAPS = ((1350.0, 1460.0), (1790.0, 1960.0))
"""Water-vapour absorption of the air, in nm: nothing was measured within; spectra run straight across."""


@dataclass(frozen=True)
class Library:
    """Spectra as they were measured.

    Attributes:
        wavelength: nm, `(n,)`, every 10 nm with `GAPS`.
        reflectance: 0 to 1, float32 `(spectrum, n)`.
        kinds: group and kind of each spectrum, such as ("built", "asphalt").
    """

    wavelength: np.ndarray
    reflectance: np.ndarray
    kinds: tuple[tuple[str, str], ...]

    def at(self, wavelength: float) -> np.ndarray:
        """Reflectance of all spectra `(spectrum,)` at the measured band nearest to a wavelength in nm."""
        return self.reflectance[:, int(np.argmin(np.abs(self.wavelength - wavelength)))]

    def of_kinds(self, kinds: Sequence[tuple[str, str]]) -> np.ndarray:
        """Which spectra are of one of these kinds, bool `(spectrum,)`."""
        return np.array([kind in kinds for kind in self.kinds])

    def on_grid(self, index: int) -> np.ndarray:
        """One spectrum on `GRID`, float64, linear between what was measured."""
        return np.interp(GRID, self.wavelength, self.reflectance[index].astype(np.float64))


@cache
def load_library() -> Library:
    """The library as installed; earthlib itself is not imported (it would bring pandas and more).

    Raises:
        SceneError: earthlib is not installed.
        FileFormatError: its files are not as expected.
    """
    folder = package_folder("earthlib") / "data"
    table, data, header = (folder / name for name in ("spectra.csv", "spectra.sli", "spectra.sli.hdr"))
    fields = parse_header(header)
    try:
        wavelength = np.array([float(item) for item in fields["wavelength"].split(",")]) * 1000.0
        with table.open(encoding="utf-8", newline="") as file:
            kinds = tuple((row["LEVEL_2"], row["LEVEL_3"]) for row in csv.DictReader(file))
        values = np.fromfile(data, "<f4").reshape(len(kinds), len(wavelength))
    except (KeyError, ValueError, OSError) as error:
        raise FileFormatError(
            f"{data}: is not the spectral library that was expected ({error}); install earthlib 1.1 or newer"
        ) from error
    return Library(wavelength, values, kinds)
