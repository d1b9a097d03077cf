"""What tiles start from: noise of their own, and compositions that are spread evenly over tiles in a row."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specdm.models.composition_prior import CompositionPrior
from specdm.synthesis.draws import TileDraws, even_places, tile_draws

PRIOR = CompositionPrior.fitted(torch.eye(4), shares=torch.ones(4) / 4)


def draws(*indices: int, seed: int = 0, composition: torch.Tensor | None = None) -> TileDraws:
    return tile_draws(indices, seed=seed, shape=(2, 3, 3), prior=PRIOR, composition=composition)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), first=st.integers(0, 10**7), n=st.integers(1, 9))
def test_a_tile_does_not_depend_on_its_company(seed: int, first: int, n: int) -> None:
    together = draws(*range(first, first + n), seed=seed)
    for i in range(n):
        alone = draws(first + i, seed=seed)
        assert torch.equal(alone.white[0], together.white[i])
        assert torch.equal(alone.compositions[0], together.compositions[i])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), first=st.integers(0, 10**7))
def test_places_of_tiles_in_a_row_are_even_wherever_they_begin(seed: int, first: int) -> None:
    places = even_places(range(first, first + 64), seed=seed)
    assert (places >= 0).all() and (places < 1).all()
    counts = torch.histc(places.float(), bins=8, min=0, max=1)
    assert (counts - 8).abs().max() <= 2, "independent draws would differ by 8 and more"


def test_few_tiles_have_what_many_have() -> None:
    found = draws(*range(40)).compositions.mean(dim=0)
    torch.testing.assert_close(found, torch.full((4,), 0.25), atol=0.03, rtol=0)


def test_seeds_begin_elsewhere_and_an_order_holds_for_all() -> None:
    assert len({float(even_places([0], seed=seed)) for seed in range(5)}) == 5
    ordered = torch.tensor([0.5, 0.5, 0.0, 0.0])
    assert (draws(3, 4, composition=ordered).compositions == ordered).all()
