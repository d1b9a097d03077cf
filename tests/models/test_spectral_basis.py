"""MNF and PCA: order, what they keep, and inputs that have fewer dimensions than bands."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from specdm.errors import SceneError
from specdm.models.spectral_basis import SpectralBasis, spectra_statistics

FIELD = 8


def fields(random: np.random.Generator, *, n: int, size: int = 32) -> np.ndarray:
    """Values that are constant on fields of 8 x 8 px: float64 `(n, size, size)`, standard normal."""
    small = random.normal(size=(n, size // FIELD, size // FIELD))
    return np.kron(small, np.ones((FIELD, FIELD)))


def scene(*, noise: np.ndarray, signal: np.ndarray, seed: int = 0) -> np.ndarray:
    """Images whose bands are independent, with known spreads of signal (by field) and noise (by pixel)."""
    random = np.random.default_rng(seed)
    image = np.stack([fields(random, n=6) * spread for spread in signal], axis=1)
    return (100 + image + random.normal(size=image.shape) * noise[:, None, None]).astype(np.float32)


def fitted(images: np.ndarray, components: int, kind: str = "mnf") -> SpectralBasis:
    return SpectralBasis(images.shape[1], components).fit(spectra_statistics(images), kind=kind)


def test_noise_is_estimated_from_neighbours() -> None:
    noise = np.array([1.0, 4.0, 0.5])
    statistics = spectra_statistics(scene(noise=noise, signal=np.array([30.0, 3.0, 10.0])))
    np.testing.assert_allclose(np.sqrt(np.diag(statistics.noise)), noise, rtol=0.15)
    off_diagonal = statistics.noise / np.outer(noise, noise) - np.diag(np.diag(statistics.noise) / noise**2)
    assert np.abs(off_diagonal).max() < 0.1


def test_mnf_orders_by_signal_to_noise_and_pca_by_variance() -> None:
    # band 0: strong and noisy; band 1: weak and clean; band 2: noise alone
    images = scene(noise=np.array([20.0, 0.1, 30.0]), signal=np.array([40.0, 2.0, 0.0]))
    mnf, pca = fitted(images, 3), fitted(images, 3, "pca")
    scaled = [basis.analysis.abs() * torch.from_numpy(images.std(axis=(0, 2, 3))) for basis in (mnf, pca)]
    assert scaled[0].argmax(dim=1).tolist() == [1, 0, 2]
    assert pca.analysis.abs().argmax(dim=1).tolist() == [0, 2, 1]
    assert (mnf.snr.diff() <= 0).all()
    assert mnf.snr[0] > 100 and mnf.snr[2] < 2


def test_mnf_keeps_a_weak_clean_class_difference_that_pca_drops() -> None:
    random = np.random.default_rng(0)
    signal = np.array([0.0, *[50.0] * 3, *[5.0] * 8])
    images = scene(noise=np.array([0.05, *[50.0] * 3, *[5.0] * 8]), signal=signal, seed=1)
    classes = np.kron(random.integers(0, 2, (6, 4, 4)), np.ones((FIELD, FIELD)))
    images[:, 0] += classes.astype(np.float32)

    def separation(kind: str) -> float:
        """Distance of the class means over the spread within classes, on decoded spectra of the clean band."""
        basis = fitted(images, 3, kind)
        decoded = basis.decode(basis.encode(torch.from_numpy(images))).numpy()[:, 0]
        return abs(decoded[classes == 1].mean() - decoded[classes == 0].mean()) / (images[:, 0].std())

    assert separation("mnf") > 1.5
    assert separation("pca") < 0.5


@pytest.mark.parametrize("kind", ["mnf", "pca"])
@pytest.mark.parametrize("bands", [1, 12, 426])
def test_all_components_lose_nothing(bands: int, kind: str) -> None:
    random = np.random.default_rng(bands)
    images = random.normal(1000, 50, (3, bands, 16, 16)).astype(np.float32)
    basis = fitted(images, bands, kind)
    decoded = basis.decode(basis.encode(torch.from_numpy(images)))
    torch.testing.assert_close(decoded, torch.from_numpy(images), rtol=1e-5, atol=0.01)
    codes = basis.encode(torch.from_numpy(images)).movedim(1, -1).flatten(0, -2)
    np.testing.assert_allclose(codes.var(dim=0).numpy(), 1.0, rtol=1e-2)


def test_more_components_than_bands_are_as_many_as_bands() -> None:
    assert SpectralBasis(5, 24).components == 5


def test_pixels_with_nan_are_left_out() -> None:
    images = scene(noise=np.ones(4), signal=np.array([10.0, 5.0, 2.0, 1.0]))
    spoilt = images.copy()
    spoilt[0, 2, :, :] = np.nan
    spoilt[1, 0, 3, 4] = np.inf
    spoilt[1, :, 3, 4] = np.where(np.arange(4) == 0, np.inf, 1e6)
    found, expected = spectra_statistics(spoilt), spectra_statistics(images[1:])
    for name in ("mean", "covariance", "noise"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0.02, atol=0.05)


def test_nodata_alone_is_refused() -> None:
    with pytest.raises(SceneError, match="0 pixels"):
        spectra_statistics(np.full((2, 3, 4, 4), np.nan, np.float32))


@pytest.mark.parametrize("kind", ["mnf", "pca"])
def test_fewer_dimensions_than_components(kind: str) -> None:
    """Equal bands, constant images, ground without noise, fewer pixels than bands: no component explodes."""
    random = np.random.default_rng(0)
    equal = random.normal(1000, 50, (4, 12, 16, 16)).astype(np.float32)
    equal[:, 5] = equal[:, 4]
    spectra = random.uniform(100, 3000, (3, 12))
    clean = np.moveaxis(spectra[fields(random, n=4).astype(int) % 3], -1, 1).astype(np.float32)
    few = random.normal(1000, 50, (1, 100, 4, 4)).astype(np.float32)
    constant = np.full((1, 3, 4, 4), 5, np.float32)
    for images, components in ((equal, 12), (clean, 8), (few, 24), (constant, 3)):
        basis = fitted(images, components, kind)
        codes = basis.encode(torch.from_numpy(images))
        assert codes.abs().max() < 1000
        torch.testing.assert_close(basis.decode(codes), torch.from_numpy(images), rtol=1e-4, atol=0.05)


def test_residual_noise_is_what_the_components_leave_out() -> None:
    images = scene(noise=np.array([1.0, 2.0, 3.0, 4.0]), signal=np.array([50.0, 0.0, 0.0, 0.0]))
    basis = fitted(images, 1)
    left = torch.from_numpy(images) - basis.decode(basis.encode(torch.from_numpy(images)))
    drawn = basis.residual_noise((2, 64, 64), generator=torch.Generator().manual_seed(0))
    assert drawn.shape == (2, 4, 64, 64)
    np.testing.assert_allclose(drawn.std(dim=(0, 2, 3))[1:], left.std(dim=(0, 2, 3))[1:], rtol=0.1)
