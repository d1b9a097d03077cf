"""The downstream networks: their shapes, what they can learn, and a user's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.networks import NETWORKS, build_network, check_network_shape
from specdm.evaluation.usefulness.networks.padded import Padded

BANDS = 6
ALL = [(name, 2 if "change" in info.tasks else 1) for name, info in NETWORKS.items()]


def made(name: str, *, seed: int = 0, **options: int) -> nn.Module:
    torch.manual_seed(seed)
    return build_network(name, **({"channels": 2 * BANDS, "outputs": 3, "dates": 2} | options))


def noise(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("name", "dates"), ALL)
@pytest.mark.parametrize(("channels", "outputs", "size"), [(2, 1, 16), (12, 9, 24), (200, 16, 32), (400, 2, 33)])
def test_every_network_gives_a_value_a_pixel(name: str, dates: int, channels: int, outputs: int, size: int) -> None:
    network = made(name, channels=channels, outputs=outputs, dates=dates)
    check_network_shape(network, channels=channels, outputs=outputs, size=size)


@pytest.mark.parametrize("name", NETWORKS)
def test_tiles_need_not_be_square(name: str) -> None:
    with torch.no_grad():
        assert made(name)(noise(1, 2 * BANDS, 20, 40)).shape == (1, 3, 20, 40)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_seed_decides_the_weights(name: str) -> None:
    first, again, other = (made(name, seed=seed).state_dict() for seed in (3, 3, 4))
    assert first.keys() == again.keys()
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", NETWORKS)
def test_cost_hardly_grows_with_bands(name: str) -> None:
    few, many = (sum(p.numel() for p in made(name, channels=n).parameters()) for n in (2 * BANDS, 400))
    assert many < 1.05 * few


def test_every_network_says_what_it_is_for() -> None:
    for info in NETWORKS.values():
        assert info.about
        assert info.tasks
        assert set(info.tasks) <= {"segmentation", "change", "regression"}


def fitted(network: nn.Module, tiles: torch.Tensor, labels: torch.Tensor, *, steps: int) -> float:
    """Trains on these tiles alone; gives the share of their pixels that then is right."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(network(tiles), labels).backward()
        optimizer.step()
    network.eval()
    with torch.no_grad():
        return float((network(tiles).argmax(dim=1) == labels).float().mean())


@pytest.mark.parametrize("name", [name for name, info in NETWORKS.items() if "segmentation" in info.tasks])
def test_it_learns_classes_by_their_spectra_and_their_place(name: str) -> None:
    # tiles of one class and tiles of two: what a tile shows in the mean must not be lost
    labels = torch.zeros(6, 16, 16, dtype=torch.long)
    for tile, (left, right) in enumerate([(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (2, 0)]):
        labels[tile, :, :5], labels[tile, :, 5:] = left, right
    spectra = noise(3, BANDS)
    tiles = spectra[labels].permute(0, 3, 1, 2) + 0.3 * noise(6, BANDS, 16, 16, seed=2)
    assert fitted(made(name, channels=BANDS, dates=1), tiles, labels, steps=40) > 0.97


@pytest.mark.parametrize("name", [name for name, info in NETWORKS.items() if "change" in info.tasks])
def test_it_learns_where_two_dates_differ(name: str) -> None:
    labels = torch.zeros(4, 16, 16, dtype=torch.long)
    for tile, (y, x) in enumerate([(2, 3), (9, 1), (5, 10), (8, 7)]):
        labels[tile, y : y + 5, x : x + 5] = 1
    before = noise(4, BANDS, 4, 4).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    after = before + 2.0 * labels[:, None] * noise(4, BANDS, 1, 1, seed=2).sign()
    tiles = torch.cat([before, after], dim=1) + 0.1 * noise(4, 2 * BANDS, 16, 16, seed=3)
    assert fitted(made(name, outputs=2), tiles, labels, steps=50) > 0.97


@pytest.mark.parametrize("name", [name for name, info in NETWORKS.items() if "regression" in info.tasks])
def test_it_learns_amounts(name: str) -> None:
    tiles = noise(4, BANDS, 4, 4).repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    wanted = tiles[:, :1] - 0.5 * tiles[:, 1:2] + 0.2
    network = made(name, channels=BANDS, outputs=1, dates=1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for _ in range(50):
        optimizer.zero_grad()
        loss = F.mse_loss(network(tiles), wanted)
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.15 * float(wanted.var())


def equal_dates(seed: int) -> torch.Tensor:
    return noise(2, BANDS, 32, 32, seed=seed).repeat(1, 2, 1, 1)


@pytest.fixture
def without_the_deepest() -> nn.Module:
    """The Siamese network with nothing coming up from below its skip connections."""
    network = made("siamese")
    network.get_submodule("network.unet.down_4").register_forward_hook(lambda _, __, out: torch.zeros_like(out))
    return network


def test_skip_connections_show_nothing_but_the_difference(without_the_deepest: nn.Module) -> None:
    with torch.no_grad():
        one, other = (without_the_deepest(equal_dates(seed)) for seed in (1, 2))
        torch.testing.assert_close(one, other)
        changed = equal_dates(1)
        changed[:, :BANDS, 8:16, 8:16] += 1
        assert not torch.allclose(without_the_deepest(changed), one, atol=1e-3)
        swapped = changed.roll(BANDS, dims=1)
        torch.testing.assert_close(without_the_deepest(swapped), without_the_deepest(changed))


def test_the_direction_of_a_change_is_not_lost() -> None:
    network, tiles = made("siamese"), noise(2, 2 * BANDS, 32, 32)
    with torch.no_grad():
        assert not torch.allclose(network(tiles), network(tiles.roll(BANDS, dims=1)), atol=1e-3)


def test_the_siamese_network_compares_the_first_date_with_the_last() -> None:
    network, tiles = made("siamese", channels=3 * BANDS, dates=3), noise(2, 3 * BANDS, 16, 16)
    between, last = tiles.clone(), tiles.clone()
    between[:, BANDS : 2 * BANDS] += 1
    last[:, 2 * BANDS :] += 1
    with torch.no_grad():
        found = network(tiles)
        torch.testing.assert_close(network(between), found)
        assert not torch.allclose(network(last), found, atol=1e-3)


class Seen(nn.Module):
    """Gives back what it is given and remembers its shape."""

    def forward(self, tiles: torch.Tensor) -> torch.Tensor:
        self.shape = tuple(tiles.shape[-2:])
        return tiles


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 8, 32]))
def test_padding_is_cut_off_again(height: int, width: int, multiple: int) -> None:
    seen, tiles = Seen(), noise(1, 2, height, width)
    torch.testing.assert_close(Padded(seen, multiple=multiple)(tiles), tiles)
    assert all(side % multiple == 0 and 0 <= side - given < multiple
               for side, given in zip(seen.shape, (height, width), strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "unett"}, r"no network 'unett'; choose unet, swin, freenet, siamese, .*package\.module:function"),
        ({"name": "siamese", "dates": 1}, "siamese compares two dates, and the tiles have one"),
        ({"name": "unet", "dates": 5}, "12 channels are not of 5 dates"),
        ({"name": "unet", "channels": 0}, "channels is 0; expected at least 1"),
        ({"name": "unet", "outputs": 0}, "outputs is 0; expected at least 1"),
    ],
)
def test_what_cannot_be_built_is_refused(options: dict, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_network(**({"channels": 12, "outputs": 3, "dates": 2} | options))


def test_without_monai_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("unet", "siamese", "swin"):
        monkeypatch.delitem(sys.modules, f"specdm.evaluation.usefulness.networks.{module}", raising=False)
    for module in ("monai", "monai.networks.nets.basic_unet", "monai.networks.nets.swin_unetr"):
        monkeypatch.setitem(sys.modules, module, None)
    for name in ("unet", "siamese", "swin"):
        with pytest.raises(ConfigError, match=rf"{name} needs MONAI, which is not installed; run: .*specdm\[useful"):
            made(name)
    made("freenet")


def test_names_of_networks_are_known_without_loading_any() -> None:
    code = "import specdm.evaluation.usefulness.networks as n, sys; print(*{'torch', 'monai'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
