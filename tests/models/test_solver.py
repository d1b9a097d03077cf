"""The solver: exact where it must be, of second order, and true to what is known."""

from __future__ import annotations

import math

import pytest
import torch

from specdm.models.solver import NOISIEST, guided_velocity, level_grid, solve_flow

CHANNELS = (2, 1)


def noise_of(n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def grid_of(steps: int, shift: float = 1.0) -> list[float]:
    return level_grid(steps, shift=shift).tolist()


def constant_to(target: torch.Tensor, noise: torch.Tensor):
    return lambda noisy, levels: noise - target


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_exact_for_a_constant_velocity(steps: int, shift: float) -> None:
    noise, target = noise_of(), torch.full((2, 3, 4, 4), 0.7, dtype=torch.float64)
    found = solve_flow(constant_to(target, noise), noise, stream_channels=CHANNELS, grid=grid_of(steps, shift))
    torch.testing.assert_close(found, target, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_second_order(shift: float) -> None:
    """dz/dt = z has z(0) = z(1) / e; the error of a rule of order 2 falls fourfold as steps double."""
    noise = noise_of()

    def error(steps: int) -> float:
        found = solve_flow(lambda z, t: z, noise, stream_channels=CHANNELS, grid=grid_of(steps, shift))
        return float((found - noise / math.e).abs().max())

    ratios = [error(steps) / error(2 * steps) for steps in (20, 40)]
    assert all(3.3 < ratio < 4.7 for ratio in ratios), ratios


def test_velocity_is_asked_at_the_levels_of_the_grid() -> None:
    asked = []

    def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        asked.append(levels.unique().tolist())
        return noisy

    solve_flow(velocity, noise_of().float(), stream_channels=CHANNELS, grid=grid_of(4, 2.0))
    expected = level_grid(4, shift=2.0)
    assert expected[0] == 1 and expected[-1] == 0 and (expected.diff() < 0).all()
    # at 1 the network would not look
    assert [level for (level,) in asked] == pytest.approx([NOISIEST, *expected[1:-1].tolist()])


def test_cells_that_are_not_free_stay_and_are_told_to_the_model() -> None:
    """Of stream 0 the upper half is known and the lower half drawn; stream 1 is unknown, but for what is drawn too."""
    state = noise_of()
    state[:, :2, :2] = 3.0
    free = torch.ones(2, 2, 4, 4, dtype=torch.bool)
    free[:, 0, :2] = False
    free[:, 1, :, :2] = False
    levels = torch.zeros(2, 2, 4, 4)
    levels[:, 1] = 1.0
    seen = []

    def velocity(noisy: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        assert (noisy[:, :2, :2] == 3.0).all() and torch.equal(noisy[:, 2, :, :2], state[:, 2, :, :2])
        assert (told[:, 0, :2] == 0).all() and (told[:, 1, :, :2] == 1).all()
        seen.append(told[:, 0, 2:].unique().tolist() + told[:, 1, :, 2:].unique().tolist())
        return noisy * 5 + 1

    options = {"stream_channels": CHANNELS, "grid": grid_of(5)}
    found = solve_flow(velocity, state, free=free, levels=levels, **options)
    assert all(one == other and 0 < one < 1 for one, other in seen)
    whole = solve_flow(lambda z, t: z * 5 + 1, state, **options)
    moving = free.repeat_interleave(torch.tensor(CHANNELS), dim=1)
    torch.testing.assert_close(found, torch.where(moving, whole, state))


def test_progress_estimates_the_end() -> None:
    noise, target = noise_of(), torch.full((2, 3, 4, 4), 0.7, dtype=torch.float64)
    told = []
    solve_flow(
        constant_to(target, noise),
        noise,
        stream_channels=CHANNELS,
        grid=grid_of(3),
        progress=lambda step, steps, estimate: told.append((step, steps, estimate)),
    )
    assert [(step, steps) for step, steps, _ in told] == [(1, 3), (2, 3), (3, 3)]
    for _, _, estimate in told:
        torch.testing.assert_close(estimate, target, atol=1e-6, rtol=0)


def test_guidance_0_is_the_plain_velocity() -> None:
    def plain(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        return noisy

    def never(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        raise AssertionError("asked without guidance")

    assert guided_velocity(plain, never, stream_channels=CHANNELS, sides=[[0], [1]], guidance=0.0) is plain
    assert guided_velocity(plain, never, stream_channels=CHANNELS, sides=[], guidance=2.0) is plain


def test_guidance_pulls_each_side_away_from_what_it_is_by_itself() -> None:
    """Streams of one side stay known to each other; the rest is unknown, where it was known too."""
    noisy = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    levels = torch.tensor([0.5, 0.4, 0.0]).view(1, 3, 1, 1).repeat(2, 1, 4, 4)
    levels[:, 0, 0] = 0.0
    asked = []

    def alone(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        asked.append((z, t))
        return torch.full_like(z, float(len(asked)))

    options = {"stream_channels": (1, 2, 1), "sides": [[0, 1], [2]], "guidance": 0.5}
    found = guided_velocity(lambda z, t: torch.full_like(z, 2.0), alone, **options)(noisy, levels)
    assert found[0, :, 0, 0].tolist() == [2.5, 2.5, 2.5, 2.0]  # 2 + 0.5 (2 - 1), 2 + 0.5 (2 - 2)
    (first, images), (second, masks) = asked
    assert torch.equal(first, noisy) and torch.equal(second, noisy)
    assert torch.equal(images[:, :2], levels[:, :2]) and (images[:, 2] == 1).all()
    assert torch.equal(masks[:, 2], levels[:, 2]) and (masks[:, :2] == 1).all()
