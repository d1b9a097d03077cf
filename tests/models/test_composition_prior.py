"""Compositions to draw from, weighted so that their mean is the classes' true shares."""

from __future__ import annotations

import pytest
import torch

from specdm.models.composition_prior import CompositionPrior, balancing_weights

NAN = float("nan")


def rows(n: int = 300) -> torch.Tensor:
    """Mixtures of three classes that favour the first."""
    drawn = torch.rand(n, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([4.0, 2.0, 1.0])
    return drawn / drawn.sum(dim=1, keepdim=True)


@pytest.mark.parametrize("shares", [(0.34, 0.33, 0.33), (0.2, 0.3, 0.5)])
def test_weights_bring_the_mean_to_the_shares(shares: tuple[float, ...]) -> None:
    compositions, wanted = rows(), torch.tensor(shares)
    weights = balancing_weights(compositions, shares=wanted)
    assert (compositions.mean(dim=0) - wanted).abs().max() > 0.1, "nothing to balance"
    mean = (weights[:, None] * compositions).sum(dim=0) / weights.sum()
    torch.testing.assert_close(mean, wanted, atol=0.01, rtol=0)
    assert float(weights.mean()) == pytest.approx(1.0, abs=0.01) and (weights > 0).all()


def test_rows_that_are_right_keep_their_weight() -> None:
    compositions = rows()
    weights = balancing_weights(compositions, shares=compositions.mean(dim=0))
    torch.testing.assert_close(weights, torch.ones(300), atol=1e-3, rtol=0)


def test_rows_with_nan_keep_weight_1() -> None:
    compositions = rows()
    compositions[::2] = NAN
    weights = balancing_weights(compositions, shares=torch.tensor([0.2, 0.3, 0.5]))
    assert (weights[::2] == 1).all() and (weights[1::2] != 1).any()
    assert (balancing_weights(torch.full((4, 3), NAN), shares=torch.ones(3) / 3) == 1).all()


def test_a_class_that_no_tile_has_does_no_harm() -> None:
    compositions = torch.cat([rows()[:, :2] / rows()[:, :2].sum(dim=1, keepdim=True), torch.zeros(300, 1)], dim=1)
    weights = balancing_weights(compositions, shares=torch.tensor([0.5, 0.4, 0.1]))
    assert weights.isfinite().all()


def test_draws_follow_the_weights() -> None:
    prior = CompositionPrior.fitted(rows(), shares=torch.tensor([0.2, 0.3, 0.5]))
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([prior.draw(generator) for _ in range(1000)])
    assert (drawn[:, None] == rows()[None, :20]).all(dim=2).any(), "draws are stored rows"
    torch.testing.assert_close(drawn.mean(dim=0), torch.tensor([0.2, 0.3, 0.5]), atol=0.03, rtol=0)


def test_rows_not_known_are_left_out_and_the_rest_thinned() -> None:
    compositions = rows()
    compositions[:100] = NAN
    prior = CompositionPrior.fitted(compositions, shares=torch.ones(3) / 3, most=50)
    assert prior.fractions.isfinite().all()
    assert 25 < len(prior.fractions) <= 50


def test_nothing_known_draws_not_given() -> None:
    prior = CompositionPrior.fitted(torch.full((4, 3), NAN), shares=torch.ones(3) / 3)
    assert prior.draw(torch.Generator()).isnan().all()


def test_few_even_places_have_the_shares_that_many_draws_have() -> None:
    shares = torch.tensor([0.2, 0.3, 0.5])
    prior = CompositionPrior.fitted(rows(), shares=shares)
    found = prior.at((torch.arange(64) + 0.5) / 64)
    torch.testing.assert_close(found.mean(dim=0), shares, atol=0.015, rtol=0)
    most = found.argmax(dim=1)
    assert (most.sort().values == most).all(), "like compositions lie beside each other"


def test_places_follow_the_weights() -> None:
    prior = CompositionPrior.fitted(torch.eye(3), shares=torch.ones(3) / 3)
    prior.weights.copy_(torch.tensor([1.0, 0.0, 3.0]))
    found = prior.at(torch.tensor([0.0, 0.24, 0.26, 0.999999]))
    assert found.argmax(dim=1).tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("classes", [1, 3])
def test_places_where_nothing_is_known_or_there_is_one_class(classes: int) -> None:
    nothing = CompositionPrior.fitted(torch.full((4, classes), NAN), shares=torch.ones(classes) / classes)
    assert nothing.at(torch.rand(5)).isnan().all() and nothing.at(torch.rand(5)).shape == (5, classes)
    one = CompositionPrior.fitted(torch.eye(classes)[:1], shares=torch.ones(classes) / classes)
    assert (one.at(torch.rand(5)) == torch.eye(classes)[0]).all()


def test_free_quantities_have_no_composition() -> None:
    prior = CompositionPrior.fitted(torch.zeros(4, 0), shares=torch.zeros(0))
    assert prior.at(torch.rand(5)).shape == (5, 0)
