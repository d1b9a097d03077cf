"""The closed-form guess: exact for Gaussian fields, at every level, and told from sparse cells."""

from __future__ import annotations

import pytest
import torch

from specdm.models.linear_guess import guess, inverse, power_spectrum, resized, stream_level, transform

N = 8


def smooth_power() -> torch.Tensor:
    k = torch.arange(N).float()
    power = torch.exp(-(k[:, None].square() + k[None].square()) / 6) + 0.05
    return (power / power.mean())[None]


def fields(n: int, seed: int = 0) -> torch.Tensor:
    white = torch.randn(n, 1, N, N, generator=torch.Generator().manual_seed(seed))
    return inverse(smooth_power().sqrt() * white)


def test_transform_and_back() -> None:
    values = torch.randn(2, 3, N, N)
    torch.testing.assert_close(inverse(transform(values)), values, rtol=0, atol=1e-5)
    torch.testing.assert_close(transform(values).square().sum(), values.square().sum())


@pytest.mark.parametrize("share", [1.0, 0.3])
def test_the_spectrum_is_found_also_from_sparse_cells(share: float) -> None:
    latents = fields(4000)
    known = (torch.rand(4000, N, N, generator=torch.Generator().manual_seed(1)) < share).float()
    spoilt = torch.where(known[:, None] > 0, latents, 99.0)
    found = power_spectrum(spoilt, known)
    # stationary fields are diagonal in cosines but for the edges
    assert (found - smooth_power()).abs().mean() < 0.15 * smooth_power().mean()
    assert found[0, 0, 0] > 5 * found[0, -1, -1]
    torch.testing.assert_close(found.mean(), torch.tensor(1.0))


def test_white_where_nothing_is_known() -> None:
    assert (power_spectrum(fields(3), torch.zeros(3, N, N)) == 1).all()


@pytest.mark.parametrize("t", [0.1, 0.5, 0.9])
def test_the_guess_is_the_regression_of_the_velocity(t: float) -> None:
    """By frequency: its error is not correlated with what was seen, and as large as said."""
    latents, noise = fields(6000), torch.randn(6000, 1, N, N, generator=torch.Generator().manual_seed(2))
    noisy = (1 - t) * latents + t * noise
    level = torch.full((6000, 1, 1, 1), t)
    found, spread = guess(noisy, level.expand(-1, 1, N, N), level, smooth_power())
    error = transform(noise - latents - found)
    assert (error * transform(noisy)).mean(dim=0).abs().max() < 0.1
    torch.testing.assert_close(error.std(dim=0), spread[0], rtol=0.06, atol=0)


def test_known_cells_tell_of_unknown_ones() -> None:
    latents = fields(500)
    noise = torch.randn(500, 1, N, N, generator=torch.Generator().manual_seed(3))
    levels = torch.zeros(500, 1, N, N)
    levels[..., N // 2 :] = 1.0
    noisy = torch.where(levels > 0, noise, latents)
    found, _ = guess(noisy, levels, stream_level(levels), smooth_power())
    wanted = noise - latents
    border = (slice(None), slice(None), slice(None), N // 2)
    plain = (noise - wanted)[border].square().mean()
    assert (found - wanted)[border].square().mean() < 0.9 * plain


def test_unknown_cells_do_not_disturb_the_others() -> None:
    latents = fields(200)
    levels = torch.full((200, 1, N, N), 0.4)
    levels[:, :, 0, 0] = 1.0
    noise = torch.randn(200, 1, N, N, generator=torch.Generator().manual_seed(4))
    noisy = (1 - levels) * latents + levels * noise
    wild = noisy.clone()
    wild[:, :, 0, 0] = 100.0
    stream = stream_level(levels)
    assert (stream == 0.4).all()
    one, other = (guess(part, levels, stream, smooth_power())[0] for part in (noisy, wild))
    torch.testing.assert_close(one[..., 1:, 1:], other[..., 1:, 1:])


@pytest.mark.parametrize(("t", "share"), [(0.1, 1.001), (0.5, 0.9), (0.8, 1.0)])
def test_sparse_cells_are_guessed_better_together_than_alone(t: float, share: float) -> None:
    """Unknown cells must not count as cells of the mean: labelled ones beside them would be pulled towards it."""
    latents, noise = fields(2000), torch.randn(2000, 1, N, N, generator=torch.Generator().manual_seed(5))
    known = torch.rand(2000, 1, N, N, generator=torch.Generator().manual_seed(6)) < 0.3
    levels = torch.where(known, t, 1.0)
    noisy = (1 - levels) * latents + levels * noise
    found, _ = guess(noisy, levels, stream_level(levels), smooth_power())
    alone = (2 * t - 1) / ((1 - t) ** 2 + t**2) * noisy
    error, plain = (((part - (noise - latents))[known]).square().mean() for part in (found, alone))
    assert error < share * plain


def test_the_level_of_a_stream() -> None:
    levels = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.3, 1.0], [0.3, 0.0]])[:, None, None]
    torch.testing.assert_close(stream_level(levels).flatten(), torch.tensor([0.0, 1.0, 0.5, 0.3, 0.3]))


def test_a_spectrum_for_larger_tiles_keeps_its_mean() -> None:
    larger = resized(smooth_power(), 2 * N, 2 * N)
    assert larger.shape == (1, 2 * N, 2 * N)
    torch.testing.assert_close(larger.mean(), torch.tensor(1.0))
    assert larger[0, 0, 0] > 5 * larger[0, -1, -1]
