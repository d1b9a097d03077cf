"""The network that reads masks off images."""

from __future__ import annotations

import torch

from specdm.models.mask_reader import MaskReader


def reader(**options: object) -> MaskReader:
    torch.manual_seed(0)
    return MaskReader(**({"components": 5, "layers": 2, "classes": 3, "width": 16} | options)).eval()


def scene(height: int, width: int, channels: int = 5) -> torch.Tensor:
    return torch.randn(1, channels, height, width, generator=torch.Generator().manual_seed(1))


def test_a_window_reads_as_the_scene_does() -> None:
    net, whole = reader(), scene(40, 36)
    with torch.no_grad():
        everywhere = net(whole).logits
        window = net(whole[:, :, 4:34, 2:32]).logits
    inner = slice(net.reach, 30 - net.reach)
    torch.testing.assert_close(
        window[..., inner, inner], everywhere[..., 4:34, 2:32][..., inner, inner], atol=1e-5, rtol=1e-4
    )


def test_it_looks_no_further_than_its_reach() -> None:
    net, whole = reader(), scene(31, 31)
    other = whole.clone()
    other[:, :, 15, 15 + net.reach + 1] += 10
    with torch.no_grad():
        at = [net(x).logits[..., 15, 15] for x in (whole, other)]
        other[:, :, 15, 15 + net.reach] += 10
        at.append(net(other).logits[..., 15, 15])
    torch.testing.assert_close(at[0], at[1])
    assert not torch.allclose(at[0], at[2])


def test_pixels_without_data_do_not_spoil_others() -> None:
    net, holed = reader(), scene(20, 20)
    holed[:, :, 3, 3] = float("nan")
    with torch.no_grad():
        assert net(holed).logits.isfinite().all()


def test_only_what_is_labelled_counts() -> None:
    net, components = reader(quantities=1), scene(8, 8)
    positions = torch.full((1, 2, 8, 8), -1)
    amounts = torch.full((1, 1, 8, 8), float("nan"))
    assert float(net.loss(components, positions, amounts).detach()) == 0.0
    positions[0, 0, 2, 2] = 1
    one = net.loss(components, positions, amounts)
    with torch.no_grad():
        wanted = -net(components).logits.log_softmax(dim=2)[0, 0, 1, 2, 2]
    torch.testing.assert_close(one.detach(), wanted)
    amounts[0, 0, 5, 5] = 3.0
    both = net.loss(components, positions, amounts)
    assert float(both.detach()) > float(one.detach())
    both.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


def test_abundances_sum_to_one_and_values_keep_their_unit() -> None:
    closed = reader(layers=0, classes=0, quantities=4, closed=True)
    with torch.no_grad():
        shares = closed.amounts_of(closed(scene(6, 6)))
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(1, 6, 6))
    free = reader(layers=0, classes=0, quantities=1)
    heights = torch.full((2, 1, 6, 6), 200.0) + 50 * torch.randn(2, 1, 6, 6)
    free.fit_amounts(heights)
    with torch.no_grad():
        read = free.amounts_of(free(scene(6, 6)))
    assert 0 < float(read.mean()) < 400
