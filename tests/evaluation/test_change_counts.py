"""Change maps against class masks whose values may be anything but that of unlabelled ground."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.change_map import count_contradictions


def test_class_values_below_unlabelled_are_classes() -> None:
    masks = np.array([[[[-2, -5, 3, -1]], [[-2, 3, -5, -2]]]])
    assert count_contradictions(np.array([[[0, 1, 1, -1]]]), masks) == 0
    assert count_contradictions(np.array([[[1, 0, 1, 0]]]), masks) == 3
