"""Unmixing finds the optimum that a reference solver finds, and gives abundances."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from specdm.evaluation.unmixing import estimate_endmembers, unmix


def materials(k: int, *, seed: int, apart: float = 0.1) -> np.ndarray:
    """Smooth positive spectra `(k, 60)` about a common one; the smaller `apart`, the more alike."""
    random = np.random.default_rng(seed)
    walk = np.cumsum(random.normal(0, 1, (k + 1, 60)), axis=1)
    return np.abs(2.0 + 0.1 * walk[0] + apart * walk[1:])


def by_nnls(spectra: np.ndarray, endmembers: np.ndarray) -> np.ndarray:
    weight = 1e4 * endmembers.mean()
    system = np.vstack([endmembers.T, np.full(len(endmembers), weight)])
    return np.array([nnls(system, np.r_[spectrum, weight], maxiter=1000)[0] for spectrum in spectra])


@pytest.mark.parametrize(("k", "noise", "apart"), [(2, 0.1, 0.1), (4, 0.3, 0.1), (7, 0.05, 0.1), (5, 0.1, 0.02)])
def test_the_optimum_is_that_of_a_reference_solver(k, noise, apart):
    random = np.random.default_rng(k)
    pure = materials(k, seed=k, apart=apart)
    spectra = random.dirichlet(np.full(k, 0.4), 200) @ pure + random.normal(0, noise, (200, 60))
    found, wanted = unmix(spectra, pure), by_nnls(spectra, pure)
    np.testing.assert_allclose(found, wanted, atol=1e-6)
    assert (found == 0).any(axis=1).mean() > 0.1
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-9)


def test_noise_free_mixtures_are_taken_apart():
    pure = materials(5, seed=1)
    amounts = np.random.default_rng(1).dirichlet(np.ones(5), 300)
    np.testing.assert_allclose(unmix(amounts @ pure, pure), amounts, atol=1e-6)
    np.testing.assert_allclose(unmix(pure, pure), np.eye(5), atol=1e-6)


def test_end_members_are_found_from_known_mixtures():
    pure = materials(4, seed=2)
    amounts = np.random.default_rng(2).dirichlet(np.ones(4), 100)
    np.testing.assert_allclose(estimate_endmembers(amounts @ pure, amounts), pure, atol=1e-9)


def test_a_material_that_is_nowhere_gets_nothing():
    pure = materials(3, seed=3)
    amounts = np.random.default_rng(3).dirichlet(np.ones(2), 100) @ np.array([[1.0, 0, 0], [0, 0, 1]])
    estimated = estimate_endmembers(amounts @ pure, amounts)
    assert np.isnan(estimated[1]).all()
    np.testing.assert_allclose(unmix(amounts @ pure, estimated), amounts, atol=1e-6)


def test_pixels_without_data_stay_unknown():
    pure = materials(3, seed=4)
    spectra = np.repeat(pure, 2, axis=0)
    spectra[3, 7] = np.nan
    found = unmix(spectra, pure)
    assert np.isnan(found[3]).all()
    assert np.isfinite(found[[0, 1, 2, 4, 5]]).all()


def test_like_materials_still_give_abundances():
    pure = materials(3, seed=5)
    pure[2] = pure[1]
    amounts = np.random.default_rng(5).dirichlet(np.ones(3), 100)
    found = unmix(amounts @ pure, pure)
    np.testing.assert_allclose(found[:, 0], amounts[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.min() >= 0


def test_many_pixels_are_as_good_as_few():
    pure = materials(4, seed=6)
    random = np.random.default_rng(6)
    spectra = random.dirichlet(np.ones(4), 70_000) @ pure + random.normal(0, 0.2, (70_000, 60))
    whole = unmix(spectra, pure)
    part = [0, 40_000, 65_535, 65_536, 69_999]
    np.testing.assert_allclose(whole[part], unmix(spectra[part], pure), atol=1e-9)
