"""Distances between sets of features: known values, what the extra coordinate is for, and no bias of KID."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation.feature_space import FeatureSpace, KernelDistance, frechet_squared
from specdm.evaluation.frechet import gaussian_distance


def gaussian(n: int, d: int, seed: int, scale: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, scale, (n, d))


def test_gaussian_distance_of_known_gaussians():
    one, other = np.diag([1.0, 4.0]), np.diag([9.0, 4.0])
    # standard deviations 1 and 3 are 2 apart, means 3 and 4 apart along the axes: d^2 = 4 + 25
    assert gaussian_distance(np.zeros(2), one, np.array([3.0, 4.0]), other) == pytest.approx(np.sqrt(29))
    assert gaussian_distance(np.ones(2), one, np.ones(2), one) == pytest.approx(0, abs=1e-6)


def test_frechet_is_squared_and_rises_with_a_shift():
    points = gaussian(400, 3, 0)
    assert frechet_squared(points, points + np.array([2.0, 0.0, 0.0])) == pytest.approx(4.0)
    assert np.isnan(frechet_squared(points, points[:1]))


def test_what_real_features_never_do_shows_in_the_last_coordinate():
    plane = gaussian(400, 2, 1) @ np.eye(2, 50)
    real = plane + gaussian(400, 50, 2, 0.01)
    space = FeatureSpace.fit(real, components=2)
    off = plane + gaussian(400, 50, 3, 1.0) * (np.arange(50) >= 2)
    points, spoilt = space.points(real), space.points(off)
    assert points.shape == (400, 3)
    assert frechet_squared(points[:, :2], spoilt[:, :2]) < 0.01
    # 48 coordinates of unit variance are about 6.9 long
    assert np.sqrt(frechet_squared(points, spoilt)) == pytest.approx(np.sqrt(48), rel=0.05)


def test_few_tiles_have_few_components():
    assert FeatureSpace.fit(gaussian(64, 40, 0)).components == 4
    assert FeatureSpace.fit(gaussian(3000, 40, 0)).components == 32
    assert FeatureSpace.fit(np.ones((50, 8))) is None
    assert FeatureSpace.fit(gaussian(2, 8, 0)) is None


def test_kid_of_the_same_distribution_is_zero_on_average_however_few_there_are():
    found = [KernelDistance(gaussian(12, 20, 2 * s), gaussian(9, 20, 2 * s + 1)).distance() for s in range(300)]
    assert min(found) < 0 < max(found)
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(len(found))
    shifted = KernelDistance(gaussian(12, 20, 0), gaussian(9, 20, 1) + 1.0).distance()
    assert shifted > 10 * np.std(found)


def test_kid_is_the_published_estimator():
    real, synthetic = gaussian(5, 3, 0), gaussian(4, 3, 1)

    def kernel(a, b):
        return (a @ b / 3 + 1) ** 3

    expected = (
        np.mean([kernel(a, b) for i, a in enumerate(real) for j, b in enumerate(real) if i != j])
        + np.mean([kernel(a, b) for i, a in enumerate(synthetic) for j, b in enumerate(synthetic) if i != j])
        - 2 * np.mean([kernel(a, b) for a in real for b in synthetic])
    )
    distance = KernelDistance(real, synthetic)
    assert distance.distance() == pytest.approx(expected)
    # a picture that was drawn twice makes no pair with itself
    assert distance.distance(np.repeat(np.arange(4), 2)) == pytest.approx(expected)
    assert distance.distance(np.array([0, 0, 1, 3])) != pytest.approx(expected)
    assert np.isnan(KernelDistance(real, synthetic[:1]).distance())
