"""The task follows from dates, layers and quantities, and derived change follows from the masks alone."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.scenes.classes import UNLABELLED
from specdm.scenes.task import TASKS, dates_of_layer, derived_change, task_of


@pytest.mark.parametrize(
    ("n_dates", "layers", "n_quantities", "expected"),
    [
        (1, ["class"], 0, "segmentation"),
        (5, ["class"], 0, "segmentation"),
        (1, [], 0, "segmentation"),
        (2, ["change"], 0, "change"),
        (2, ["2000", "2003"], 0, "semantic_change"),
        (4, list("abcd"), 0, "semantic_change"),
        (1, [], 3, "regression"),
        (2, ["change"], 1, "regression"),
    ],
)
def test_task(n_dates, layers, n_quantities, expected):
    assert task_of(n_dates=n_dates, layers=layers, n_quantities=n_quantities) == expected
    assert expected in TASKS


def test_a_layer_is_about_its_own_date_or_about_all():
    assert [dates_of_layer(layer, n_dates=3, n_layers=3) for layer in range(3)] == [[0], [1], [2]]
    assert dates_of_layer(0, n_dates=3, n_layers=1) == [0, 1, 2]
    assert dates_of_layer(0, n_dates=1, n_layers=1) == [0]


def test_change_is_between_first_and_last_and_unknown_where_either_is():
    masks = np.array([[[3, 3, -1, 4]], [[5, 3, 3, 4]], [[3, 4, 3, -1]]], np.int16)
    change = derived_change(masks)
    assert change.dtype == np.int8
    assert change.tolist() == [[0, 1, -1, -1]]
    assert derived_change(np.stack([masks, masks])).shape == (2, 1, 4)


def test_a_class_value_below_zero_is_a_class_all_the_same():
    masks = np.array([[[-5, -5, UNLABELLED]], [[-5, 2, -5]]], np.int16)
    assert derived_change(masks).tolist() == [[0, 1, UNLABELLED]]
