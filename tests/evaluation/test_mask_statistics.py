"""Regions and neighbours of masks that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation.case import Case
from specdm.evaluation.mask_fidelity import judge_masks
from specdm.evaluation.mask_statistics import adjacency_distance, mask_shapes, region_distance
from specdm.evaluation.record import Evaluation


def test_regions_and_pairs_are_counted():
    labels = np.array([[[0, 0, 1], [2, 0, 1], [0, -1, 1]], [[1, 1, 1]] * 3])
    shapes = mask_shapes(labels, n_classes=3)
    found = sorted(zip(shapes.region_tile, shapes.region_class, shapes.region_size, strict=True))
    assert found == [(0, 0, 1), (0, 0, 3), (0, 1, 3), (0, 2, 1), (1, 1, 9)]
    # pairs 0-1, 0-2, 1-2
    assert shapes.pairs.toarray()[:, [1, 2, 5]].tolist() == [[2, 3, 0], [0, 0, 0]]
    assert shapes.unequal.tolist() == [5, 0]
    assert shapes.labelled.tolist() == [9, 12]


def test_regions_twice_as_large_are_one_apart():
    small, large = (mask_shapes(np.kron([[0, 1], [1, 0]], np.ones(shape, int))[None], n_classes=2)
                    for shape in ((2, 2), (2, 4)))  # fmt: skip
    assert region_distance(small, large, np.array([0.5, 0.5])) == pytest.approx(1)
    assert region_distance(small, small, np.array([0.5, 0.5])) == 0
    assert np.isnan(region_distance(small, large, np.zeros(2)))


def test_adjacency_is_a_share():
    assert adjacency_distance(np.array([2, 2, 0]), np.array([1, 1, 0])) == 0
    assert adjacency_distance(np.array([1, 0, 0]), np.array([0, 3, 0])) == 1
    assert np.isnan(adjacency_distance(np.zeros(3), np.ones(3)))


def judged(synthetic, real) -> Evaluation:
    result = Evaluation()
    judge_masks(result, Case(synthetic, real, layers=(0,), model=None, seed=0))
    return result


def test_the_judge_sees_speckle_and_missing_labels(real, twin):
    good = judged(twin(), real)
    assert good.metrics["synthetic.region_size_distance"] == 0
    assert good.metrics["synthetic.adjacency_distance"] == 0
    assert good.metrics["synthetic.boundary_share_ratio"] == 1
    assert good.metrics["synthetic.labelled_share_ratio"] == 1
    assert good.metrics["real.labelled_share"] == 1
    assert good.metrics["real.region_size_floor"] > 0
    assert good.metrics["real.adjacency_floor"] > 0

    random = np.random.default_rng(0)
    speckled = judged(twin(lambda i, m: (i, np.where(random.random(m.shape) < 0.2, 9, m))), real)
    assert speckled.metrics["synthetic.region_size_distance"] > 1
    assert speckled.metrics["synthetic.adjacency_distance"] > 0.3
    assert speckled.metrics["synthetic.boundary_share_ratio"] > 2
    low, high = speckled.intervals["synthetic.boundary_share_ratio"]
    assert low < speckled.metrics["synthetic.boundary_share_ratio"] < high

    def half(images, masks):
        masks[..., :8] = -1
        return images, masks

    assert judged(twin(half), real).metrics["synthetic.labelled_share_ratio"] == 0.5
