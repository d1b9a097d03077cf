"""Scores of predictions by hand, for every task."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tiny_tiles import CLASSES, GRASS, HEIGHT, NONE, ROOF, amount_tiles, class_tiles

from specdm.errors import TileError
from specdm.evaluation.usefulness.judging import MAIN_SCORES, judged, task_of
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities


def scores_of(tiles, predicted) -> dict:
    """Scores that survive JSON, and name their task."""
    scores = judged(tiles, np.asarray(predicted))
    assert json.loads(json.dumps(scores, allow_nan=False)) == scores
    assert scores["task"] == task_of(tiles)
    part = scores["change"] if scores["task"] == "change" else scores
    assert scores["main"] == part[MAIN_SCORES[scores["task"]]]
    return scores


def test_segmentation():
    tiles = class_tiles([[[[GRASS, GRASS], [ROOF, NONE]]], [[[GRASS, ROOF], [NONE, NONE]]]])
    scores = scores_of(tiles, [[[[0, 1], [1, 1]]], [[[0, 0], [0, 1]]]])
    assert scores["task"] == "segmentation" and "change" not in scores
    # grass 2 of 3, roof 1 of 2; unlabelled pixels count nowhere
    assert scores["confusion"] == [[2, 1], [1, 1]] and scores["pixels"] == 5
    assert scores["main"] == pytest.approx((2 / 4 + 1 / 3) / 2)
    assert scores["overall_accuracy"] == pytest.approx(3 / 5)
    assert scores["classes"]["grass"]["iou"] == pytest.approx(2 / 4)
    assert scores["classes"]["roof"]["recall"] == pytest.approx(1 / 2)


def test_pixels_that_a_rival_does_not_name_are_left_out():
    tiles = class_tiles([[[[GRASS, GRASS], [ROOF, ROOF]]]])
    scores = scores_of(tiles, [[[[0, -1], [1, 0]]]])
    assert scores["pixels"] == 3 and scores["overall_accuracy"] == pytest.approx(2 / 3)


def test_layers_count_together():
    tiles = class_tiles([[[[GRASS, ROOF]] * 2, [[GRASS, NONE]] * 2]], layers=["ground", "cover"])
    scores = scores_of(tiles, [[[[0, 0]] * 2, [[1, 1]] * 2]])
    assert scores["task"] == "segmentation"
    assert scores["confusion"] == [[2, 2], [2, 0]]


def test_a_mask_of_change():
    classes = Classes.create([1, 2, 4], ["built", "no change", "felled"])
    tiles = class_tiles([[[[1, 2], [2, 4]]], [[[-1, 2], [1, 1]]]], dates=2, layers=["change"], classes=classes)
    scores = scores_of(tiles, [[[[2, 1], [1, 1]]], [[[0, 2], [0, 0]]]])
    assert scores["task"] == "change"
    # changed: 4 truly, 3 of them found (one as another change), and one more said
    change = scores["change"]
    assert (change["precision"], change["recall"]) == (pytest.approx(3 / 4), pytest.approx(3 / 4))
    assert scores["main"] == change["f1"] == pytest.approx(3 / 4) and change["iou"] == pytest.approx(3 / 5)
    assert (change["changed_pixels"], change["pixels"]) == (4, 7)
    assert scores["confusion"] == [[2, 0, 1], [0, 2, 1], [0, 1, 0]]


def test_a_mask_a_date():
    before, after = [[GRASS, GRASS], [ROOF, GRASS]], [[ROOF, GRASS], [GRASS, NONE]]
    tiles = class_tiles([[before, after]], dates=2, layers=["before", "after"])
    said = [[[[0, 0], [1, 0]], [[1, 1], [1, 1]]]]
    scores = scores_of(tiles, said)
    assert scores["task"] == "change"
    # truth: changed, not, changed, unknown; said: changed, changed, not
    change = scores["change"]
    assert (change["precision"], change["recall"], scores["main"]) == (0.5, 0.5, 0.5)
    assert (change["changed_pixels"], change["pixels"]) == (2, 3)
    # the masks of both dates are judged beside it
    assert scores["confusion"] == [[3, 2], [0, 2]]
    assert scores["overall_accuracy"] == pytest.approx(5 / 7)


def test_change_is_derived_not_read_off_the_classes():
    """Both dates may be wrong and the change right."""
    tiles = class_tiles([[[[GRASS, GRASS]] * 2, [[ROOF, GRASS]] * 2]], dates=2, layers=["before", "after"])
    scores = scores_of(tiles, [[[[1, 1]] * 2, [[0, 1]] * 2]])
    assert scores["main"] == 1 and scores["overall_accuracy"] == 0


def test_one_date_of_a_change_scene_is_segmentation():
    assert task_of(class_tiles([[[[GRASS, ROOF]] * 2]], dates=2)) == "segmentation"
    assert task_of(class_tiles([[[[GRASS, ROOF]] * 2, [[GRASS, ROOF]] * 2]])) == "segmentation"


def test_amounts():
    both = Quantities.create(["height", "cover"], units=["m", "%"])
    truth = [[[[0.0, 2], [4, np.nan]], [[10, 10], [30, 30]]]]
    tiles = amount_tiles(truth, quantities=both)
    scores = scores_of(tiles, np.array([[[[1.0, 2], [4, 9]], [[20, 20], [20, 20]]]]))
    assert scores["task"] == "regression"
    height, cover = scores["quantities"]["height"], scores["quantities"]["cover"]
    assert (height["pixels"], cover["pixels"]) == (3, 4)
    assert height["rmse"] == pytest.approx(np.sqrt(1 / 3)) and height["mae"] == pytest.approx(1 / 3)
    assert height["r2"] == pytest.approx(1 - 1 / 8) and cover["r2"] == pytest.approx(0)
    assert scores["main"] == pytest.approx((7 / 8) / 2)


def test_masks_beside_amounts_are_what_is_judged():
    tiles = class_tiles(
        [[[[GRASS, ROOF]] * 2]], amounts=np.ones((1, 1, 2, 2), np.float32), quantities=HEIGHT, classes=CLASSES
    )
    assert scores_of(tiles, [[[[0, 1]] * 2]])["main"] == 1


def test_a_score_that_is_not_defined_is_none():
    tiles = class_tiles([[[[NONE, NONE]] * 2]])
    assert scores_of(tiles, [[[[0, 1]] * 2]])["main"] is None
    assert scores_of(amount_tiles([[[[2.0, 2]] * 2]]), [[[[1.0, 2]] * 2]])["main"] is None


def test_a_prediction_of_another_shape():
    with pytest.raises(TileError, match="expected the same"):
        judged(class_tiles([[[[GRASS, ROOF]] * 2]]), np.zeros((2, 1, 2, 2), np.int64))
