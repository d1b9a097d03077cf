"""What is done to batches: image, mask and weights stay together, whatever is turned, mixed or pasted."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from specdm.evaluation.usefulness import augmentation
from specdm.evaluation.usefulness.augmentation import MIXUP_ALPHA, Batch, augmented
from specdm.evaluation.usefulness.parts import Part

N, SIZE, CLASSES = 6, 4, 5
JITTERS = ("GAIN", "OFFSET", "BAND_OFFSET", "NOISE")
KINDS = ("usual", "mixup", "copy_paste")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No jitter."""
    for name in JITTERS:
        monkeypatch.setattr(augmentation, name, 0.0)


@pytest.fixture
def part() -> Part:
    """Tiles whose pixels tell where they are from: channel 0 the tile, channel 1 the pixel, and so do the weights."""
    tile = torch.arange(N).view(N, 1, 1, 1).expand(N, 1, SIZE, SIZE).float()
    pixel = torch.arange(SIZE**2).view(1, 1, SIZE, SIZE).expand(N, 1, SIZE, SIZE).float()
    labels = torch.randint(-1, CLASSES, (N, 1, SIZE, SIZE), generator=generator(7))
    return Part(torch.cat([tile, pixel], dim=1), labels, (16 * tile + pixel) / 100)


def labels_belong(shown: Part, original: Part) -> None:
    """Every pixel has the label and weight of the tile and pixel that its channels name."""
    tile, pixel = shown.images[:, 0].long(), shown.images[:, 1].long()
    targets, weights = (
        values.flatten(2)[tile, :, pixel].movedim(-1, 1) for values in (original.targets, original.weights)
    )
    assert torch.equal(shown.targets, targets) or (shown.targets.isnan() == targets.isnan()).all()
    torch.testing.assert_close(shown.targets, targets, equal_nan=True)
    torch.testing.assert_close(shown.weights, weights)


def only_answer(batch: Batch) -> Part:
    """The one answer of a batch, with the images that are shown."""
    ((share, answer),) = batch.answers
    assert share == 1
    return Part(batch.images, answer.targets, answer.weights)


def test_image_and_mask_turn_together(still, part):
    ways = set()
    for seed in range(60):
        shown = only_answer(augmented(part, kind="usual", generator=generator(seed)))
        assert torch.equal(shown.images[:, 0], part.images[:, 0])
        labels_belong(shown, part)
        ways.add(tuple(shown.images[0, 1].flatten().tolist()))
    assert len(ways) == 8


@pytest.mark.parametrize("kind", KINDS)
def test_the_generator_decides(part, kind):
    torch.manual_seed(3)
    first = augmented(part, kind=kind, generator=generator(1))
    torch.manual_seed(4)
    again, other = (augmented(part, kind=kind, generator=generator(seed)) for seed in (1, 2))
    assert torch.equal(first.images, again.images)
    for (share, one), (same, two) in zip(first.answers, again.answers, strict=True):
        assert share == same and torch.equal(one.targets, two.targets) and torch.equal(one.weights, two.weights)
    assert not torch.equal(first.images, other.images)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_given_stays(part, kind):
    before = part.apply(torch.clone)
    augmented(part, kind=kind, generator=generator())
    assert torch.equal(part.images, before.images) and torch.equal(part.targets, before.targets)


def jittered(monkeypatch: pytest.MonkeyPatch, images: torch.Tensor, name: str, spread: float) -> torch.Tensor:
    """Images with a single jitter; all pixels alike, so that turning shows nothing."""
    for other in JITTERS:
        monkeypatch.setattr(augmentation, other, spread if other == name else 0.0)
    nothing = torch.zeros(len(images), 1, *images.shape[-2:])
    shown = augmented(Part(images, nothing.long(), nothing), kind="usual", generator=generator())
    assert (only_answer(shown).targets == 0).all()
    return shown.images


@pytest.mark.parametrize(
    ("name", "alone"), [("GAIN", (0,)), ("OFFSET", (0,)), ("BAND_OFFSET", (0, 1)), ("NOISE", None)]
)
def test_jitter(monkeypatch, name, alone):
    images = torch.full((4000, 3, 2, 2), 2.0)
    change = jittered(monkeypatch, images, name, 0.3) - images
    if name == "GAIN":
        change = change / 2
    # the same number for all that is not told apart: a tile, a tile's band, a pixel
    axes = () if alone is None else tuple(axis for axis in range(4) if axis not in alone)
    if axes:
        torch.testing.assert_close(change, change.mean(dim=axes, keepdim=True).expand_as(change), atol=1e-6, rtol=0)
        change = change.mean(dim=axes)
    assert change.mean() == pytest.approx(0, abs=0.02) and change.std() == pytest.approx(0.3, rel=0.04)
    assert change.flatten().unique().numel() > 0.9 * change.numel()


def test_gain_is_of_what_is_there(monkeypatch):
    assert (jittered(monkeypatch, torch.zeros(5, 3, 4, 4), "GAIN", 0.3) == 0).all()


def test_all_arms_are_jittered():
    assert all(getattr(augmentation, name) > 0 for name in JITTERS)


def test_mixup_asks_for_both_by_their_share(still, part):
    for seed in range(20):
        batch = augmented(part, kind="mixup", generator=generator(seed))
        (first, one), (second, other) = batch.answers
        assert first + second == pytest.approx(1) and 0 <= first <= 1
        torch.testing.assert_close(batch.images, first * one.images + second * other.images)
        for answer in (one, other):
            labels_belong(answer, part)
        # every tile is mixed into one other
        assert torch.equal(one.images[:, 0, 0, 0], torch.arange(N).float())
        assert torch.equal(other.images[:, 0, 0, 0].sort().values, torch.arange(N).float())
    assert not torch.equal(one.images, other.images)


def test_mixup_mixes_what_is_jittered(part, monkeypatch):
    monkeypatch.setattr(augmentation, "_beta", lambda alpha, generator: 1.0)
    shown = augmented(part, kind="mixup", generator=generator(5))
    torch.testing.assert_close(shown.images, augmented(part, kind="usual", generator=generator(5)).images)


def test_shares_of_mixup_follow_beta():
    draws = generator(0)
    shares = [augmentation._beta(MIXUP_ALPHA, draws) for _ in range(2000)]
    assert stats.kstest(shares, stats.beta(MIXUP_ALPHA, MIXUP_ALPHA).cdf).pvalue > 0.05


def test_pasted_pixels_bring_their_labels(still, part):
    pasted_anything, classes_pasted, classes_there = False, 0, 0
    for seed in range(30):
        shown = only_answer(augmented(part, kind="copy_paste", generator=generator(seed)))
        labels_belong(shown, part)
        # a pixel is pasted where it was, turned as its tile is
        assert torch.equal(shown.images[:, 1], shown.images[:1, 1].expand(N, -1, -1))
        pasted = shown.images[:, 0] != torch.arange(N).view(N, 1, 1)
        assert (shown.targets[:, 0][pasted] >= 0).all(), "unlabelled ground is never pasted"
        pasted_anything = pasted_anything or bool(pasted.any())
        pixels = shown.images[0, 1].long()
        for row in range(N):
            sources = shown.images[row, 0][pasted[row]].unique()
            assert len(sources) <= 1
            for source in sources.long():
                whole = part.targets[source, 0].flatten()[pixels]
                for label in whole[whole >= 0].unique():
                    # all of a class, or nothing of it
                    assert pasted[row][whole == label].unique().numel() == 1
                    classes_pasted += int(pasted[row][whole == label][0])
                    classes_there += 1
    assert pasted_anything
    assert 0.4 < classes_pasted / classes_there < 0.7


def test_nothing_is_pasted_of_tiles_without_labels(still, part):
    blank = Part(part.images, torch.full_like(part.targets, -1), part.weights)
    shown = only_answer(augmented(blank, kind="copy_paste", generator=generator()))
    assert torch.equal(shown.images[:, 0], part.images[:, 0])


def test_all_layers_are_pasted_together(still, part):
    two = Part(part.images, torch.cat([part.targets, (part.targets + 1) % CLASSES], dim=1), part.weights)
    for seed in range(5):
        labels_belong(only_answer(augmented(two, kind="copy_paste", generator=generator(seed))), two)


def test_amounts_are_pasted_in_a_window(still, part):
    amounts = part.images.sum(dim=1, keepdim=True)
    amounts[0, 0, 1, 1] = np.nan
    of_amounts = Part(part.images, amounts, part.weights)
    found = set()
    for seed in range(30):
        shown = only_answer(augmented(of_amounts, kind="copy_paste", generator=generator(seed)))
        labels_belong(shown, of_amounts)
        pasted = (shown.images[:, 0] != torch.arange(N).view(N, 1, 1)).any(dim=0)
        rows, columns = pasted.any(dim=1).nonzero().flatten(), pasted.any(dim=0).nonzero().flatten()
        assert pasted.sum() in (0, (SIZE // 2) ** 2) and len(rows) in (0, SIZE // 2) and len(columns) in (0, SIZE // 2)
        found.update(rows.tolist())
    assert found == set(range(SIZE))
