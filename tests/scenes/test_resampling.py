"""Spectra on other bands."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.scenes.resampling import resample_bands, resampling_weights

NARROW = np.arange(400.0, 1001.0, 5.0)


def cube(spectrum: np.ndarray) -> np.ndarray:
    return np.tile(spectrum[:, None, None], (1, 2, 3)).astype(np.float32)


def test_the_same_bands_come_back() -> None:
    image = np.random.default_rng(0).random((2, NARROW.size, 2, 3)).astype(np.float32)
    found = resample_bands(image, wavelength=NARROW, target_wavelength=NARROW)
    np.testing.assert_allclose(found, image, rtol=1e-6)


def test_a_narrow_line_is_seen_as_wide_as_the_new_band() -> None:
    line = np.exp(-4 * np.log(2) * ((NARROW - 700) / 10) ** 2)
    targets = np.arange(600.0, 801.0, 5.0)
    seen = resample_bands(
        cube(line), wavelength=NARROW, fwhm=np.full(NARROW.size, 10.0), target_wavelength=targets,
        target_fwhm=np.full(targets.size, 50.0),
    )[:, 0, 0]  # fmt: skip
    half = np.interp([0.5], (seen / seen.max())[targets <= 700], targets[targets <= 700])[0]
    # the line's own 10 nm and the response of sqrt(50^2 - 10^2) add up to 50 nm
    assert 2 * (700 - half) == pytest.approx(50.0, abs=1.0)


def test_straight_spectra_stay_straight() -> None:
    uneven = np.sort(np.random.default_rng(1).uniform(400, 1000, 80))
    uneven[[0, -1]] = 400, 1000
    targets = np.array([430.0, 555.5, 702.0, 960.0])
    for widths in (None, np.full(4, 8.0)):
        seen = resample_bands(
            cube(3 * uneven), wavelength=uneven, target_wavelength=targets, target_fwhm=widths
        )[:, 0, 0]
        np.testing.assert_allclose(seen, 3 * targets, rtol=2e-3)


def test_wide_bands_are_interpolated() -> None:
    weights = resampling_weights(
        wavelength=[500.0, 600.0], target_wavelength=[575.0], fwhm=[80.0, 80.0], target_fwhm=[10.0]
    )
    np.testing.assert_allclose(weights, [[0.25, 0.75]])


def test_the_order_of_bands_does_not_matter() -> None:
    mixed = np.random.default_rng(2).permutation(NARROW.size)
    options = {"target_wavelength": [500.0, 800.0], "target_fwhm": [30.0, 30.0]}
    weights = resampling_weights(wavelength=NARROW, **options)
    np.testing.assert_allclose(resampling_weights(wavelength=NARROW[mixed], **options), weights[:, mixed])
    np.testing.assert_allclose(weights.sum(axis=1), 1.0)


def test_nodata_stays_where_it_is_needed() -> None:
    image = cube(np.ones(NARROW.size))
    image[NARROW == 500, 0, 0] = np.nan
    seen = resample_bands(image, wavelength=NARROW, target_wavelength=[500.0, 900.0], target_fwhm=[20.0, 20.0])
    assert np.isnan(seen[0, 0, 0])
    assert np.isfinite(seen).sum() == seen.size - 1


def test_nothing_is_extrapolated() -> None:
    with pytest.raises(SceneError, match=r"2 of 3 bands lie outside 400\.0 to 1000\.0 nm.*395\.0, 1100\.0"):
        resampling_weights(wavelength=NARROW, target_wavelength=[395.0, 500.0, 1100.0])
    # files round: the same band
    assert resampling_weights(wavelength=NARROW, target_wavelength=[399.0])[0, 0] == 1.0


def test_numbers_that_do_not_fit() -> None:
    with pytest.raises(SceneError, match="2 widths for 3"):
        resampling_weights(wavelength=[1.0, 2.0, 3.0], fwhm=[1.0, 1.0], target_wavelength=[2.0])
    with pytest.raises(SceneError, match="no number"):
        resampling_weights(wavelength=[1.0, np.nan], target_wavelength=[1.0])
    with pytest.raises(SceneError, match="one wavelength a band"):
        resample_bands(np.zeros((4, 2, 2)), wavelength=[1.0, 2.0], target_wavelength=[1.0])
