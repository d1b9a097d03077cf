"""Ways to measure how far apart spectra are."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.models.spectral_basis import SpectralBasis, spectra_statistics
from specdm.training.spectral_metrics import MOST_SNR, noise_units


def test_components_weigh_by_the_sensors_noise() -> None:
    metric = noise_units(torch.tensor([25.0, 1.0]))
    assert torch.equal(metric.axes, torch.eye(2)) and metric.weights[0] / metric.weights[1] == pytest.approx(5.0)
    capped = noise_units(torch.tensor([1e9, 1.0])).weights
    assert capped[0] / capped[1] == pytest.approx(MOST_SNR**0.5)


@given(st.integers(0, 2**16))
def test_distances_are_those_of_standardised_bands(seed: int) -> None:
    """All components kept: the bands in units of their spread, however large or small their own units."""
    random = np.random.default_rng(seed)
    units = 10.0 ** random.uniform(-3, 3, 5)
    mixed = random.normal(size=(5, 5)) + 2 * np.eye(5)
    images = np.einsum("bc,ncyx->nbyx", units[:, None] * mixed, random.normal(size=(3, 5, 8, 8))) + units[:, None, None]
    basis = SpectralBasis(5, 5).fit(spectra_statistics(images))
    axes, weights = basis.standard_bands()
    assert torch.allclose(axes @ axes.T, torch.eye(5), atol=1e-5)
    pixels = np.moveaxis(images, 1, -1).reshape(-1, 5)
    standard = torch.from_numpy(pixels / pixels.std(axis=0, ddof=1)).float()
    components = basis.encode(torch.from_numpy(images).float()).movedim(1, -1).reshape(-1, 5)
    measured = torch.pdist(components @ axes.T * weights)
    assert torch.allclose(measured, torch.pdist(standard), rtol=2e-2, atol=2e-2)
