"""What the dates, mask layers and quantities of a scene or tile set amount to: the task, in one word.

Nothing in training or sampling asks for the word: streams are made of dates, layers and quantities alone. It is
for people, in reports and messages.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.scenes.classes import UNLABELLED

CHANGE_LAYER = "change"
"""Name of a mask layer whose classes say what happened between the dates."""

TASKS = ("segmentation", "change", "semantic_change", "regression")


def task_of(*, n_dates: int, layers: Sequence[str], n_quantities: int) -> str:
    """The task: one of `TASKS`."""
    if n_quantities:
        return "regression"
    if n_dates > 1 and tuple(layers) == (CHANGE_LAYER,):
        return "change"
    if n_dates > 1 and len(layers) == n_dates:
        return "semantic_change"
    return "segmentation"


def dates_of_layer(layer: int, *, n_dates: int, n_layers: int) -> list[int]:
    """Which dates a mask layer is about: its own where there is a layer a date, else all of them."""
    return [layer] if n_layers == n_dates else list(range(n_dates))


def derived_change(positions: np.ndarray) -> np.ndarray:
    """Change between the first and the last of several class masks: derived, so it cannot contradict them.

    Args:
        positions: class positions or values `(..., layer, y, x)`, -1 where unlabelled, at least two layers.

    Returns:
        int8 `(..., y, x)`: 1 changed, 0 unchanged, -1 where one of the two is unlabelled.
    """
    before, after = positions[..., 0, :, :], positions[..., -1, :, :]
    change = (before != after).astype(np.int8)
    change[(before == UNLABELLED) | (after == UNLABELLED)] = UNLABELLED
    return change
