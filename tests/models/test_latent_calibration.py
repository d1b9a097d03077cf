"""Drawn images are moved to the mean and spread of real ones, and each kind of ground to its spectrum."""

from __future__ import annotations

import pytest
import torch

from specdm.models.latent_calibration import FEW_PIXELS, GroupMeans, LatentCalibration, Moments, transport


def rows(seed: int, mixing: torch.Tensor, mean: float) -> torch.Tensor:
    return mean + torch.randn(4000, 3, generator=torch.Generator().manual_seed(seed)) @ mixing


def moments(values: torch.Tensor) -> Moments:
    found = Moments(3)
    for part in values.split(500):
        found.add(part, torch.ones(len(part)))
    return found


def test_moments_in_batches_with_weights() -> None:
    values = rows(0, torch.eye(3), 2.0)
    found = moments(values)
    torch.testing.assert_close(found.mean, values.double().mean(dim=0))
    torch.testing.assert_close(found.covariance, torch.cov(values.double().T, correction=0))
    weighted = Moments(3)
    weighted.add(torch.cat([values, torch.full((5, 3), float("nan"))]), torch.cat([torch.ones(4000), torch.zeros(5)]))
    torch.testing.assert_close(weighted.mean, found.mean)


def test_transport_turns_one_covariance_into_the_other() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.cov(torch.randn(3, 50, generator=generator).double()) for _ in range(2))
    matrix = transport(one, other, most=100.0)
    torch.testing.assert_close(matrix @ one @ matrix.T, other)
    torch.testing.assert_close(matrix, matrix.T)


def test_no_direction_is_stretched_beyond_the_limit() -> None:
    values = torch.linalg.eigvalsh(transport(torch.eye(3).double(), 100 * torch.eye(3).double()))
    assert values.max() <= 2.0 + 1e-9


def test_drawn_latents_get_the_real_mean_and_covariance() -> None:
    real = rows(1, torch.tensor([[0.9, 0.2, 0.0], [0.2, 0.8, 0.3], [0.0, 0.3, 1.0]]), 0.5)
    drawn = rows(2, 0.8 * torch.eye(3), -0.2)
    calibration = LatentCalibration(channels=3, dates=1, bands=2, groups=2)
    calibration.fit_latents(drawn=moments(drawn), real=moments(real))
    found = calibration.of_latents(drawn.T[None, :, :, None])[0, :, :, 0].T
    torch.testing.assert_close(found.mean(dim=0), real.mean(dim=0), rtol=0, atol=1e-4)
    torch.testing.assert_close(torch.cov(found.T), torch.cov(real.T), rtol=0, atol=1e-3)


def test_each_kind_of_ground_gets_its_spectrum_and_a_rare_one_only_a_part() -> None:
    drawn, real = GroupMeans(3, 2), GroupMeans(3, 2)
    many, few = 100_000, int(FEW_PIXELS)
    drawn.add(torch.zeros(many + few, 2), torch.tensor([0] * many + [1] * few))
    real.add(torch.full((10, 2), 5.0), torch.tensor([0] * 5 + [1] * 5))
    calibration = LatentCalibration(channels=3, dates=2, bands=2, groups=3)
    calibration.fit_spectra(1, drawn=drawn, real=real)
    images = torch.zeros(1, 2, 2, 1, 3)
    found = calibration.of_images(images, torch.tensor([0, 1, 2]).expand(1, 2, 1, 3))
    assert (found[:, 0] == 0).all()
    assert found[0, 1, 0, 0].tolist() == pytest.approx([5.0, 2.5, 0.0], rel=0.01)


def test_nothing_is_changed_without_cells() -> None:
    latents = torch.randn(2, 3, 4, 4)
    calibration = LatentCalibration(channels=3, dates=1, bands=2, groups=2)
    calibration.fit_latents(drawn=Moments(3), real=Moments(3))
    torch.testing.assert_close(calibration.of_latents(latents), latents)
