"""The denoiser hears the noise levels of every stream and cell, and the composition."""

from __future__ import annotations

import pytest
import torch

from specdm.models.denoiser import JointDenoiser

CHANNELS, CLASSES = (4, 2), 3
NAN = float("nan")


@pytest.fixture(scope="module")
def denoiser() -> JointDenoiser:
    torch.manual_seed(0)
    return JointDenoiser(CHANNELS, CLASSES, widths=(16, 16), layers=1, head_channels=16).eval()


@pytest.fixture(scope="module")
def noisy() -> torch.Tensor:
    return torch.randn(2, sum(CHANNELS), 8, 8, generator=torch.Generator().manual_seed(1))


def changed(first: torch.Tensor, second: torch.Tensor) -> float:
    return float((first - second).detach().abs().max())


def test_shape(denoiser, noisy) -> None:
    assert denoiser(noisy, torch.full((2, 2, 8, 8), 0.5)).shape == noisy.shape


@pytest.mark.parametrize("stream", [0, 1])
def test_the_mean_level_of_each_stream_counts(denoiser, noisy, stream: int) -> None:
    levels = torch.full((2, 2, 8, 8), 0.5)
    other = levels.clone()
    other[:, stream] = 0.1
    assert changed(denoiser(noisy, levels), denoiser(noisy, other)) > 1e-3


def test_streams_are_told_apart(denoiser, noisy) -> None:
    """The same two levels, exchanged: the mean over the streams is no help here."""
    levels = torch.stack([torch.full((2, 8, 8), 0.2), torch.full((2, 8, 8), 0.8)], dim=1)
    planes_alike = changed(denoiser(noisy, levels), denoiser(noisy, levels.flip(1)))
    assert planes_alike > 1e-3


def test_the_level_of_a_cell_counts_where_the_means_are_the_same(denoiser, noisy) -> None:
    upper = torch.full((2, 2, 8, 8), 0.2)
    upper[:, :, :4] = 0.8
    assert changed(denoiser(noisy, upper), denoiser(noisy, upper.flip(2))) > 1e-3


def test_composition_counts_and_none_differs_from_zero(denoiser, noisy) -> None:
    levels = torch.full((2, 2, 8, 8), 0.5)
    one, other = torch.tensor([[1.0, 0, 0]] * 2), torch.tensor([[0, 0, 1.0]] * 2)
    none, zero = torch.full((2, 3), NAN), torch.zeros(2, 3)
    assert changed(denoiser(noisy, levels, one), denoiser(noisy, levels, other)) > 1e-4
    assert changed(denoiser(noisy, levels, none), denoiser(noisy, levels, zero)) > 1e-4
    assert changed(denoiser(noisy, levels, none), denoiser(noisy, levels)) == 0


def test_a_row_with_nan_is_not_given_and_does_not_spoil_the_others(denoiser, noisy) -> None:
    levels = torch.full((2, 2, 8, 8), 0.5)
    mixed = denoiser(noisy, levels, torch.tensor([[1.0, 0, 0], [NAN, 0.5, 0.5]]))
    given = denoiser(noisy, levels, torch.tensor([[1.0, 0, 0]] * 2))
    torch.testing.assert_close(mixed[0], given[0])
    torch.testing.assert_close(mixed[1], denoiser(noisy, levels)[1])


def test_without_conditions(noisy) -> None:
    plain = JointDenoiser(CHANNELS, 0, widths=(16, 16), layers=1, head_channels=16)
    assert plain.composition_embedding is None
    assert plain(noisy, torch.full((2, 2, 8, 8), 0.5), torch.zeros(2, 0)).shape == noisy.shape


def test_each_stream_is_standardised_by_itself() -> None:
    """Two dates of one codec, the second darker and flatter; cells that are not known do not count."""
    net = JointDenoiser((2, 2), widths=(16, 16), layers=1, head_channels=16)
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(20, 4, 8, 8, generator=generator)
    latents[:, 2:] = 0.2 * latents[:, 2:] - 3
    known = torch.ones(20, 2, 8, 8)
    known[:, 1, :4] = 0
    latents[:, 2:, :4] = 1000
    net.fit_latents(latents, known)
    made = net.standardise(latents)
    torch.testing.assert_close(made[:, :2].mean(), torch.tensor(0.0), atol=1e-4, rtol=0)
    torch.testing.assert_close(made[:, 2:, 4:].std(), torch.tensor(1.0), atol=2e-2, rtol=0)
    torch.testing.assert_close(net.restore(made), latents, atol=1e-3, rtol=1e-5)


def test_statistics_of_streams_are_saved(tmp_path) -> None:
    from specdm.models.part_files import load_part_files, save_part_files

    net = JointDenoiser((2, 2), widths=(16, 16), layers=1, head_channels=16)
    net.fit_latents(3 + torch.randn(5, 4, 8, 8), torch.ones(5, 2, 8, 8))
    save_part_files(net, tmp_path / "denoiser")
    again = load_part_files(tmp_path / "denoiser")
    torch.testing.assert_close(again.latent_mean, net.latent_mean)
    torch.testing.assert_close(again.latent_std, net.latent_std)


def test_unknown_cells_are_not_looked_at(denoiser, noisy) -> None:
    levels = torch.full((2, 2, 8, 8), 0.5)
    levels[:, 0, :4] = 1.0
    other = noisy.clone()
    other[:, :4, :4] += 100.0
    assert changed(denoiser(noisy, levels), denoiser(other, levels)) == 0
    levels[:, 0, :4] = 0.999
    assert changed(denoiser(noisy, levels), denoiser(other, levels)) > 0.1


@pytest.mark.parametrize(
    ("first", "second", "bare"),
    [(0.0, 0.0, True), (1.0, 1.0, True), (0.0, 1.0, False), (1.0, 0.0, False), (0.5, 0.5, False), (0.0, 0.5, False)],
)
@pytest.mark.parametrize("cloud", [False, True])
def test_masks_are_drawn_for_a_date_that_is_known(first: float, second: float, bare: bool, cloud: bool) -> None:
    """The network of masks alone is asked where no image tells them apart from those of any other ground."""
    levels = torch.tensor([first, second])[None, :, None, None].repeat(1, 1, 4, 4)
    if cloud:  # a cell of the first date that nothing is known of
        levels[0, 0, 1, 2] = 1.0
    assert JointDenoiser._draws_no_image(levels).tolist() == [bare]
