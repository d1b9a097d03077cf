"""Neighbours that look alike are heard, others are not."""

from __future__ import annotations

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from specdm.models.neighbourhood import GUIDES, LIKE, with_neighbours

SIZE = 7


def drawn(seed: int, *, layers: int = 1, components: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    chances = torch.randn(2, layers, 4, SIZE, SIZE, generator=random).softmax(dim=2)
    return chances, torch.randn(2, components, SIZE, SIZE, generator=random)


@given(st.integers(0, 999), st.integers(1, 3), st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_is_the_weighted_mean_of_what_lies_around(seed: int, reach: int, y: int, x: int) -> None:
    chances, components = drawn(seed)
    components[0, :, 2, 3] = float("nan")
    found = with_neighbours(chances, components, reach=torch.tensor([reach]))
    assert torch.allclose(found.sum(dim=2), torch.ones(2, 1, SIZE, SIZE), atol=1e-5)
    total, weights = torch.zeros(4), 0.0
    here = torch.nan_to_num(components[0, :, y, x])
    for row in range(max(0, y - reach), min(SIZE, y + reach + 1)):
        for column in range(max(0, x - reach), min(SIZE, x + reach + 1)):
            there = components[0, :, row, column]
            if not there.isfinite().all():
                continue
            weight = math.exp(-float((there - here).square().mean()) / (2 * LIKE**2))
            total, weights = total + weight * chances[0, 0, :, row, column], weights + weight
    assert torch.allclose(found[0, 0, :, y, x], total / weights, atol=1e-5)


def test_speckle_goes_and_edges_stay() -> None:
    """Two fields that look unlike, with a reading that is right but for some pixels."""
    field = torch.zeros(12, 12, dtype=torch.int64)
    field[:, 6:] = 1
    read = field.clone()
    read[2::4, 1::4] = 1 - read[2::4, 1::4]
    chances = torch.nn.functional.one_hot(read, 2).movedim(-1, 0)[None, None].float() * 0.6 + 0.2
    looks = (4.0 * field)[None, None].float()
    assert (read != field).any()
    assert torch.equal(with_neighbours(chances, looks, reach=torch.tensor([2]))[0, 0].argmax(dim=0), field)
    blind = with_neighbours(chances, 0 * looks, reach=torch.tensor([2]))[0, 0]
    alike = with_neighbours(chances, looks, reach=torch.tensor([2]))[0, 0]
    assert alike[0, 6, 5] > blind[0, 6, 5] + 0.05, "across an edge nobody is heard"


def test_each_layer_has_its_own_reach() -> None:
    chances, components = drawn(0, layers=3)
    found = with_neighbours(chances, components, reach=torch.tensor([0, 2, 1]))
    assert torch.equal(found[:, 0], chances[:, 0])
    for layer, reach in ((1, 2), (2, 1)):
        alone = with_neighbours(chances[:, layer : layer + 1], components, reach=torch.tensor([reach]))
        assert torch.allclose(found[:, layer], alone[:, 0])


def test_the_first_components_of_every_date_guide() -> None:
    chances, components = drawn(0, components=2 * (GUIDES + 2))
    reach = torch.tensor([1])
    before = with_neighbours(chances, components, reach=reach, dates=2)
    for guides, changed in ((range(GUIDES, GUIDES + 2), False), (range(GUIDES + 2, 2 * GUIDES + 2), True)):
        other = components.clone()
        other[:, list(guides)] *= -3.0
        other[:, list(guides), 3] += 5.0
        assert torch.equal(with_neighbours(chances, other, reach=reach, dates=2), before) != changed


def test_where_nothing_has_data_readings_stay() -> None:
    chances, components = drawn(0)
    assert torch.equal(with_neighbours(chances, components * float("nan"), reach=torch.tensor([2])), chances)
