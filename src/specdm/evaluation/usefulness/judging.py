"""Scores of a prediction of held-out tiles, for every task."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.evaluation.change_map import change_map, has_change_map, has_layer_a_date, unchanged_positions
from specdm.evaluation.usefulness.scores import amount_scores, change_scores, class_scores, confusion
from specdm.scenes.task import derived_change
from specdm.tiles.tileset import TileSet

MAIN_SCORES = {"segmentation": "mean_iou", "change": "f1", "regression": "r2"}
"""What arms are compared by, for each task."""


def task_of(tiles: TileSet) -> str:
    """A key of `MAIN_SCORES`: change where masks say what changed, regression where there are amounts alone."""
    if not tiles.layers or tiles.classes is None:
        return "regression"
    return "change" if has_change_map(tiles) else "segmentation"


def judged(tiles: TileSet, predicted: np.ndarray) -> dict[str, Any]:
    """Scores of a prediction.

    Args:
        tiles: the truth.
        predicted: class positions int64 `(tile, layer, y, x)`, or quantities `(tile, quantity, y, x)` in their units.

    Returns:
        `main`, the score of `MAIN_SCORES`, and all others, JSON-ready. Layers count together; change is derived from a
        mask a date where there is no mask of change.
    """
    if not tiles.layers or tiles.classes is None:
        names = tiles.quantities.names if tiles.quantities is not None else ()
        scores = amount_scores(tiles.amounts(), predicted, names)
        return {"task": "regression", "main": scores["r2"], **scores}
    matrix = confusion(tiles.classes.index_of(tiles.masks()), predicted, len(tiles.classes))
    changes = has_change_map(tiles)
    unchanged = unchanged_positions(tiles.classes) if changes and not has_layer_a_date(tiles) else None
    scores = class_scores(matrix, tiles.classes.names, unchanged=unchanged)
    if changes and has_layer_a_date(tiles):
        said = derived_change(predicted)
        scores["change"] = change_scores(confusion(change_map(tiles, np.arange(len(tiles))), said, 2))
    main = scores["change"]["f1"] if changes else scores["mean_iou"]
    return {"task": "change" if changes else "segmentation", "main": main, **scores, "confusion": matrix.tolist()}
