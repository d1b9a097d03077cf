"""Drawn latents are moved to the mean and spread of real ones, group by group."""

from __future__ import annotations

import torch

from specdm.models.latent_calibration import LatentCalibration, LatentMoments, group_shares, transport

CHANNELS, GROUPS = (2, 1), 3


def covariance(rows: torch.Tensor) -> torch.Tensor:
    return torch.cov(rows.T.double())


def latents_of(groups: torch.Tensor, means: torch.Tensor, spread: torch.Tensor, seed: int) -> torch.Tensor:
    noise = torch.randn(*groups.shape, 3, generator=torch.Generator().manual_seed(seed))
    return (means[groups] + noise @ spread).movedim(-1, 1)


def moments(latents: torch.Tensor, shares: torch.Tensor) -> LatentMoments:
    found = LatentMoments(CHANNELS, GROUPS)
    for part, share in zip(latents.split(5), shares.split(5), strict=True):
        found.add(part, share, torch.ones(len(part), *part.shape[-2:]))
    return found


def test_shares_of_groups_in_a_cell() -> None:
    positions = torch.tensor([[[0, 1], [1, -1]]])
    shares = group_shares(positions, groups=3, factor=2)
    assert shares.flatten().tolist() == [0.25, 0.5, 0.25]


def test_transport_turns_one_covariance_into_the_other() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.cov(torch.randn(3, 50, generator=generator).double()) for _ in range(2))
    matrix = transport(one, other, most=100.0)
    torch.testing.assert_close(matrix @ one @ matrix.T, other)
    torch.testing.assert_close(matrix, matrix.T)


def test_no_direction_is_stretched_beyond_the_limit() -> None:
    values = torch.linalg.eigvalsh(transport(torch.eye(3).double(), 100 * torch.eye(3).double()))
    assert values.max() <= 2.0 + 1e-9


def test_drawn_latents_get_the_real_means_and_covariance() -> None:
    groups = torch.randint(0, GROUPS, (40, 12, 12), generator=torch.Generator().manual_seed(1))
    shares = torch.nn.functional.one_hot(groups, GROUPS).movedim(-1, 1).float()[:, None].repeat(1, 2, 1, 1, 1)
    real_means = torch.tensor([[0.0, 1.0, 2.0], [1.0, -1.0, 0.0], [-1.0, 0.0, 1.0]])
    mixing = torch.tensor([[0.9, 0.2, 0.0], [0.2, 0.8, 0.3], [0.0, 0.3, 1.0]])
    real = latents_of(groups, real_means, mixing, seed=2)
    drawn = latents_of(groups, real_means * 0.7 + 0.3, 0.8 * torch.eye(3), seed=3)
    calibration = LatentCalibration(CHANNELS, GROUPS).fit(drawn=moments(drawn, shares), real=moments(real, shares))
    found = calibration(drawn, shares)

    def rows(latents: torch.Tensor, group: int) -> torch.Tensor:
        return latents.movedim(1, -1)[groups == group]

    for group in range(GROUPS):
        away = (rows(found, group).mean(dim=0) - rows(real, group).mean(dim=0)).norm()
        before = (rows(drawn, group).mean(dim=0) - rows(real, group).mean(dim=0)).norm()
        assert away < 0.15 * before
    whole = [part.movedim(1, -1).flatten(0, 2) for part in (found, real, drawn)]
    difference = [(covariance(part) - covariance(whole[1])).norm() for part in (whole[0], whole[2])]
    assert difference[0] < 0.1 * difference[1]


def test_a_group_of_a_few_cells_is_moved_as_all_are() -> None:
    groups = torch.zeros(4, 12, 12, dtype=torch.int64)
    groups[0, 0, 0] = 2
    shares = torch.nn.functional.one_hot(groups, GROUPS).movedim(-1, 1).float()[:, None].repeat(1, 2, 1, 1, 1)
    latents = torch.zeros(4, 3, 12, 12)
    latents[0, :, 0, 0] = 50.0
    assert moments(latents, shares).means()[2].abs().max() < 1.0


def test_nothing_is_changed_without_cells() -> None:
    latents = torch.randn(2, 3, 4, 4)
    shares = torch.zeros(2, 2, GROUPS, 4, 4)
    calibration = LatentCalibration(CHANNELS, GROUPS)
    empty = LatentMoments(CHANNELS, GROUPS)
    torch.testing.assert_close(calibration.fit(drawn=empty, real=empty)(latents, shares), latents)
