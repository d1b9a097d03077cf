"""Scores of masks and amounts, against scikit-learn where it has them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from specdm.errors import TileError
from specdm.evaluation.change_map import unchanged_positions
from specdm.evaluation.usefulness.scores import amount_scores, change_scores, class_scores, confusion
from specdm.scenes.classes import Classes

NAMES = ("a", "b", "c", "d")
POSITIONS = hnp.arrays(np.int64, st.tuples(st.integers(1, 3), st.integers(1, 12)), elements=st.integers(-1, 3))


@given(POSITIONS, st.integers(0, 1000))
def test_scores_are_those_of_scikit_learn(truth, seed):
    random = np.random.default_rng(seed)
    predicted = np.where(random.random(truth.shape) < 0.5, truth, random.integers(-1, 4, truth.shape))
    used = (truth >= 0) & (predicted >= 0)
    assume(used.any())
    t, p = truth[used], predicted[used]
    matrix = confusion(truth, predicted, 4)
    np.testing.assert_array_equal(matrix, metrics.confusion_matrix(t, p, labels=range(4)))
    scores = class_scores(matrix, NAMES)
    assert scores["pixels"] == used.sum()
    assert scores["overall_accuracy"] == pytest.approx(metrics.accuracy_score(t, p))
    there = sorted(set(t))
    recalls = metrics.recall_score(t, p, labels=there, average=None)
    assert scores["average_accuracy"] == pytest.approx(recalls.mean())
    ious = metrics.jaccard_score(t, p, labels=there, average=None)
    assert scores["mean_iou"] == pytest.approx(ious.mean())
    if len(set(t) | set(p)) > 1:
        assert scores["kappa"] == pytest.approx(metrics.cohen_kappa_score(t, p))
    f1 = metrics.f1_score(t, p, labels=range(4), average=None, zero_division=0)
    for i, name in enumerate(NAMES):
        one = scores["classes"][name]
        assert one["pixels"] == (t == i).sum()
        assert (one["recall"] is None) == (i not in t)
        assert (one["precision"] is None) == (i not in p)
        if i in there:
            assert one["f1"] == pytest.approx(f1[i])
            assert one["iou"] == pytest.approx(ious[there.index(i)])
    json.dumps(scores, allow_nan=False)


@given(POSITIONS, st.integers(0, 1000), st.sets(st.integers(0, 3), min_size=1, max_size=3))
def test_change_is_everything_but_unchanged(truth, seed, unchanged):
    predicted = np.random.default_rng(seed).integers(-1, 4, truth.shape)
    used = (truth >= 0) & (predicted >= 0)
    t, p = (~np.isin(values[used], list(unchanged)) for values in (truth, predicted))
    assume(t.any() and p.any() and not t.all())
    scores = class_scores(confusion(truth, predicted, 4), NAMES, unchanged=sorted(unchanged))["change"]
    for key, metric in (
        ("precision", metrics.precision_score), ("recall", metrics.recall_score), ("f1", metrics.f1_score),
        ("iou", metrics.jaccard_score), ("kappa", metrics.cohen_kappa_score),
        ("overall_accuracy", metrics.accuracy_score),
    ):  # fmt: skip
        assert scores[key] == pytest.approx(metric(t, p)), key
    assert (scores["changed_pixels"], scores["pixels"]) == (t.sum(), len(t))


def test_by_hand():
    scores = class_scores(np.array([[50, 10], [5, 35]]), ["grass", "roof"], unchanged=0)
    assert scores["overall_accuracy"] == pytest.approx(0.85)
    assert scores["average_accuracy"] == pytest.approx((50 / 60 + 35 / 40) / 2)
    assert scores["mean_iou"] == pytest.approx((50 / 65 + 35 / 50) / 2)
    assert scores["kappa"] == pytest.approx((0.85 - 0.51) / 0.49)
    assert scores["change"]["f1"] == scores["classes"]["roof"]["f1"] == pytest.approx(70 / 85)
    classes = Classes.create([1, 2], ["changed", "unchanged"])
    turned = change_scores(np.array([[50, 10], [5, 35]]), unchanged=unchanged_positions(classes))
    assert turned["recall"] == pytest.approx(50 / 60)


def test_a_class_without_truth_counts_in_no_mean():
    matrix = np.zeros((3, 3), int)
    matrix[0] = [8, 0, 2]
    matrix[1] = [0, 10, 0]
    scores = class_scores(matrix, NAMES[:3])
    assert scores["mean_iou"] == pytest.approx((0.8 + 1) / 2)
    assert scores["average_accuracy"] == pytest.approx(0.9)
    assert scores["classes"]["c"] == {"iou": 0.0, "f1": 0.0, "precision": 0.0, "recall": None, "pixels": 0}


def test_nothing_to_score_is_none_and_not_nan():
    scores = class_scores(np.zeros((2, 2)), NAMES[:2], unchanged=0)
    assert scores["kappa"] is scores["mean_iou"] is scores["overall_accuracy"] is None
    assert scores["change"]["f1"] is scores["change"]["kappa"] is None
    one = class_scores(np.array([[5, 0], [0, 0]]), NAMES[:2])
    assert one["kappa"] is None and one["overall_accuracy"] == 1


def test_amounts():
    random = np.random.default_rng(0)
    truth = random.random((3, 2, 4, 4))
    predicted = truth + np.array([0.1, -0.3])[None, :, None, None]
    truth[0, 0, 0, 0], predicted[1, 0, 1, 1] = np.nan, np.nan
    scores = amount_scores(truth, predicted, ["tree", "soil"])
    tree, soil = scores["quantities"]["tree"], scores["quantities"]["soil"]
    assert (tree["pixels"], soil["pixels"]) == (46, 48)
    assert tree["rmse"] == pytest.approx(0.1) and soil["mae"] == pytest.approx(0.3)
    assert soil["r2"] == pytest.approx(metrics.r2_score(truth[:, 1].ravel(), predicted[:, 1].ravel()))
    assert scores["rmse"] == pytest.approx(0.2) and scores["r2"] == pytest.approx((tree["r2"] + soil["r2"]) / 2)
    truth[:, 0], truth[:, 1] = np.nan, 0.5
    scores = amount_scores(truth, predicted, ["tree", "soil"])
    assert scores["quantities"]["tree"] == {"rmse": None, "mae": None, "r2": None, "pixels": 0}
    assert scores["r2"] is None and scores["mae"] == scores["quantities"]["soil"]["mae"]
    json.dumps(scores, allow_nan=False)


def test_what_does_not_fit_is_refused():
    zeros = np.zeros((2, 3), int)
    with pytest.raises(TileError, match="expected the same"):
        confusion(zeros, zeros[:1], 2)
    for truth, predicted, what in ((zeros + 2, zeros, "truth"), (zeros, zeros - 2, "prediction")):
        with pytest.raises(TileError, match=f"the {what} has class positions"):
            confusion(truth, predicted, 2)
    with pytest.raises(TileError, match="for 2 classes"):
        class_scores(np.zeros((3, 3)), NAMES[:2])
    with pytest.raises(TileError, match="mean unchanged"):
        change_scores(np.zeros((2, 2)), unchanged=2)
    with pytest.raises(TileError, match="expected \\(tile, quantity"):
        amount_scores(np.zeros((1, 2, 3, 3)), np.zeros((1, 2, 3, 3)), ["one"])
