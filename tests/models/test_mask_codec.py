"""The mask codec: coding, what unlabelled pixels do, and that it can learn."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from specdm.models.mask_codec import MaskCodec

CLASSES = 5


def codec(**options) -> MaskCodec:
    torch.manual_seed(0)
    return MaskCodec(CLASSES, **({"latent_channels": 6, "width": 16} | options))


def some_masks(seed: int = 0) -> torch.Tensor:
    """`(8, 8, 8)` positions -1..4."""
    return torch.randint(-1, CLASSES, (8, 8, 8), generator=torch.Generator().manual_seed(seed))


@settings(max_examples=50, deadline=None)
@given(arrays("int64", (2, 4, 6), elements=st.integers(-1, CLASSES - 1)))
def test_one_hot_codes_and_nothing_is_lost(mask) -> None:
    positions = torch.from_numpy(mask)
    coded = codec().one_hot(positions)
    assert coded.shape == (2, CLASSES, 4, 6)
    assert torch.equal(coded.sum(dim=1), (positions >= 0).float())
    back = torch.where(coded.sum(dim=1) > 0, coded.argmax(dim=1), -1)
    assert torch.equal(back, positions)


def test_known_cells_cover_a_labelled_pixel() -> None:
    positions = torch.full((1, 4, 4), -1)
    positions[0, 1, 2] = 3
    assert codec(factor=2).known_cells(positions)[0, 0].tolist() == [[0, 1], [0, 0]]
    assert codec(factor=4).known_cells(positions).tolist() == [[[[1]]]]


def test_unlabelled_pixels_have_no_loss() -> None:
    """The gradient with respect to the logits of an unlabelled pixel is zero, and only there."""
    net, masks = codec(), some_masks()
    kept = []
    net.decoder.register_forward_hook(lambda module, inputs, output: (output.retain_grad(), kept.append(output))[0])
    net.loss(masks, kl_weight=0.0, generator=torch.Generator().manual_seed(0)).backward()
    touched = kept[0].grad.abs().sum(dim=1) > 0
    assert torch.equal(touched, masks >= 0)


def test_loss_of_an_unlabelled_mask_is_nothing() -> None:
    loss = codec().loss(torch.full((2, 4, 4), -1), kl_weight=0.0, generator=None)
    assert float(loss.detach()) == 0


def test_the_mean_loss_does_not_hang_on_how_much_is_labelled() -> None:
    net = codec()
    net.encoder.log_variance.bias.data.fill_(-20.0)
    for parameter in net.decoder.parameters():
        parameter.data.zero_()
    for masks in (torch.zeros(1, 4, 4).long(), torch.full((1, 4, 4), -1).index_fill(1, torch.tensor([0]), 2)):
        assert float(net.loss(masks, kl_weight=0.0, generator=None)) == pytest.approx(
            float(torch.log(torch.tensor(CLASSES))), rel=1e-5
        )


def test_it_learns_masks() -> None:
    net = codec(latent_channels=8)
    random = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for step in range(120):
        coarse = torch.randint(0, CLASSES, (16, 4, 4), generator=torch.Generator().manual_seed(step))
        masks = coarse.repeat_interleave(2, 1).repeat_interleave(2, 2)
        optimizer.zero_grad()
        net.loss(masks, kl_weight=1e-4, generator=random).backward()
        optimizer.step()
    net.statistics.fit(net.raw_latents(masks).detach().movedim(1, -1).flatten(0, -2))
    held = torch.randint(0, CLASSES, (16, 4, 4), generator=torch.Generator().manual_seed(9999))
    held = held.repeat_interleave(2, 1).repeat_interleave(2, 2)
    latents = net.encode(held)
    assert (net.decode(latents) == held).float().mean() > 0.99
    assert float(latents.detach().std()) == pytest.approx(1.0, abs=0.2)
