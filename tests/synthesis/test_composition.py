"""An ordered composition becomes fractions that sum to one."""

from __future__ import annotations

import pytest
import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.synthesis.composition import composition_row

CLASSES = ["grass", "bare soil", "water"]


def prior(rows: list[list[float]] | None = None) -> CompositionPrior:
    fractions = torch.tensor([[0.1, 0.3, 0.6]] if rows is None else rows).reshape(-1, 3)
    made = CompositionPrior(rows=len(fractions), classes=3)
    made.fractions.copy_(fractions)
    return made


def row(order: dict[str, float], **options) -> list[float]:
    return composition_row(order, groups=[CLASSES], prior=prior(**options)).tolist()


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ({"water": 1.0}, [0, 0, 1]),
        ({"grass": 0.25, "water": 0.75}, [0.25, 0, 0.75]),
        ({"water": 0.6}, [0.1, 0.3, 0.6]),
        ({"water": 0.2}, [0.2, 0.6, 0.2]),
        ({"water": 0.0}, [0.25, 0.75, 0.0]),
        ({}, [0.1, 0.3, 0.6]),
        ({"grass": 0.1, "bare soil": 0.1, "water": 0.3}, [0.2, 0.2, 0.6]),
        ({"grass": 0.3, "bare soil": 0.3, "water": 0.4000001}, [0.3, 0.3, 0.4]),
    ],
)
def test_the_rest_goes_to_the_others_as_in_training(order: dict[str, float], expected: list[float]) -> None:
    assert row(order) == pytest.approx(expected, abs=1e-5)


def test_nothing_known_of_the_others() -> None:
    assert row({"water": 0.5}, rows=[]) == pytest.approx([0.25, 0.25, 0.5])
    assert row({"water": 0.5}, rows=[[0.0, 0.0, 1.0]]) == pytest.approx([0.25, 0.25, 0.5])


@pytest.mark.parametrize(
    ("order", "named"),
    [
        ({"trees": 0.5}, "no class 'trees'; the classes are grass, bare soil, water"),
        ({"water": 1.2}, "water is 1.2"),
        ({"water": -0.1}, "water is -0.1"),
        ({"water": float("nan")}, "water is nan"),
        ({"water": 0.8, "grass": 0.4}, "sum to 1.2"),
        ({"grass": 0, "bare soil": 0, "water": 0}, "sum to 0"),
    ],
)
def test_orders_that_cannot_be(order: dict[str, float], named: str) -> None:
    with pytest.raises(ModelError, match=named):
        row(order)


def test_each_group_sums_to_one_and_takes_its_own_orders() -> None:
    made = CompositionPrior(rows=1, classes=5)
    made.fractions.copy_(torch.tensor([[0.4, 0.6, 0.1, 0.2, 0.7]]))
    groups = [["a: wet", "a: dry"], ["b: x", "b: y", "b: z"]]
    found = composition_row({"b: z": 0.1}, groups=groups, prior=made).tolist()
    assert found == pytest.approx([0.4, 0.6, 0.3, 0.6, 0.1])


def test_free_quantities_have_no_composition() -> None:
    with pytest.raises(ModelError, match="free quantities only"):
        composition_row({"height": 0.5}, groups=[], prior=CompositionPrior(rows=0, classes=0))
