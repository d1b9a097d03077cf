"""The kernel machine beside the network: what it looks at, and how both are put together."""

from __future__ import annotations

import math

import pytest
import torch

from specdm.models.mask_reader import MaskReader, pool
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.spectral_reader import WINDOW, SpectralReader


def little(*, dates: int = 1, layers: int = 1) -> SpectralReader:
    return SpectralReader(components=2 * dates, dates=dates, layers=layers, classes=3, points=5)


def test_features_are_the_pixel_and_the_mean_around_it() -> None:
    generator = torch.Generator().manual_seed(0)
    components = torch.randn(1, 2, 9, 9, generator=generator)
    features = little().features(components, axes=torch.eye(2))
    assert features.shape == (1, 4, 9, 9)
    assert torch.equal(features[:, :2], components)
    half = WINDOW // 2
    expected = components[0, :, 4 - half : 5 + half, 4 - half : 5 + half].mean(dim=(1, 2))
    assert torch.allclose(features[0, 2:, 4, 4], expected, atol=1e-6)
    # at a corner the mean is of what is there
    assert torch.allclose(features[0, 2:, 0, 0], components[0, :, : half + 1, : half + 1].mean(dim=(1, 2)), atol=1e-6)


def test_pixels_without_data_do_not_count() -> None:
    components = torch.ones(1, 2, 9, 9)
    components[0, 1, 4, 4] = float("nan")
    features = little().features(components, axes=torch.eye(2))
    assert torch.equal(features[0, :, 4, 4], torch.tensor([0.0, 0.0, 1.0, 1.0]))
    assert torch.allclose(features[0, 2:], torch.ones(2, 9, 9))


def test_changes_have_no_sign() -> None:
    first, second = torch.full((1, 2, 6, 6), 1.0), torch.full((1, 2, 6, 6), 4.0)
    there = little(dates=2).features(torch.cat([first, second], dim=1), axes=torch.eye(4))
    back = little(dates=2).features(torch.cat([second, first], dim=1), axes=torch.eye(4))
    assert there.shape[1] == 12
    assert torch.equal(there[:, 4:6], torch.full((1, 2, 6, 6), 3.0)) and torch.equal(there[:, 4:6], back[:, 4:6])


def test_components_are_looked_at_along_its_axes() -> None:
    """A turn of the components does not matter where the axes turn with them."""
    generator = torch.Generator().manual_seed(0)
    components = torch.randn(1, 2, 5, 5, generator=generator)
    turn = torch.tensor([[0.6, 0.8], [-0.8, 0.6]])
    turned = torch.einsum("ac,ncyx->nayx", turn, components)
    features = little().features(turned, axes=turn.T)
    assert torch.allclose(features, little().features(components, axes=torch.eye(2)), atol=1e-6)
    net = little()
    net.axes[0], net.scale[0, 0], net.sharpness[0], net.temperature[0] = turn, 1.0, 1.0, 0.1
    net.weights[0, 0] = torch.tensor([0.0, 1.0, 0.0])
    expected = (-turned[0, 0].square()).exp() / 0.1  # what it remembers is at 0 along its first axis
    assert torch.allclose(net(components)[0, 0, 1] - net(components)[0, 0, 0], expected, atol=1e-4)


def test_one_that_knows_nothing_says_so() -> None:
    found = little()(torch.randn(2, 2, 4, 4))
    assert torch.allclose(found, torch.full((2, 1, 3, 4, 4), -math.log(3)))


def test_what_it_remembers_it_finds_again() -> None:
    net = little(layers=2)
    net.scale[1, :2] = 1.0
    net.support[1, 0, :2] = torch.tensor([3.0, 0.0])
    net.weights[1, 0] = torch.tensor([0.0, 1.0, 0.0])
    net.sharpness[1], net.temperature[1] = 1.0, 0.1
    components = torch.zeros(1, 2, 4, 4)
    components[0, 0, 1, 2] = 3.0
    found = net(components)
    assert torch.allclose(found[0, 0], torch.full((3, 4, 4), -math.log(3))), "the other layer knows nothing"
    assert found[0, 1, 1, 1, 2] == found.max() and found[0, 1, 1, 1, 2] > -0.01
    assert found[0, 1, 1, 0, 0] < -1.0, "what is unlike is not that class"


def test_pool_goes_from_one_to_the_other() -> None:
    one, other = (torch.randn(1, 2, 3, 2, 2).log_softmax(dim=2) for _ in range(2))
    share = torch.tensor([0.0, 1.0])
    mixed = pool(one, other, share=share)
    assert torch.allclose(mixed[:, 0], one[:, 0].exp()) and torch.allclose(mixed[:, 1], other[:, 1].exp())
    half = pool(one, other, share=torch.tensor([0.5, 0.5]))
    assert torch.allclose(half, ((one + other) / 2).softmax(dim=2))


@pytest.mark.parametrize("points", [0, 5])
def test_a_reader_comes_back_from_its_files(tmp_path, points: int) -> None:
    torch.manual_seed(0)
    reader = MaskReader(components=4, layers=1, classes=3, width=8, dilations=(1,), points=points, dates=2)
    if reader.spectral is not None:
        reader.spectral.weights.normal_()
        reader.spectral_share.fill_(0.5)
        reader.neighbourhood.fill_(2)
    save_part_files(reader, tmp_path / "reader")
    again = load_part_files(tmp_path / "reader")
    assert isinstance(again, MaskReader) and (again.spectral is None) == (points == 0)
    components = torch.randn(1, 4, 6, 6)
    chances = [net.pooled(net.chances(net(components)), components) for net in (reader, again)]
    assert torch.equal(*chances)
    assert again.reach == (WINDOW // 2 + 2 if points else 1)


def test_a_reader_from_before_there_were_axes_looks_along_the_components(tmp_path) -> None:
    reader = MaskReader(components=4, layers=2, classes=3, width=8, dilations=(1,), points=5)
    state = {name: value for name, value in reader.state_dict().items() if name != "spectral.axes"}
    again = MaskReader(components=4, layers=2, classes=3, width=8, dilations=(1,), points=5)
    again.load_state_dict(state, strict=True)
    assert again.spectral is not None and torch.equal(again.spectral.axes, torch.eye(4).expand(2, 4, 4))
