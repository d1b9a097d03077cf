"""Precision, recall, density and coverage of points whose lie is known."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation import manifold
from specdm.evaluation.manifold import memberships, prdc
from specdm.evaluation.real_parts import real_parts, same_ground, shares_ground


def cloud(n: int, seed: int, *, center: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(center, 1.0, (n, 4))


def test_the_same_points_are_found_in_full():
    found = prdc(cloud(200, 0), cloud(200, 0))
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)


def test_points_of_the_same_distribution_are_as_dense():
    found = prdc(cloud(600, 0), cloud(600, 1))
    assert found.density == pytest.approx(1, abs=0.15)
    # Naeem et al. (2020), eq. 11: 1 - (n-1)...(n-k) / ((2n-1)...(2n-k)), about 1 - 2^-k
    assert found.coverage == pytest.approx(1 - 2**-5, abs=0.03)


def test_a_dropped_mode_lowers_recall_and_coverage_alone():
    real = np.concatenate([cloud(200, 0), cloud(200, 1, center=20)])
    found = prdc(real, cloud(400, 2))
    assert found.recall < 0.55
    assert found.coverage < 0.55
    assert found.precision > 0.8


def test_an_invented_mode_lowers_precision_alone():
    found = prdc(cloud(400, 2), np.concatenate([cloud(200, 0), cloud(200, 1, center=20)]))
    assert found.precision < 0.55
    assert found.coverage > 0.7


def test_blocks_change_nothing_nor_does_a_large_mean(monkeypatch):
    whole = prdc(cloud(60, 0), cloud(50, 1))
    monkeypatch.setattr(manifold, "BLOCK_VALUES", 200)
    assert prdc(cloud(60, 0), cloud(50, 1)) == whole
    assert prdc(cloud(60, 0) + 1e6, cloud(50, 1) + 1e6) == whole


def test_too_few_points_are_no_number_and_nan_points_are_left_out():
    few = prdc(cloud(5, 0), cloud(50, 1))
    assert np.isnan([few.precision, few.density, few.coverage]).all()
    assert np.isnan(prdc(cloud(50, 0), np.zeros((0, 4))).precision)
    holes = np.concatenate([cloud(50, 1), np.full((3, 4), np.nan)])
    assert prdc(cloud(50, 0), holes) == prdc(cloud(50, 0), cloud(50, 1))


def test_memberships_are_what_is_counted():
    one, other = cloud(60, 0), cloud(50, 1)
    in_real, in_synthetic = memberships(one, other)
    found = prdc(one, other)
    assert in_real.any(axis=1).mean() == found.precision
    assert in_real.any(axis=0).mean() == found.coverage
    assert in_synthetic.any(axis=0).mean() == found.recall


def test_real_parts_share_no_ground(real):
    first, second, words = real_parts(real, seed=0)
    assert len(first) == len(second) > 8
    assert "half" in words
    assert not shares_ground(real, first, second).any()
    assert set(real.split[first]) | set(real.split[second]) == {"train"}
    assert shares_ground(real, first, first).all()


def test_windows_of_the_same_ground_are_not_each_others_neighbours():
    """Every tile is there six times, as shifted windows are: without this their balls hold nothing but themselves."""
    ground = cloud(60, 0)
    real = np.repeat(ground, 6, axis=0) + np.random.default_rng(5).normal(0, 1e-3, (360, 4))
    place = np.repeat(np.arange(60), 6)
    same = place[:, None] == place[None]
    assert prdc(real, cloud(360, 1)).coverage < 0.05
    assert prdc(real, cloud(360, 1), same_ground=same).coverage > 0.8


def test_same_ground_is_told_by_windows(real):
    train = np.flatnonzero(real.split == "train")
    windows = np.stack([real.dataset[key].values[train] for key in ("window_y", "window_x")], axis=1)
    same = same_ground(real, train)
    assert same.diagonal().all()
    for i, j in ((0, 1), (0, len(train) - 1)):
        assert same[i, j] == (np.abs(windows[i] - windows[j]).max() < real.size)
