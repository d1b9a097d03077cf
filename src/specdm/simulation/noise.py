"""Noise of the sensor: normal, of a known covariance between bands, independent from pixel to pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import SceneError


@dataclass(frozen=True)
class SensorNoise:
    """A covariance in words.

    Attributes:
        snr: mean signal of a band over the standard deviation of its noise, above 0.
        correlation: distance in nm at which the correlation of two bands has fallen to 1/e; 0 for none.
        floor: least standard deviation, in reflectance.
    """

    snr: float = 150.0
    correlation: float = 20.0
    floor: float = 0.0005

    def covariance(self, mean: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
        """The covariance for bands of this mean signal `(band,)`, float64 `(band, band)`.

        Raises:
            SceneError: a figure out of range.
        """
        if not (self.snr > 0 and self.correlation >= 0 and self.floor >= 0):
            raise SceneError(f"{self} is out of range; expected snr above 0, correlation and floor 0 or above")
        spread = np.maximum(np.asarray(mean) / self.snr, self.floor)
        distance = np.abs(wavelength[:, None] - wavelength)
        related = np.exp(-distance / self.correlation) if self.correlation else np.eye(len(wavelength))
        return related * np.outer(spread, spread)


def noise_covariance(
    noise: SensorNoise | np.ndarray | float | None, *, mean: np.ndarray, wavelength: np.ndarray
) -> np.ndarray:
    """The covariance that is asked for.

    Args:
        noise: in words, as a matrix `(band, band)` in squared reflectance, as a signal-to-noise ratio, or None.
        mean: mean signal of each band `(band,)`.
        wavelength: nm `(band,)`.

    Returns:
        float64 `(band, band)`.

    Raises:
        SceneError: a matrix of another size, not symmetric, or no covariance (a negative variance).
    """
    bands = len(wavelength)
    if noise is None:
        return np.zeros((bands, bands))
    if not isinstance(noise, (SensorNoise, bool)) and np.ndim(noise) == 0:
        noise = SensorNoise(snr=float(noise))
    if isinstance(noise, SensorNoise):
        return noise.covariance(mean, wavelength)
    matrix = np.asarray(noise, np.float64)
    if matrix.shape != (bands, bands):
        size = " x ".join(str(n) for n in matrix.shape) or "one number"
        raise SceneError(f"the noise covariance is {size}; expected {bands} x {bands}, one row and column a band")
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=0):
        raise SceneError("the noise covariance is not symmetric or not finite; expected a covariance between bands")
    values = np.linalg.eigvalsh(matrix)
    if values[0] < -1e-8 * max(values[-1], 0.0):
        raise SceneError(
            f"the noise matrix has a variance of {values[0]:.3g} in one direction and is no covariance; "
            "expected none below 0"
        )
    return matrix


def draw_noise(random: np.random.Generator, covariance: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Noise of a covariance, float64 `(band, y, x)`; covariances without full rank are fine."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return (root @ random.standard_normal((len(covariance), shape[0] * shape[1]))).reshape(-1, *shape)
