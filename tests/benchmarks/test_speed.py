"""The bars of benchmarks/speed.py from made-up records, and its clock."""

from __future__ import annotations

import pytest
import torch
from speed_table import FASTER, FRECHET, LDA, against_stock, over_fewest
from speed_timing import operations, timed_draw


def method(*, rate, frechet, lda):
    return {"tiles_per_second": rate, "metrics": {FRECHET: frechet, LDA: lda}}


def test_speed_is_held_against_the_stock_model():
    rows = against_stock(
        {"specdm": method(rate=30.0, frechet=1.0, lda=0.7), "stock": method(rate=3.0, frechet=2.0, lda=0.1)}
    )
    assert [(about, pytest.approx(value)) for _, about, value in rows] == [
        ("specdm", 10.0),
        ("specdm", 0.5),
        ("specdm", 0.6),
    ]
    assert [bar.verdict(value) for bar, _, value in rows] == ["pass"] * 3
    assert FASTER.verdict(9.9) == "miss"


def test_worse_or_missing_quality_misses_however_fast():
    rows = against_stock(
        {"specdm": method(rate=90.0, frechet=3.0, lda=None), "stock": method(rate=3.0, frechet=2.0, lda=0.1)}
    )
    assert [bar.verdict(value) for bar, _, value in rows] == ["pass", "miss", "miss"]


def test_cost_of_bands_is_that_of_most_over_fewest():
    bands = {
        "10": {"seconds": 1.0, "denoiser_seconds": 0.8},
        "100": {"seconds": 9.0, "denoiser_seconds": 9.0},
        "400": {"seconds": 1.9, "denoiser_seconds": 1.0},
    }
    assert [(bar.verdict(value), pytest.approx(value)) for bar, _, value in over_fewest(bands)] == [
        ("miss", 1.25),
        ("pass", 1.9),
    ]
    assert over_fewest({"10": bands["10"]}) == []


def test_the_clock_counts_what_goes_through_the_denoiser():
    layer = torch.nn.Linear(3, 5, bias=False)
    drawn, took = timed_draw(lambda: [layer(torch.ones(4, 3)) for _ in range(6)], layer, n=4, device="cpu")
    assert len(drawn) == 6
    assert took["evaluations"] == 6
    assert 0 < took["denoiser_seconds"] <= took["seconds"]
    layer(torch.ones(4, 3))  # the hooks are gone
    assert not layer._forward_hooks and not layer._forward_pre_hooks


def test_a_multiplication_and_an_addition_are_two_operations():
    layer = torch.nn.Linear(3, 5, bias=False)
    assert operations(lambda: layer(torch.ones(4, 3))) == 2 * 4 * 3 * 5
