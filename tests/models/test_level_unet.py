"""Masks by themselves have a network of their own, which guesses their latents."""

from __future__ import annotations

import pytest
import torch

from specdm.models.denoiser import JointDenoiser
from specdm.models.level_unet import LEAST_LEVEL, MaskNetwork
from specdm.models.part_files import load_part_files, save_part_files

CHANNELS, MASKS, CLASSES = (4, 3, 2), (1, 2), 3
"""An image, a mask, and where it is labelled."""


def new(**options: object) -> JointDenoiser:
    torch.manual_seed(0)
    own = {"mask_streams": MASKS, "mask_widths": (16, 16), "mask_patch": 2} | options
    return JointDenoiser(CHANNELS, CLASSES, widths=(16, 16), layers=1, head_channels=16, **own).eval()


@pytest.fixture(scope="module")
def denoiser() -> JointDenoiser:
    return new()


@pytest.fixture(scope="module")
def noisy() -> torch.Tensor:
    return torch.randn(4, sum(CHANNELS), 8, 8, generator=torch.Generator().manual_seed(1))


def levels_of(*images: float, masks: float = 0.5) -> torch.Tensor:
    levels = torch.full((len(images), len(CHANNELS), 8, 8), masks)
    levels[:, 0] = torch.tensor(images)[:, None, None]
    return levels


def gradients(denoiser: JointDenoiser, noisy: torch.Tensor, levels: torch.Tensor) -> dict[str, bool]:
    denoiser.zero_grad()
    denoiser(noisy, levels).square().sum().backward()
    given = {name: part.grad is not None for name, part in denoiser.named_parameters()}
    masks = {there for name, there in given.items() if "masks_alone" in name}
    joint = {there for name, there in given.items() if "masks_alone" not in name}
    assert len(masks) == len(joint) == 1, "a network was asked in part"
    return {"masks": masks.pop(), "joint": joint.pop()}


@pytest.mark.parametrize(
    ("images", "asked"),
    [
        ([1.0, 1.0], {"masks": True, "joint": False}),
        ([1.0, 0.0], {"masks": True, "joint": False}),
        ([0.999, 0.2], {"masks": False, "joint": True}),
        ([1.0, 0.5], {"masks": True, "joint": True}),
    ],
)
def test_who_is_asked(noisy, images: list[float], asked: dict[str, bool]) -> None:
    assert gradients(new(), noisy[: len(images)], levels_of(*images)) == asked


def test_an_image_known_in_part_tells_nothing_until_more_of_it_is_drawn(noisy) -> None:
    levels = levels_of(1.0)
    levels[0, 0, 0, 0] = 0.0
    assert gradients(new(), noisy[:1], levels) == {"masks": True, "joint": False}
    levels[0, 0, 1:] = 0.999
    assert gradients(new(), noisy[:1], levels) == {"masks": False, "joint": True}


def test_one_date_of_two_is_asked_with_its_masks() -> None:
    torch.manual_seed(0)
    net = JointDenoiser(
        (3, 3, 2), widths=(16, 16), layers=1, head_channels=16, mask_streams=(2,), mask_widths=(16, 16)
    ).eval()
    levels = torch.full((1, 3, 8, 8), 0.5)
    for dates, asked in (((0.0, 1.0), "joint"), ((0.0, 0.0), "masks"), ((1.0, 1.0), "masks"), ((0.0, 0.9), "joint")):
        levels[0, :2] = torch.tensor(dates)[:, None, None]
        found = gradients(net, torch.randn(1, 8, 8, 8), levels)
        assert found == {"masks": asked == "masks", "joint": asked == "joint"}, dates


@torch.no_grad()
def test_tiles_do_not_depend_on_their_company(denoiser, noisy) -> None:
    levels, composition = levels_of(0.5, 1.0, 0.999, 1.0), torch.rand(4, CLASSES)
    together = denoiser(noisy, levels, composition)
    for i in range(4):
        alone = denoiser(noisy[i : i + 1], levels[i : i + 1], composition[i : i + 1])
        torch.testing.assert_close(together[i], alone[0])


@torch.no_grad()
def test_masks_by_themselves_leave_images_as_they_are(denoiser, noisy) -> None:
    found = denoiser(noisy, levels_of(1.0, 1.0, 1.0, 1.0))
    assert (found[:, :4] == 0).all() and (found[:, 4:] != 0).any()
    other = noisy.clone()
    other[:, :4] += 100.0
    torch.testing.assert_close(found, denoiser(other, levels_of(1.0, 1.0, 1.0, 1.0)), rtol=0, atol=0)


@torch.no_grad()
def test_composition_counts_for_masks_by_themselves(denoiser, noisy) -> None:
    levels = levels_of(1.0, 1.0, 1.0, 1.0)
    one, other = (torch.eye(CLASSES)[i].expand(4, -1) for i in range(2))
    assert (denoiser(noisy, levels, one) - denoiser(noisy, levels, other)).abs().max() > 1e-4


@torch.no_grad()
@pytest.mark.parametrize("patch", [1, 2])
def test_a_guess_of_the_latents_is_where_the_velocity_leads(patch: int) -> None:
    torch.manual_seed(0)
    net = MaskNetwork(
        (3, 2), conditions=0, widths=(16, 16), layers=1, head_channels=16, patch=patch
    ).eval()
    noisy, levels = torch.randn(2, 5, 8, 8), torch.full((2, 2, 8, 8), 0.6)
    torch.testing.assert_close(
        noisy - 0.6 * net.velocity(noisy, levels, None), net.found(noisy, levels, None), atol=1e-5, rtol=1e-5
    )
    levels[:] = 1e-6
    steep = (noisy - net.found(noisy, levels, None)) / LEAST_LEVEL
    torch.testing.assert_close(net.velocity(noisy, levels, None), steep)


@torch.no_grad()
def test_both_networks_are_saved(denoiser, noisy, tmp_path) -> None:
    save_part_files(denoiser, tmp_path / "denoiser")
    again = load_part_files(tmp_path / "denoiser")
    levels = levels_of(1.0, 0.5, 1.0, 0.5)
    torch.testing.assert_close(again(noisy, levels), denoiser(noisy, levels), rtol=0, atol=0)


@torch.no_grad()
def test_a_model_of_one_network_for_all(noisy) -> None:
    """As they were all saved before."""
    plain = new(mask_streams=(), mask_widths=(), mask_patch=1)
    assert plain.masks_alone is None
    found = plain(noisy, levels_of(1.0, 1.0, 0.5, 0.5))
    assert (found[:, :4] != 0).any()
