"""Guesses of masks changed by their composition and by what was read off an image."""

from __future__ import annotations

import pytest
import torch

from specdm.models.amount_codec import AmountCodec
from specdm.models.composition_tilt import tilted, towards_composition
from specdm.models.mask_codec import MaskCodec
from specdm.models.mask_guess import FARTHEST, changed_amounts, changed_guess, with_amounts, with_evidence

CLASSES, SIZE = 4, 8


def guess(seed: int = 0, n: int = 3) -> torch.Tensor:
    return torch.randn(n, CLASSES, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)).softmax(dim=1)


def shares(rows: list[list[float]]) -> torch.Tensor:
    return torch.tensor(rows)


def test_mean_probabilities_become_the_composition() -> None:
    wanted = shares([[0.7, 0.1, 0.1, 0.1], [0.05, 0.05, 0.05, 0.85], [0.25, 0.25, 0.5, 0.0]])
    found = tilted(guess(), wanted, counts=torch.ones(3, SIZE, SIZE), rounds=200)
    torch.testing.assert_close(found.mean(dim=(2, 3)), wanted, atol=5e-3, rtol=0)
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3, SIZE, SIZE))


def test_only_counted_pixels_make_up_the_composition() -> None:
    counts = torch.zeros(1, SIZE, SIZE)
    counts[:, :, :3] = 1
    wanted = shares([[0.1, 0.2, 0.3, 0.4]])
    found = tilted(guess(n=1), wanted, counts=counts, rounds=200)
    torch.testing.assert_close(found[..., :3].mean(dim=(2, 3)), wanted, atol=5e-3, rtol=0)


def test_likely_pixels_take_a_class_first() -> None:
    """More of a class appears where it was most likely, not anywhere."""
    before = guess(n=1)
    after = tilted(before, shares([[0.6, 0.2, 0.1, 0.1]]), counts=torch.ones(1, SIZE, SIZE))
    won = (after.argmax(dim=1) == 0) & (before.argmax(dim=1) != 0)
    lost = (after.argmax(dim=1) != 0) & (before.argmax(dim=1) != 0)
    odds = before[:, 0] / before[:, 1:].amax(dim=1)
    assert won.any() and odds[won].min() > odds[lost].mean()


def test_a_tile_without_composition_stays() -> None:
    composition = shares([[0.4, 0.3, 0.2, 0.1], [float("nan")] * CLASSES, [0.25] * CLASSES])
    counts = torch.ones(3, SIZE, SIZE)
    counts[2] = 0
    found = towards_composition(composition, counts=counts, strength=1.0)(guess())
    assert not torch.equal(found[0], guess()[0])
    assert torch.equal(found[1:], guess()[1:])


def test_strength_is_how_much_of_the_way() -> None:
    wanted, counts = shares([[0.7, 0.1, 0.1, 0.1]]), torch.ones(1, SIZE, SIZE)
    none, half, all_ = (towards_composition(wanted, counts=counts, strength=s)(guess(n=1)) for s in (0.0, 0.5, 1.0))
    assert torch.equal(none, guess(n=1))
    torch.testing.assert_close(half, (none + all_) / 2)


def test_evidence_is_heard_where_it_says_something() -> None:
    evidence = torch.full((3, CLASSES, SIZE, SIZE), 0.02)
    evidence[:, 2] = 0.94
    evidence[..., 4:] = float("nan")
    found = with_evidence(evidence)(guess())
    assert (found[..., :4].argmax(dim=1) == 2).float().mean() > 0.9
    assert torch.equal(found[..., 4:], guess()[..., 4:])
    torch.testing.assert_close(found.sum(dim=1), torch.ones(3, SIZE, SIZE))


@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_latents_move_as_far_as_the_probabilities(spread: float) -> None:
    torch.manual_seed(0)
    codec = MaskCodec(CLASSES, latent_channels=4, width=8, blocks=0).eval()
    positions = torch.randint(CLASSES, (2, SIZE, SIZE))
    latents = codec.encode(positions)
    with torch.no_grad():
        moved = changed_guess(codec, [lambda p: (1 - spread) * p + spread / CLASSES])(latents)
        unsure = codec.logits(moved).softmax(dim=1).amax(dim=1).mean()
        sure = codec.logits(latents).softmax(dim=1).amax(dim=1).mean()
    if spread:
        assert unsure < 0.5 and sure > 0.7
    else:
        torch.testing.assert_close(moved, latents)


def test_a_network_that_is_sure_does_not_outvote_what_was_read() -> None:
    sure = torch.full((1, CLASSES, SIZE, SIZE), 1e-4)
    sure[:, 0] = 1 - 3e-4
    evidence = torch.tensor([0.06, 0.9, 0.02, 0.02])[None, :, None, None].expand(1, -1, SIZE, SIZE)
    assert (with_evidence(evidence)(sure).argmax(dim=1) == 1).all()
    unsure = torch.tensor([0.45, 0.45, 0.05, 0.05])[None, :, None, None].expand(1, -1, SIZE, SIZE)
    assert (with_evidence(unsure)(sure).argmax(dim=1) == 0).all(), "where the reader is not, the network decides"


def test_where_evidence_is_heard_nothing_stays_of_latents_that_no_mask_has() -> None:
    torch.manual_seed(0)
    codec = MaskCodec(CLASSES, latent_channels=4, width=8, blocks=0).eval()
    evidence = torch.full((1, CLASSES, SIZE, SIZE), 0.02)
    evidence[:, 3] = 0.94
    evidence[..., SIZE // 2 :] = float("nan")
    heard = evidence.isfinite().all(dim=1, keepdim=True)
    moved = changed_guess(codec, [with_evidence(evidence)], heard=heard)
    with torch.no_grad():
        latents = codec.encode(torch.zeros(1, SIZE, SIZE, dtype=torch.int64))
        first, second = moved(latents), moved(moved(latents + 3.0))
    left = slice(0, latents.shape[-1] // 2)
    assert (codec.logits(second).argmax(dim=1)[..., : SIZE // 2] == 3).all()
    torch.testing.assert_close(first[..., left], second[..., left], atol=0.5, rtol=0)
    assert not torch.allclose(first[..., left.stop :], second[..., left.stop :], atol=1.0)


def test_amounts_are_pulled_to_what_was_read_and_never_out_of_range() -> None:
    torch.manual_seed(0)
    amounts = torch.rand(8, 2, SIZE, SIZE) * torch.tensor([10.0, 1.0])[:, None, None]
    codec = AmountCodec(2, latent_channels=8, width=8, blocks=0).eval()
    codec.fit_start(amounts)
    with torch.no_grad():
        codec.statistics.fit(codec.statistics_rows(*codec.prepare(amounts)))
        read, latents = amounts[:1].clone(), codec.encode(amounts[1:2])
        read[..., SIZE // 2 :] = float("nan")
        heard = read.isfinite().all(dim=1, keepdim=True)
        moved = changed_amounts(codec, [with_amounts(read)], heard=heard)(latents)
        found = codec.decode(moved)
        off = (found - amounts[:1]).abs()[..., : SIZE // 2] / torch.tensor([10.0, 1.0])[:, None, None]
        assert off.mean() < 0.06, "the network's guess counts a tenth"
        torch.testing.assert_close(moved[..., moved.shape[-1] // 2 :], latents[..., moved.shape[-1] // 2 :])
        far = changed_amounts(codec, [with_amounts(1e6 * amounts[:1])], heard=torch.ones_like(heard))
        assert far(latents).abs().max() <= FARTHEST


@pytest.mark.parametrize(("strength", "share"), [(1.0, 0.6), (0.5, 0.5)])
def test_abundances_are_pulled_to_their_composition(strength: float, share: float) -> None:
    torch.manual_seed(0)
    amounts = torch.rand(8, 3, SIZE, SIZE) * torch.tensor([2.0, 3.0, 1.0])[:, None, None]
    amounts = amounts / amounts.sum(dim=1, keepdim=True)
    codec = AmountCodec(3, sum_to_one=True, latent_channels=8, width=8, blocks=0).eval()
    codec.fit_start(amounts)
    with torch.no_grad():
        codec.statistics.fit(codec.statistics_rows(*codec.prepare(amounts)))
        latents = codec.encode(amounts[:2])
        before = codec.decode(latents).mean(dim=(2, 3))
        wanted = torch.tensor([[0.6, 0.3, 0.1], [float("nan")] * 3])
        counts = torch.ones(2, SIZE, SIZE)
        moved = changed_amounts(codec, [towards_composition(wanted, counts=counts, strength=strength)])(latents)
        found = codec.decode(moved).mean(dim=(2, 3))
    assert abs(float(before[0, 0]) - 0.4) < 0.1
    assert float(found[0, 0]) == pytest.approx(share, abs=0.04)
    torch.testing.assert_close(moved[1], latents[1])
