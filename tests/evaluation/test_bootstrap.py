"""Intervals over tiles: as wide as tiles differ, about the number itself."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation.bootstrap import bootstrap_interval
from specdm.evaluation.weighted_tiles import GroupMeans, LineDistance, interval_about, weighted_ratio


def test_the_interval_of_a_mean_is_two_standard_errors_wide():
    values = np.random.default_rng(0).normal(3, 1, 400)
    low, high = bootstrap_interval(lambda chosen: float(values[chosen].mean()), 400, seed=0, draws=1000)
    assert (low + high) / 2 == pytest.approx(values.mean(), abs=0.02)
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.15)


def test_it_covers_the_truth_about_as_often_as_it_says():
    random, hits = np.random.default_rng(0), 0
    for seed in range(100):
        values = random.normal(0, 1, 60)
        low, high = bootstrap_interval(lambda chosen, v=values: float(v[chosen].mean()), 60, seed=seed, draws=200)
        hits += low <= 0 <= high
    assert hits >= 85


def test_the_same_seed_gives_the_same_and_too_few_give_none():
    values = np.arange(10.0)
    pair = [bootstrap_interval(lambda chosen: float(values[chosen].mean()), 10, seed=4) for _ in range(2)]
    assert pair[0] == pair[1]
    assert bootstrap_interval(lambda chosen: 1.0, 1, seed=0) is None
    assert bootstrap_interval(lambda chosen: float("nan"), 10, seed=0) is None


def test_weights_count_tiles_again():
    random = np.random.default_rng(0)
    real, drawn, tile = random.normal(0, 1, 500), random.normal(0.3, 1, 300), np.arange(300) % 20
    line = LineDistance(real, drawn, tile)
    from scipy.stats import wasserstein_distance

    assert line.distance(np.ones(20)) == pytest.approx(wasserstein_distance(real, drawn))
    weights = np.zeros(20)
    weights[3] = 2
    assert line.distance(weights) == pytest.approx(wasserstein_distance(real, drawn[tile == 3]))
    assert line.quantiles(weights, (1.0,))[0] == drawn[tile == 3].max()
    spectra, group = random.normal(0, 1, (300, 5)), np.arange(300) % 3
    means = GroupMeans(spectra, group, tile, np.array([1, 7])).means(weights)
    np.testing.assert_allclose(means[0], spectra[(group == 1) & (tile == 3)].mean(axis=0))
    assert np.isnan(means[1]).all()


def test_an_interval_is_about_the_number_reported_and_within_its_range():
    share = np.random.default_rng(0).random(50)
    statistic = weighted_ratio(share, np.ones(50))
    low, high = interval_about(float(share.mean()) + 0.1, statistic, 50, seed=0)
    assert low < share.mean() + 0.1 < high
    assert interval_about(0.99, statistic, 50, seed=0, most=1.0)[1] == 1.0
    assert interval_about(None, statistic, 50, seed=0) is None
