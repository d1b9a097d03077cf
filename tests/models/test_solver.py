"""The solver: exact where it must be, of second order, and true to what is known."""

from __future__ import annotations

import math

import pytest
import torch

from specdm.models.solver import guided_velocity, level_grid, solve_flow

CHANNELS = (2, 1)


def noise_of(n: int = 2) -> torch.Tensor:
    return torch.randn(n, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def constant_to(target: torch.Tensor, noise: torch.Tensor):
    return lambda noisy, levels: noise - target


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_exact_for_a_constant_velocity(steps: int, shift: float) -> None:
    noise, target = noise_of(), torch.full((2, 3, 4, 4), 0.7, dtype=torch.float64)
    found = solve_flow(constant_to(target, noise), noise, stream_channels=CHANNELS, steps=steps, shift=shift)
    torch.testing.assert_close(found, target, atol=1e-6, rtol=0)


@pytest.mark.parametrize("shift", [1.0, 3.0])
def test_second_order(shift: float) -> None:
    """dz/dt = z has z(0) = z(1) / e; the error of a rule of order 2 falls fourfold as steps double."""
    noise = noise_of()

    def error(steps: int) -> float:
        found = solve_flow(lambda z, t: z, noise, stream_channels=CHANNELS, steps=steps, shift=shift)
        return float((found - noise / math.e).abs().max())

    ratios = [error(steps) / error(2 * steps) for steps in (20, 40)]
    assert all(3.3 < ratio < 4.7 for ratio in ratios), ratios


def test_velocity_is_asked_at_the_levels_of_the_grid() -> None:
    asked = []

    def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        asked.append(levels.unique().tolist())
        return noisy

    solve_flow(velocity, noise_of().float(), stream_channels=CHANNELS, steps=4, shift=2.0)
    expected = level_grid(4, shift=2.0)
    assert expected[0] == 1 and expected[-1] == 0 and (expected.diff() < 0).all()
    assert [level for (level,) in asked] == pytest.approx(expected[:-1].tolist())


def test_known_cells_stay_and_are_told_to_the_model() -> None:
    noise, latents = noise_of(), torch.full((2, 3, 4, 4), 3.0, dtype=torch.float64)
    known = torch.zeros(2, 2, 4, 4, dtype=torch.bool)
    known[:, 0, :2] = True
    seen = []

    def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        assert (noisy[:, :2, :2] == 3.0).all()
        seen.append(levels[:, 0, :2].max().item())
        assert (levels[:, 1] > 0).all()
        return noisy * 5 + 1

    found = solve_flow(velocity, noise, stream_channels=CHANNELS, steps=5, known=known, latents=latents)
    assert (found[:, :2, :2] == 3.0).all()
    assert seen == [0.0] * 5
    assert (found[:, 2] != 3.0).all() and (found[:, :2, 2:] != 3.0).all()
    free = solve_flow(lambda z, t: z * 5 + 1, noise, stream_channels=CHANNELS, steps=5)
    torch.testing.assert_close(found[:, :2, 2:], free[:, :2, 2:])


def test_progress_estimates_the_end() -> None:
    noise, target = noise_of(), torch.full((2, 3, 4, 4), 0.7, dtype=torch.float64)
    told = []
    solve_flow(
        constant_to(target, noise),
        noise,
        stream_channels=CHANNELS,
        steps=3,
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

    options = {"noise": noise_of(), "stream_channels": CHANNELS, "groups": [[0], [1]]}
    assert guided_velocity(plain, never, guidance=0.0, **options) is plain
    one = {"stream_channels": (3,), "groups": [[0]], "noise": noise_of()}
    assert guided_velocity(plain, never, guidance=2.0, **one) is plain


def test_guidance_pulls_away_from_each_stream_alone() -> None:
    noise, noisy = noise_of().float(), noise_of().float() + 1
    levels = torch.full((2, 2, 4, 4), 0.5)
    asked = []

    def joint(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return torch.full_like(z, 2.0)

    def alone(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        asked.append((z.clone(), t.clone()))
        return torch.full_like(z, float(len(asked)))

    options = {"stream_channels": CHANNELS, "groups": [[0], [1]], "noise": noise}
    found = guided_velocity(joint, alone, guidance=0.5, **options)(noisy, levels)
    assert found[0, :, 0, 0].tolist() == [2.5, 2.5, 2.0]  # 2 + 0.5 (2 - 1), 2 + 0.5 (2 - 2)
    for stream, own, other in ((0, slice(0, 2), slice(2, 3)), (1, slice(2, 3), slice(0, 2))):
        z, t = asked[stream]
        assert torch.equal(z[:, own], noisy[:, own]) and torch.equal(z[:, other], noise[:, other])
        assert (t[:, stream] == 0.5).all() and (t[:, 1 - stream] == 1.0).all()


def test_streams_of_one_group_stay_known_to_each_other() -> None:
    noise = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0))
    noisy, levels = noise + 1, torch.full((2, 3, 4, 4), 0.5)
    asked = []

    def alone(z: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        asked.append((z.clone(), t.clone()))
        return torch.zeros_like(z)

    options = {"stream_channels": (1, 2, 1), "groups": [[0, 1], [2]], "noise": noise}
    guided_velocity(lambda z, t: z, alone, guidance=1.0, **options)(noisy, levels)
    assert len(asked) == 2
    images, masks = asked
    assert torch.equal(images[0][:, :3], noisy[:, :3]) and torch.equal(images[0][:, 3], noise[:, 3])
    assert images[1][0, :, 0, 0].tolist() == [0.5, 0.5, 1.0]
    assert masks[1][0, :, 0, 0].tolist() == [1.0, 1.0, 0.5]


def test_streams_go_down_on_grids_of_their_own() -> None:
    """A mask with a smaller shift is ahead of its image at every step, and both end at 0."""
    noise, target = noise_of(), torch.zeros(2, 3, 4, 4, dtype=torch.float64) + 5
    seen = []

    def velocity(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        seen.append(levels[0, :, 0, 0].tolist())
        return noise - target

    found = solve_flow(velocity, noise, stream_channels=CHANNELS, steps=6, shift=[2.0, 0.5])
    torch.testing.assert_close(found, target)
    assert seen[0] == [1.0, 1.0]
    assert all(mask < image for image, mask in seen[1:])
    for stream, shift in enumerate((2.0, 0.5)):
        assert [levels[stream] for levels in seen] == pytest.approx(level_grid(6, shift=shift)[:-1].tolist())


def test_one_shift_for_all_is_that_shift_for_each() -> None:
    noise = noise_of()
    options = {"stream_channels": CHANNELS, "steps": 5}
    one = solve_flow(lambda z, t: torch.sin(z) * t.mean(), noise, shift=2.0, **options)
    each = solve_flow(lambda z, t: torch.sin(z) * t.mean(), noise, shift=[2.0, 2.0], **options)
    torch.testing.assert_close(one, each)
