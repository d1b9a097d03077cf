"""Drawn spectra are moved to the means and the spread of real ones, each date and kind of ground by itself."""

from __future__ import annotations

import pytest
import torch

from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.spectral_calibration import (
    FEW_TILES,
    LEAST_STRETCH,
    MOST_STRETCH,
    GroundMoments,
    SpectralCalibration,
    transport,
)

PARTS, GROUPS = (2, 1), 3
MIXING = torch.tensor([[0.9, 0.2, 0.0], [0.2, 0.8, 0.3], [0.0, 0.3, 1.0]])
MEANS = torch.tensor([[0.0, 1.0, 2.0], [1.0, -1.0, 0.0], [-1.0, 0.0, 1.0]])


def ground_of(n: int, seed: int) -> torch.Tensor:
    """Kinds at two dates, which differ."""
    return torch.randint(0, GROUPS, (n, 2), generator=torch.Generator().manual_seed(seed))


def spectra(ground: torch.Tensor, means: torch.Tensor, mixing: torch.Tensor, seed: int) -> torch.Tensor:
    own = torch.cat([means[ground[:, 0], :2], means[ground[:, 1], 2:]], dim=1)
    return own + torch.randn(len(ground), 3, generator=torch.Generator().manual_seed(seed)) @ mixing


def moments(rows: torch.Tensor, ground: torch.Tensor) -> GroundMoments:
    found = GroundMoments(PARTS, GROUPS)
    for part, kind in zip(rows.split(700), ground.split(700), strict=True):
        found.add(part, kind)
    return found


def fitted(*, drawn: GroundMoments, real: GroundMoments, decoded: GroundMoments) -> SpectralCalibration:
    """What each kind needs, all of what follows for the spread of all being right."""
    found = SpectralCalibration(PARTS, GROUPS, own_spread=True)
    return found.fit_kinds(drawn=drawn, real=real, decoded=decoded)


def corrected(calibration: SpectralCalibration, rows: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
    return calibration(rows.T[None, :, :, None], ground.T[None, :, :, None])[0, :, :, 0].T


def test_moments_are_those_of_each_date_and_kind() -> None:
    ground = ground_of(5000, 0)
    rows = spectra(ground, MEANS, MIXING, 1)
    found = moments(rows, ground)
    for kind in range(GROUPS):
        first, second = found.means()[kind], found.means()[GROUPS + kind]
        torch.testing.assert_close(first[:2], rows[ground[:, 0] == kind, :2].double().mean(dim=0))
        torch.testing.assert_close(second[2:], rows[ground[:, 1] == kind, 2:].double().mean(dim=0))
        assert (first[2:] == 0).all() and (second[:2] == 0).all()
    torch.testing.assert_close(found.covariance().float(), MIXING.T @ MIXING, rtol=0, atol=0.08)


def test_transport_turns_one_covariance_into_the_other() -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.cov(torch.randn(3, 50, generator=generator).double()) for _ in range(2))
    matrix = transport(one, other, most=100.0)
    torch.testing.assert_close(matrix @ one @ matrix.T, other)
    torch.testing.assert_close(matrix, matrix.T)


def test_no_direction_is_stretched_beyond_the_limit() -> None:
    values = torch.linalg.eigvalsh(transport(torch.eye(3).double(), 100 * torch.eye(3).double()))
    assert 1.0 < values.max() <= MOST_STRETCH + 1e-9


def test_drawn_spectra_get_the_real_means_and_spread_also_across_dates() -> None:
    real_ground, drawn_ground = ground_of(20_000, 2), ground_of(20_000, 3)
    real = moments(spectra(real_ground, MEANS, MIXING, 4), real_ground)
    less = 0.9 * MIXING * torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, 0.7], [1.0, 0.7, 1.0]])
    rows = spectra(drawn_ground, 0.6 * MEANS + 0.3, less, 5)
    calibration = fitted(drawn=moments(rows, drawn_ground), real=real, decoded=real)
    so_far = moments(corrected(calibration, rows, drawn_ground), drawn_ground)
    calibration.fit_spread(drawn=so_far, decoded=real)
    again = moments(corrected(calibration, rows, drawn_ground), drawn_ground)
    assert (again.means() - real.means()).abs().max() < 0.06
    torch.testing.assert_close(again.covariance(), real.covariance(), rtol=0, atol=0.02)
    assert (so_far.covariance() - real.covariance()).abs().max() > 0.03, "which each date alone does not give"


def test_each_kind_gets_its_own_spread() -> None:
    ground = ground_of(30_000, 6)
    wide = torch.tensor([1.0, 0.5, 1.2])
    noise = torch.randn(30_000, 3, generator=torch.Generator().manual_seed(7))
    rows = torch.cat([MEANS[ground[:, 0], :2], MEANS[ground[:, 1], 2:]], dim=1) + noise
    real = rows - noise + noise * torch.cat([wide[ground[:, :1]].expand(-1, 2), wide[ground[:, 1:]]], dim=1)
    calibration = fitted(drawn=moments(rows, ground), real=moments(real, ground), decoded=moments(real, ground))
    found = corrected(calibration, rows, ground)
    for kind in range(GROUPS):
        first, second = ground[:, 0] == kind, ground[:, 1] == kind
        torch.testing.assert_close(found[first, :2].std(dim=0), real[first, :2].std(dim=0), rtol=0.04, atol=0)
        torch.testing.assert_close(found[second, 2:].std(dim=0), real[second, 2:].std(dim=0), rtol=0.04, atol=0)


def test_a_kind_is_neither_stretched_nor_shrunk_beyond_the_limits() -> None:
    ground = ground_of(5000, 8)
    rows = spectra(ground, MEANS, torch.eye(3), 9)
    drawn, small, large = (moments(values, ground) for values in (rows, 0.01 * rows, 100 * rows))
    for wanted, factor in ((small, LEAST_STRETCH), (large, MOST_STRETCH)):
        for stretches in fitted(drawn=drawn, real=drawn, decoded=wanted).stretches:
            torch.testing.assert_close(stretches, factor * torch.eye(stretches.shape[-1]).expand_as(stretches))


def test_the_spread_of_a_kind_that_little_ground_shows_is_rather_that_of_all() -> None:
    """One tile of many pixels, which all are the same; and one of as many pixels as components."""
    for pixels, part in ((3000, 1 / (1 + FEW_TILES)), (2, 0.5 / (1 + FEW_TILES))):
        found = GroundMoments(PARTS, GROUPS)
        for tile in range(200):
            found.add(
                torch.randn(500, 3, generator=torch.Generator().manual_seed(tile)),
                torch.zeros(500, 2, dtype=torch.int64),
            )
        found.add(torch.ones(pixels, 3), torch.ones(pixels, 2, dtype=torch.int64))
        of_all = 200 * 500 / (200 * 500 + pixels) * torch.eye(2).double()
        torch.testing.assert_close(found.spreads()[0][1], (1 - part) * of_all, rtol=0, atol=0.02)


@pytest.mark.parametrize("strays", [0, 1])
def test_a_kind_that_was_hardly_drawn_is_left_where_it_is_drawn(strays: int) -> None:
    """Real: kinds 0 and 1, far apart. Drawn: kind 0, and kind 1 nowhere or at a pixel that looks like kind 0."""
    drawn, real = (GroundMoments((10, 10), 2) for _ in range(2))
    for tile in range(40):
        rows, spread = (torch.randn(400, 20, generator=torch.Generator().manual_seed(tile + more)) for more in (0, 99))
        kinds = torch.zeros(400, 2, dtype=torch.int64)
        if tile < strays:
            kinds[0] = 1
        drawn.add(rows, kinds)
        real.add(torch.cat([rows[:200], 8 + 0.3 * spread[200:]]), torch.arange(400)[:, None].expand(-1, 2) // 200)
    calibration = SpectralCalibration((10, 10), 2, own_spread=True).fit_kinds(drawn=drawn, real=real, decoded=real)
    there = torch.full((1, 20, 1, 1), 8.0)
    found = calibration(there, torch.ones(1, 2, 1, 1, dtype=torch.int64))
    torch.testing.assert_close(found, there, rtol=0, atol=0.01 if not strays else 1.0)


def test_a_kind_that_real_ground_does_not_have_is_left_as_it_is_drawn() -> None:
    ground = ground_of(6000, 4)
    rows = spectra(ground, MEANS, torch.eye(3), 5)
    there = (ground < 2).all(dim=1)
    real = moments(0.5 * rows[there] + 3, ground[there])
    calibration = fitted(drawn=moments(rows, ground), real=real, decoded=real)
    found = corrected(calibration, rows, ground)
    nowhere = (ground == 2).all(dim=1)
    torch.testing.assert_close(found[nowhere], rows[nowhere])
    assert (found[there] - rows[there]).abs().mean() > 1


def test_the_spread_is_that_of_decoded_ground() -> None:
    ground = ground_of(20_000, 6)
    rows = spectra(ground, MEANS, torch.eye(3), 7)
    drawn, decoded = moments(rows, ground), moments(spectra(ground, MEANS, 0.85 * torch.eye(3), 8), ground)
    calibration = SpectralCalibration(PARTS, GROUPS).fit_spread(drawn=drawn, decoded=decoded)
    torch.testing.assert_close(calibration.matrix, 0.85 * torch.eye(3), rtol=0, atol=0.03)


def test_a_calibration_saved_before_kinds_had_a_spread_of_their_own_is_read_and_corrects_as_it_did(tmp_path) -> None:
    ground = ground_of(1000, 1)
    rows = spectra(ground, MEANS, MIXING, 2)
    old = SpectralCalibration(PARTS, GROUPS)
    old.matrix.mul_(0.9)
    save_part_files(old, tmp_path)
    config = (tmp_path / "config.json").read_text()
    (tmp_path / "config.json").write_text(config.replace('"own_spread": false,', ""))
    assert "own_spread" not in (tmp_path / "config.json").read_text()
    again = load_part_files(tmp_path)
    torch.testing.assert_close(corrected(again, rows, ground), 0.9 * rows)


def test_a_kind_of_one_tile_is_moved_by_a_part_and_one_that_is_not_there_not_at_all() -> None:
    drawn, real = (GroundMoments(PARTS, GROUPS) for _ in range(2))
    for tile in range(1000):
        kinds = torch.zeros(2000, 2, dtype=torch.int64)
        if tile == 0:
            kinds[1000:] = 1
        drawn.add(torch.zeros(2000, 3), kinds)
    real.add(torch.full((2, 3), 5.0), torch.tensor([0, 1])[:, None].expand(-1, 2))
    calibration = fitted(drawn=drawn, real=real, decoded=real)
    steps = (calibration.real_mean - calibration.drawn_mean)[:GROUPS, 0]
    torch.testing.assert_close(steps, torch.tensor([5.0, 5.0 / (1 + FEW_TILES), 0.0]), rtol=0, atol=0.03)


def test_nothing_is_changed_without_pixels() -> None:
    empty = GroundMoments(PARTS, GROUPS)
    calibration = fitted(drawn=empty, real=empty, decoded=empty).fit_spread(drawn=empty, decoded=empty)
    components = torch.randn(2, 3, 4, 4)
    torch.testing.assert_close(calibration(components, torch.zeros(2, 2, 4, 4, dtype=torch.int64)), components)
