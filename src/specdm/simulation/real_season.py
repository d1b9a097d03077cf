"""The change of season between two dates of the same ground, as a smooth factor on its spectra."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FIELD_SIGMA_PX = 1.0
"""How soft the border between two fields' seasons is: about the point spread of a sensor."""

WEATHER_SIGMA_PX = 12.0
"""How wide the slow variation within fields and over the scene is."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """What happens between two dates that is no change of class; 0 everywhere is nothing.

    Attributes:
        growth: rise of the near-infrared plateau of full vegetation, as a natural logarithm.
        chlorophyll: fall of blue and red reflectance of full vegetation, likewise.
        red_edge_nm: shift of the red edge of full vegetation to longer wavelengths, nm.
        water: fall at 1940 nm by more water in full vegetation, as a natural logarithm; less at the weaker bands.
        brightness: of everything, by sun and slope, as a natural logarithm.
        haze: rise at 450 nm by the air, as a natural logarithm; falls off with the wavelength.
        class_spread: relative standard deviation of the vegetation terms between classes.
        field_spread: the same for slow variation over the ground, within fields too.
    """

    growth: float = 0.10
    chlorophyll: float = 0.12
    red_edge_nm: float = 3.0
    water: float = 0.12
    brightness: float = -0.05
    haze: float = 0.05
    class_spread: float = 0.35
    field_spread: float = 0.25


def season_factor(
    wavelength: np.ndarray,
    vegetation: np.ndarray,
    labels: np.ndarray,
    *,
    season: Season,
    random: np.random.Generator,
) -> np.ndarray:
    """The factor on the spectra of every pixel.

    Its logarithm is a sum of smooth curves over wavelength, each with a map of its strength. The vegetation curves
    count in proportion to the vegetation of a pixel, with a strength of its own for each class; ground without
    label takes that of the nearest label. All maps are smooth over the ground.

    Args:
        wavelength: nm, `(band,)`.
        vegetation: share of the ground that is vegetation, 0 to 1, `(y, x)`, from `vegetation_share`.
        labels: class positions `(y, x)`, -1 where unlabelled.
        season: how much of each.
        random: draws the strengths of classes and the slow variation.

    Returns:
        float64 `(band, y, x)`, above 0.
    """
    plants, everything = _plant_curve(wavelength, season), _common_curve(wavelength, season)
    by_class = _class_strength(labels, spread=season.class_spread, random=random)
    weather = season.field_spread * _slow(vegetation.shape, random)
    plant_strength = vegetation * np.maximum(by_class + weather, 0.0)
    common_strength = 1.0 + season.field_spread * _slow(vegetation.shape, random)
    return np.exp(plants[:, None, None] * plant_strength + everything[:, None, None] * common_strength)


def vegetation_share(image: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """How much of each pixel is vegetation, 0 to 1, by the vegetation index of 850 and 670 nm.

    The index's 5th and 95th percentile in the image count as bare and as full, since image values need not be
    reflectance.

    Args:
        image: `(band, y, x)`, values proportional to radiance or reflectance, NaN where no data.
        wavelength: nm, `(band,)`.

    Returns:
        float64 `(y, x)`, smooth to about a pixel; 0 where no data, and everywhere if no band is near both.
    """
    from scipy.ndimage import gaussian_filter

    near, red = (int(np.abs(wavelength - centre).argmin()) for centre in (850.0, 670.0))
    if abs(wavelength[near] - 850) > 100 or abs(wavelength[red] - 670) > 40:
        return np.zeros(image.shape[1:])
    total = image[near] + image[red]
    with np.errstate(divide="ignore", invalid="ignore"):
        index = np.where(total > 0, (image[near] - image[red]) / total, np.nan)
    if not np.isfinite(index).any():
        return np.zeros(image.shape[1:])
    bare, full = np.nanpercentile(index, (5, 95))
    share = np.clip((np.nan_to_num(index, nan=bare) - bare) / max(full - bare, 1e-6), 0.0, 1.0)
    return gaussian_filter(share, FIELD_SIGMA_PX)


def _plant_curve(wavelength: np.ndarray, season: Season) -> np.ndarray:
    """Logarithm of full vegetation's reflectance at date 2 over date 1, `(band,)`."""
    # a red edge from 0.05 to 0.45 reflectance; its shift is the ratio of the moved curve to the curve
    edge, moved = (0.05 + 0.4 / (1 + np.exp(-(wavelength - at) / 15)) for at in (718.0, 718.0 + season.red_edge_nm))
    plateau = 1 / (1 + np.exp(-(wavelength - 725) / 12)) / (1 + np.exp((wavelength - 1350) / 60))
    pigments = _bumps(wavelength, (450, 60, 0.8), (670, 30, 1.0))
    # centres, widths (nm) and strengths of liquid water's bands; 2500 stands for the slope beyond 2300 nm
    water = _bumps(
        wavelength,
        (970, 25, 0.08),
        (1200, 40, 0.15),
        (1450, 80, 0.8),
        (1780, 90, 0.35),
        (1940, 90, 1.0),
        (2500, 250, 0.8),
    )
    return np.log(moved / edge) + season.growth * plateau - season.chlorophyll * pigments - season.water * water


def _common_curve(wavelength: np.ndarray, season: Season) -> np.ndarray:
    """Logarithm of sun and air, `(band,)`; the exponent is that of common continental haze (Ångström 1929)."""
    return season.brightness + season.haze * (wavelength / 450.0) ** -1.3


def _bumps(wavelength: np.ndarray, *bumps: tuple[float, float, float]) -> np.ndarray:
    """Sum of Gaussians, each of (centre, width, height)."""
    return sum(
        (height * np.exp(-0.5 * ((wavelength - centre) / width) ** 2) for centre, width, height in bumps),
        np.zeros_like(wavelength),
    )


def _class_strength(labels: np.ndarray, *, spread: float, random: np.random.Generator) -> np.ndarray:
    """Strength of the plant curve by class, mean 1, carried over unlabelled ground and softened, `(y, x)`."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    strength = np.maximum(1.0 + spread * random.standard_normal(int(labels.max()) + 1), 0.0)
    nearest = distance_transform_edt(labels < 0, return_distances=False, return_indices=True)
    return gaussian_filter(strength[labels[tuple(nearest)]], FIELD_SIGMA_PX)


def _slow(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Slow variation over the ground, `(y, x)`: mean 0, standard deviation 1, correlated over `WEATHER_SIGMA_PX`."""
    from scipy.ndimage import gaussian_filter

    smooth = gaussian_filter(random.standard_normal(shape), WEATHER_SIGMA_PX, mode="reflect")
    # the deviation that smoothing leaves of white noise on a plane, so that small scenes are not blown up
    return smooth * (2 * np.sqrt(np.pi) * WEATHER_SIGMA_PX)
