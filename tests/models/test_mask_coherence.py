"""Neighbours decide on doubtful pixels; shares of classes and gaps stay."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.models.mask_coherence import STRENGTHS, border_share, coherent

SIZE, CLASSES, MOST = 16, 4, STRENGTHS[-1]


def guess_of(classes: torch.Tensor, *, sure: float) -> torch.Tensor:
    """Probabilities that give each pixel's class so much, and the others the rest."""
    coded = torch.nn.functional.one_hot(classes, CLASSES).movedim(-1, 1).float()
    return coded * sure + (1 - coded) * (1 - sure) / (CLASSES - 1)


@pytest.fixture
def dotted() -> tuple[torch.Tensor, torch.Tensor]:
    """Two fields, and a guess in which every seventh pixel is of another class."""
    fields = torch.zeros(1, SIZE, SIZE, dtype=torch.int64)
    fields[:, :, SIZE // 2 :] = 1
    seen = fields.clone()
    seen.view(-1)[::7] = 1 - seen.view(-1)[::7]
    return fields, guess_of(seen, sure=0.6)


def everywhere(n: int = 1) -> torch.Tensor:
    return torch.ones(n, SIZE, SIZE)


def test_dots_take_the_class_of_their_field(dotted) -> None:
    fields, guess = dotted
    assert not torch.equal(guess.argmax(dim=1), fields)
    found = coherent(guess, everywhere(), strength=MOST, factor=2)
    assert torch.equal(found.argmax(dim=1), fields)
    assert torch.equal(coherent(guess, everywhere(), strength=0.0, factor=2), guess)


def test_the_stronger_the_fewer_borders(dotted) -> None:
    _, guess = dotted
    shares = [
        border_share(coherent(guess, everywhere(), strength=strength, factor=2).argmax(dim=1)) for strength in STRENGTHS
    ]
    assert all(later <= before for before, later in pairwise(shares)) and shares[-1] < shares[0]


def test_a_rare_class_keeps_its_share() -> None:
    """A small field of which the guess is less sure than of what is around: neighbours alone would outvote it."""
    classes = torch.zeros(1, SIZE, SIZE, dtype=torch.int64)
    classes[:, 2:6, 2:6] = 2
    guess = guess_of(classes, sure=0.94)
    guess[:, :, 2:6, 2:6] = torch.tensor([0.5, 0.02, 0.46, 0.02])[None, :, None, None]
    composition = torch.tensor([[1 - 16 / SIZE**2, 0.0, 16 / SIZE**2, 0.0]])
    found = coherent(guess, everywhere(), strength=5.0, factor=2, composition=composition)
    share = found.mean(dim=(2, 3))
    assert torch.allclose(share, composition, atol=0.02)
    assert (found.argmax(dim=1) == 2).float().mean() == pytest.approx(16 / SIZE**2, abs=0.02)
    unordered = coherent(guess, everywhere(), strength=5.0, factor=2, composition=torch.full((1, CLASSES), torch.nan))
    assert torch.allclose(unordered, coherent(guess, everywhere(), strength=5.0, factor=2))


def test_nothing_is_passed_across_ground_without_labels() -> None:
    """What is certain left of a gap changes places; what is doubtful right of it does not hear of it."""
    classes = torch.zeros(1, SIZE, SIZE, dtype=torch.int64)
    classes[:, : SIZE // 2, :6], classes[:, SIZE // 2 :, :6] = 1, 2
    guesses = [guess_of(one, sure=0.99) for one in (classes, classes.flip(1))]
    for guess in guesses:
        guess[:, :, :, 6:] = torch.tensor([0.2, 0.4, 0.4, 0.0])[None, :, None, None]
    said = everywhere()
    said[:, :, 6:10] = 0
    shares = torch.tensor([[0.1, 0.45, 0.45, 0.0]])
    first, second = (coherent(guess, said, strength=MOST, factor=2, composition=shares) for guess in guesses)
    assert torch.allclose(first[..., 10:], second[..., 10:], atol=1e-3)
    assert torch.equal(first[..., 6:10], guesses[0][..., 6:10]), "where nothing is said nothing changes"
    first, second = (coherent(guess, everywhere(), strength=MOST, factor=2, composition=shares) for guess in guesses)
    assert not torch.allclose(first[..., 10:], second[..., 10:], atol=0.5), "without the gap it would"


@given(st.integers(0, 999), st.sampled_from(STRENGTHS[1:]), st.sampled_from([1, 2, 4]))
def test_tiles_do_not_hear_of_each_other(seed: int, strength: float, factor: int) -> None:
    random = torch.Generator().manual_seed(seed)
    guess = torch.randn(3, CLASSES, SIZE, SIZE, generator=random).softmax(dim=1)
    said = (torch.rand(3, SIZE, SIZE, generator=random) > 0.4).float()
    said[2] = 0
    rows = torch.rand(3, CLASSES, generator=random)
    rows = rows / rows.sum(dim=1, keepdim=True)
    found = coherent(guess, said, strength=strength, factor=factor, composition=rows)
    assert torch.allclose(found.sum(dim=1), torch.ones(3, SIZE, SIZE), atol=1e-4) and found.isfinite().all()
    assert torch.equal(found[2], guess[2])
    for i in range(3):
        one = slice(i, i + 1)
        alone = coherent(guess[one], said[one], strength=strength, factor=factor, composition=rows[one])
        assert torch.allclose(found[one], alone, atol=1e-4)


def test_borders_are_counted_among_labelled_neighbours() -> None:
    positions = torch.tensor([[[0, 0, 1], [-1, 0, 1], [-1, -1, -1]]])
    # across: 0-0, 0-1, 0-1; down: 0-0, 1-1
    assert border_share(positions) == pytest.approx(2 / 5)
    assert border_share(torch.full((1, 3, 3), -1)) is None
