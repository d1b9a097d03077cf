"""Spectra on other bands: as another sensor, with its own band centres and widths, would have seen them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.errors import SceneError

SAME_NM = 2.0
"""Band centres no farther apart are the same band: beyond the ends of a spectrum nothing else is taken."""

LOST = 1e-6
"""Weights below this share of a band's largest are left away, so that a far gap does not make the band a gap."""


def resample_bands(
    image: np.ndarray,
    *,
    wavelength: Sequence[float] | np.ndarray,
    target_wavelength: Sequence[float] | np.ndarray,
    fwhm: Sequence[float] | np.ndarray | None = None,
    target_fwhm: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """An image with other bands.

    Each new band is a weighted mean of bands that are there, with the weights of `resampling_weights`. It is NaN
    wherever a band that it needs is NaN (no data).

    Args:
        image: `(..., band, y, x)`, NaN where no data, in any unit that may be averaged (not in decibels).
        wavelength, target_wavelength: band centres in nm, `(band,)` and `(target,)`.
        fwhm, target_fwhm: full widths at half maximum in nm, likewise; None if unknown.

    Returns:
        float32 `(..., target, y, x)`.

    Raises:
        SceneError: as `resampling_weights`, or not one wavelength a band of the image.
    """
    weights = resampling_weights(
        wavelength=wavelength, target_wavelength=target_wavelength, fwhm=fwhm, target_fwhm=target_fwhm
    )
    if image.ndim < 3 or image.shape[-3] != weights.shape[1]:
        raise SceneError(
            f"an image of shape {image.shape} for {weights.shape[1]} wavelengths; expected (..., band, y, x) with one "
            "wavelength a band"
        )
    return weighted_bands(image, weights)


def resampling_weights(
    *,
    wavelength: Sequence[float] | np.ndarray,
    target_wavelength: Sequence[float] | np.ndarray,
    fwhm: Sequence[float] | np.ndarray | None = None,
    target_fwhm: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """What each band that is there counts for each new one.

    Where bands around a new band of centre c and width F are narrow enough, its response is a Gaussian,
    w_i ~ d_i exp(-4 ln 2 (l_i - c)^2 / R^2) with R^2 = F^2 - f^2, where l_i and f are centre and width of the bands
    there (f is taken as their distance where it is unknown) and d_i is the part of the spectrum that band i stands
    for: bands of width f, weighted so, respond with the width F. Narrow enough: R is at least their distance, and
    they reach F / 2 to both sides of c. Elsewhere, and where F is unknown, the two bands beside c are interpolated
    linearly. Nothing is extrapolated: a centre beyond the first or last band by more than `SAME_NM` is refused.

    Args:
        wavelength, target_wavelength: band centres in nm, `(band,)` and `(target,)`, in any order.
        fwhm, target_fwhm: full widths at half maximum in nm, likewise; None if unknown.

    Returns:
        float64 `(target, band)`, rows summing to one.

    Raises:
        SceneError: numbers that do not fit together, or new bands beyond the spectrum; says which.
    """
    centres, widths = _numbers(wavelength, fwhm, what="")
    targets, target_widths = _numbers(target_wavelength, target_fwhm, what="target ")
    outside = beyond(targets, centres)
    if outside.size:
        listed = ", ".join(f"{targets[i]:.1f}" for i in outside[:6]) + (" ..." if outside.size > 6 else "")
        raise SceneError(
            f"{outside.size} of {targets.size} bands lie outside {centres.min():.1f} to {centres.max():.1f} nm, which "
            f"the image covers ({listed} nm); nothing is extrapolated"
        )
    order = np.argsort(centres, kind="stable")
    sorted_weights = np.stack(
        [
            _row(centre, None if target_widths is None else target_widths[i], centres[order],
                 None if widths is None else widths[order])
            for i, centre in enumerate(targets)
        ]
    )  # fmt: skip
    weights = np.zeros_like(sorted_weights)
    weights[:, order] = sorted_weights
    return weights


def beyond(target_wavelength: np.ndarray, wavelength: np.ndarray) -> np.ndarray:
    """Positions of the new bands that lie outside a spectrum, int64; both in nm."""
    targets, centres = np.asarray(target_wavelength, np.float64), np.asarray(wavelength, np.float64)
    return np.flatnonzero((targets < centres.min() - SAME_NM) | (targets > centres.max() + SAME_NM))


def weighted_bands(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted means of bands, float32 `(..., target, y, x)`; NaN where a band with a weight is NaN.

    Args:
        image: `(..., band, y, x)`.
        weights: `(target, band)`.
    """
    missing = ~np.isfinite(image)
    shown = np.where(missing, 0.0, image).astype(np.float64)
    found = np.einsum("tb,...byx->...tyx", weights, shown, optimize=True).astype(np.float32)
    if missing.any():
        lacking = np.einsum("tb,...byx->...tyx", (weights != 0).astype(np.float32), missing.astype(np.float32))
        found[lacking > 0] = np.nan
    return found


def _row(centre: float, width: float | None, centres: np.ndarray, widths: np.ndarray | None) -> np.ndarray:
    """Weights of one new band; `centres` rise."""
    if width is not None and centres.size > 2:
        spans = np.gradient(centres)
        near = int(np.abs(centres - centre).argmin())
        own = spans[near] if widths is None else widths[near]
        response = np.sqrt(max(width**2 - own**2, 0.0))
        covered = centres[0] - spans[0] / 2 <= centre - width / 2 and centre + width / 2 <= centres[-1] + spans[-1] / 2
        # a hole in the spectrum (water vapour) stands for more than its neighbours saw
        if covered and response >= _widest_step(centres, centre, width):
            found = spans * np.exp(-4 * np.log(2) * ((centres - centre) / response) ** 2)
            found[found < LOST * found.max()] = 0.0
            return found / found.sum()
    return _between(centre, centres)


def _widest_step(centres: np.ndarray, centre: float, width: float) -> float:
    """The largest distance of neighbouring bands around a new band, from the one before to the one after it."""
    first = max(int(np.searchsorted(centres, centre - width / 2, "right")) - 1, 0)
    last = min(int(np.searchsorted(centres, centre + width / 2, "left")), centres.size - 1)
    steps = np.diff(centres[first : last + 1])
    return float(steps.max()) if steps.size else float(np.inf)


def _between(centre: float, centres: np.ndarray) -> np.ndarray:
    found = np.zeros(centres.size)
    after = int(np.searchsorted(centres, centre, "left"))
    if after == 0 or after == centres.size:
        found[min(after, centres.size - 1)] = 1.0
        return found
    before, step = after - 1, centres[after] - centres[after - 1]
    share = (centre - centres[before]) / step if step > 0 else 1.0
    found[before], found[after] = 1.0 - share, share
    return found


def _numbers(
    wavelength: Sequence[float] | np.ndarray, fwhm: Sequence[float] | np.ndarray | None, *, what: str
) -> tuple[np.ndarray, np.ndarray | None]:
    centres = np.asarray(wavelength, np.float64)
    widths = None if fwhm is None else np.asarray(fwhm, np.float64)
    for name, numbers in (("wavelengths", centres), ("widths", widths)):
        if numbers is None:
            continue
        if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all() or (numbers <= 0).any():
            raise SceneError(f"{what}{name} hold something that is no number above 0; expected one a band, in nm")
    if widths is not None and widths.size != centres.size:
        raise SceneError(f"{widths.size} {what}widths for {centres.size} {what}wavelengths; give one each, in nm")
    return centres, widths
