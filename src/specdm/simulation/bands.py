"""What a sensor sees of a spectrum: its bands, by centres and widths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.sensors import SENSORS
from specdm.simulation.library import GAPS, GRID


@dataclass(frozen=True)
class Bands:
    """The bands of a sensor.

    Attributes:
        wavelength: centres in nm, float64 `(band,)`.
        fwhm: full widths at half maximum in nm, float64 `(band,)`.
        names: one a band, or None.
    """

    wavelength: np.ndarray
    fwhm: np.ndarray
    names: tuple[str, ...] | None = None

    @classmethod
    def create(
        cls,
        *,
        sensor: str | None = None,
        wavelengths: Sequence[float] | np.ndarray | None = None,
        fwhm: Sequence[float] | np.ndarray | float | None = None,
    ) -> Bands:
        """Bands of a named sensor, or any by centres and widths.

        Args:
            sensor: a key of `SENSOR_BANDS`; "aviris" if neither this nor wavelengths are given.
            wavelengths: centres in nm, 400 to 2450, in any order.
            fwhm: widths in nm, one a band or one for all; default the mean distance of neighbouring centres.

        Raises:
            SceneError: an unknown sensor, both or too few given, a centre out of range, a width that is none.
        """
        if wavelengths is None:
            name = "".join(c for c in (sensor or "aviris").lower() if c.isalnum())
            if name not in SENSOR_BANDS:
                known = ", ".join(SENSOR_BANDS)
                raise SceneError(f"sensor {sensor!r} is not known to the simulator; expected {known}, or wavelengths=")
            if fwhm is not None:
                raise SceneError("fwhm is given without wavelengths; give both, or a sensor alone")
            return SENSOR_BANDS[name]()
        if sensor is not None:
            raise SceneError(f"both sensor={sensor!r} and wavelengths are given; give one of the two")
        centres = np.asarray(wavelengths, np.float64).ravel()
        if len(centres) < 2 or not np.isfinite(centres).all():
            raise SceneError(f"{len(centres)} wavelengths given; expected two or more, in nm")
        outside = centres[(centres < GRID[0]) | (centres > GRID[-1])]
        if len(outside):
            raise SceneError(
                f"wavelength {outside[0]:g} nm is outside the measured spectra; expected {GRID[0]:g} to {GRID[-1]:g} nm"
            )
        spacing = np.ptp(centres) / (len(centres) - 1)
        widths = np.asarray(max(spacing, 1.0) if fwhm is None else fwhm, np.float64).ravel()
        if len(widths) not in (1, len(centres)) or not (widths > 0).all():
            raise SceneError(f"{len(widths)} band widths for {len(centres)} wavelengths; expected one each, above 0 nm")
        return cls(centres, np.broadcast_to(widths, centres.shape).copy())

    def __len__(self) -> int:
        return len(self.wavelength)

    def see(self, spectra: np.ndarray) -> np.ndarray:
        """Spectra `(..., len(GRID))` as the sensor sees them, float64 `(..., band)`: means weighted by a Gaussian."""
        sigma = self.fwhm / np.sqrt(8 * np.log(2))
        # a band narrower than the grid's step still sees its nearest point
        weight = np.exp(-0.5 * ((GRID - self.wavelength[:, None]) / np.maximum(sigma, 0.3)[:, None]) ** 2)
        return spectra @ (weight / weight.sum(axis=1, keepdims=True)).T

    @property
    def unmeasured(self) -> np.ndarray:
        """Which bands lie where nothing was measured, bool `(band,)`."""
        return np.any([(self.wavelength > low) & (self.wavelength < high) for low, high in GAPS], axis=0)


def _aviris() -> Bands:
    """Like AVIRIS: about 10 nm throughout, without the bands of water vapour."""
    centres = np.arange(400.0, 2450.0, 9.6)
    bands = Bands(centres, np.full(len(centres), 9.9))
    kept = ~bands.unmeasured
    return Bands(centres[kept], bands.fwhm[kept])


def _enmap() -> Bands:
    """Like EnMAP (Guanter et al. 2015, doi:10.3390/rs70708830): 91 bands to 1000 nm, 133 from 900 nm on, 224 in all."""
    visible, infrared = np.linspace(420, 1000, 91), np.linspace(900, 2445, 133)
    return Bands(np.concatenate([visible, infrared]), np.repeat([8.1, 12.5], [91, 133]))


def _sentinel2() -> Bands:
    bands = SENSORS["sentinel2"]
    return Bands(
        np.array([band.wavelength for band in bands], np.float64),
        np.array([band.fwhm for band in bands], np.float64),
        tuple(band.name for band in bands),
    )


SENSOR_BANDS = {"aviris": _aviris, "enmap": _enmap, "sentinel2": _sentinel2}
