"""Noise with the power spectrum of latents: like them in its spread at every scale, and of any size."""

from __future__ import annotations

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import avg_pool2d

from specdm.models.denoiser import JointDenoiser
from specdm.models.latent_noise import filtered, noise_kernels, noise_reach
from specdm.models.part_files import load_part_files, save_part_files

CELLS, REACH = 12, 6


def smooth(n: int, channels: int = 2, seed: int = 0) -> torch.Tensor:
    """Latents `(n, channels, y, x)` of unit variance, the first channel smooth, the others white."""
    white = torch.randn(n, channels, CELLS + 6, CELLS + 6, generator=torch.Generator().manual_seed(seed))
    out = white[..., 3:-3, 3:-3].clone()
    out[:, :1] = 7 * avg_pool2d(white[:, :1], 7, stride=1)
    return out


def drawn(kernels: torch.Tensor, n: int = 400, seed: int = 1) -> torch.Tensor:
    size = CELLS + kernels.shape[-1] - 1
    return filtered(torch.randn(n, len(kernels), size, size, generator=torch.Generator().manual_seed(seed)), kernels)


def spread(latents: torch.Tensor, cells: int) -> torch.Tensor:
    """Variance of means over squares of so many cells, `(channels,)`."""
    return avg_pool2d(latents, cells).var(dim=(0, 2, 3))


def test_it_is_spread_at_every_scale_as_latents_are() -> None:
    latents = smooth(400)
    noise = drawn(noise_kernels(latents, torch.ones(400, CELLS, CELLS), reach=REACH))
    for cells in (1, 2, 4, 6, 12):
        torch.testing.assert_close(spread(noise, cells), spread(latents, cells), rtol=0.25, atol=1e-3)
    assert abs(float(noise.std()) - 1) < 0.02 and abs(float(noise.mean())) < 0.05
    ratio = spread(noise, 4)[0] / spread(noise, 4)[1]
    assert ratio > 5, "the case says something only if channels differ"


def test_tiles_that_differ_as_a_whole_have_noise_that_does_so_too() -> None:
    """Also without streaks along rows and columns, which lags without pairs would leave."""
    random = torch.Generator().manual_seed(4)
    offset = torch.randn(3000, 1, 1, 1, generator=random)
    latents = 0.6**0.5 * torch.randn(3000, 1, CELLS, CELLS, generator=random) + 0.4**0.5 * offset
    known = torch.ones(3000, CELLS, CELLS)
    reach = noise_reach(CELLS)
    assert REACH < reach < CELLS
    kernel = noise_kernels(latents, known, reach=reach)
    assert 0.4 < float(spread(drawn(kernel), CELLS) / spread(latents, CELLS)) < 1.1
    ahead = kernel[0, reach, reach + 2 :]
    aslant = kernel[0].diagonal()[reach + 2 :]
    assert float(ahead.mean()) == pytest.approx(float(aslant.mean()), rel=0.3)


def test_unknown_cells_tell_nothing() -> None:
    latents, known = smooth(200), torch.ones(200, CELLS, CELLS)
    known[:100, :, 6:] = 0
    known[150:] = 0
    hidden = torch.where(known[:, None] > 0, latents, 1000.0)
    kernels = noise_kernels(hidden, known, reach=REACH)
    assert torch.equal(kernels, noise_kernels(torch.where(known[:, None] > 0, latents, -7.0), known, reach=REACH))
    torch.testing.assert_close(spread(drawn(kernels), 4), spread(latents, 4), rtol=0.3, atol=1e-3)


@pytest.mark.parametrize("known", [0.0, 1.0])
def test_without_anything_to_fit_it_is_white(known: float) -> None:
    nothing = torch.zeros(3, 2, CELLS, CELLS)
    kernels = noise_kernels(nothing, torch.full((3, CELLS, CELLS), known), reach=2)
    white = torch.randn(1, 2, CELLS + 4, CELLS + 4)
    torch.testing.assert_close(filtered(white, kernels), white[..., 2:-2, 2:-2], rtol=0, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 20), width=st.integers(1, 20), top=st.integers(0, 9), left=st.integers(0, 9),
)
def test_an_area_is_a_part_of_the_whole(height: int, width: int, top: int, left: int) -> None:
    kernels = noise_kernels(smooth(40), torch.ones(40, CELLS, CELLS), reach=3)
    white = torch.randn(1, 2, 29 + 6, 29 + 6, generator=torch.Generator().manual_seed(2))
    whole = filtered(white, kernels)
    part = filtered(white[..., top : top + height + 6, left : left + width + 6], kernels)
    torch.testing.assert_close(part, whole[..., top : top + height, left : left + width], rtol=0, atol=1e-5)


def test_it_is_the_same_whatever_the_batch() -> None:
    kernels = noise_kernels(smooth(40), torch.ones(40, CELLS, CELLS), reach=REACH)
    white = torch.randn(5, 2, CELLS + 12, CELLS + 12, generator=torch.Generator().manual_seed(3))
    one_by_one = torch.cat([filtered(white[i : i + 1], kernels) for i in range(5)])
    assert torch.equal(filtered(white, kernels), one_by_one)


def test_a_denoiser_keeps_its_noise_and_has_white_noise_where_it_is_not_told(tmp_path) -> None:
    net = JointDenoiser((2, 2), widths=(16, 16), layers=1, head_channels=16, noise_reach=REACH)
    white = torch.randn(3, *net.white_shape((CELLS, CELLS)))
    assert torch.equal(net.noise(white), white[..., REACH:-REACH, REACH:-REACH]), "until it is told a spectrum"
    net.fit_noise(smooth(60, channels=4), torch.ones(60, 2, CELLS, CELLS), streams=[0])
    noise = net.noise(white)
    assert noise.shape == (3, 4, CELLS, CELLS)
    torch.testing.assert_close(noise[:, 2:], white[:, 2:, REACH:-REACH, REACH:-REACH], rtol=0, atol=1e-5)
    assert not torch.allclose(noise[:, 0], white[:, 0, REACH:-REACH, REACH:-REACH], atol=0.1)
    net.save_pretrained(tmp_path)
    assert torch.equal(JointDenoiser.from_pretrained(tmp_path).noise(white), noise)


def test_models_of_before_have_white_noise(tmp_path) -> None:
    net = JointDenoiser((2, 2), widths=(16, 16), layers=1, head_channels=16)
    save_part_files(net, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["noise_reach"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = load_part_files(tmp_path)
    assert isinstance(loaded, JointDenoiser) and "noise_kernels" not in loaded.state_dict()
    assert loaded.white_shape((CELLS, CELLS)) == (4, CELLS, CELLS)
    white = torch.randn(3, 4, CELLS, CELLS)
    assert torch.equal(loaded.noise(white), white)
