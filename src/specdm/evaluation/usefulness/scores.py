"""Scores of predicted masks and amounts against the truth, pixel by pixel, as plain records.

A score that the pixels do not define, such as the recall of a class without truth pixels, is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.change_map import transitions
from specdm.evaluation.record import number


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """How many pixels of which class were called which, int64 `(classes, classes)`, rows the truth.

    Args:
        truth, predicted: class positions `(...)` of one shape; pixels with -1 in one of the two are left out.
        classes: number of classes.

    Raises:
        TileError: other shapes, or a position beyond the last class.
    """
    if truth.shape != predicted.shape:
        raise TileError(f"a prediction of shape {predicted.shape} for masks of shape {truth.shape}; expected the same")
    for what, positions in (("truth", truth), ("prediction", predicted)):
        if positions.size and (positions.min() < -1 or positions.max() >= classes):
            raise TileError(
                f"the {what} has class positions {positions.min()} to {positions.max()}; expected -1 to {classes - 1}"
            )
    return transitions(truth.astype(np.int64), predicted.astype(np.int64), n_classes=classes)


def class_scores(
    matrix: np.ndarray, names: Sequence[str], *, unchanged: int | Sequence[int] | np.ndarray | None = None
) -> dict[str, Any]:
    """Scores of a class mask.

    `average_accuracy` is the mean recall and `mean_iou` the mean intersection over union of the classes that have
    truth pixels; a class that is only predicted lowers the scores of others but has none of its own in the mean.
    `kappa` is Cohen's.

    Args:
        matrix: of `confusion`.
        names: of the classes.
        unchanged: for a mask of change: which classes mean "unchanged" (`change_map.unchanged_positions` knows).
            All others together are change, whose scores are added as "change", see `change_scores`.

    Returns:
        overall_accuracy, average_accuracy, kappa, mean_iou; pixels; classes: by name iou, f1, precision, recall,
        pixels (of the truth); 0..1 except kappa, -1..1.

    Raises:
        TileError: the matrix is not one of so many names.
    """
    matrix = _checked(matrix, len(names))
    correct, truth, called = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    precision, recall = _ratio(correct, called), _ratio(correct, truth)
    f1, iou = _ratio(2 * correct, truth + called), _ratio(correct, truth + called - correct)
    there = truth > 0
    columns = {"iou": iou, "f1": f1, "precision": precision, "recall": recall}
    scores: dict[str, Any] = {
        "overall_accuracy": _share(correct.sum(), truth.sum()),
        "average_accuracy": number(recall[there].mean()) if there.any() else None,
        "kappa": kappa(matrix),
        "mean_iou": number(iou[there].mean()) if there.any() else None,
        "pixels": int(truth.sum()),
        "classes": {
            name: {**{key: number(values[i]) for key, values in columns.items()}, "pixels": int(truth[i])}
            for i, name in enumerate(names)
        },
    }
    if unchanged is not None:
        scores["change"] = change_scores(matrix, unchanged=unchanged)
    return scores


def change_scores(matrix: np.ndarray, *, unchanged: int | Sequence[int] | np.ndarray = 0) -> dict[str, Any]:
    """Scores of change as the one class that is looked for, everything but unchanged.

    Args:
        matrix: of `confusion`; of `TileSet.change_masks` it has two classes, of which 0 is unchanged.
        unchanged: positions of the classes that mean "unchanged".

    Returns:
        precision, recall, f1, iou, overall_accuracy, 0..1; kappa of changed against unchanged; changed_pixels and
        pixels of the truth.

    Raises:
        TileError: a matrix that is not square, or no such class.
    """
    matrix = _checked(matrix, len(matrix))
    positions = np.atleast_1d(np.asarray(unchanged, np.int64))
    if positions.min() < 0 or positions.max() >= len(matrix):
        raise TileError(
            f"class positions {positions.tolist()} are to mean unchanged; expected some of 0 to {len(matrix) - 1}"
        )
    changed = ~np.isin(np.arange(len(matrix)), positions)
    groups = np.stack([~changed, changed]).astype(np.int64)
    table = groups @ matrix @ groups.T
    hits, truth, called = table[1, 1], table[1].sum(), table[:, 1].sum()
    return {
        "precision": _share(hits, called),
        "recall": _share(hits, truth),
        "f1": _share(2 * hits, truth + called),
        "iou": _share(hits, truth + called - hits),
        "kappa": kappa(table),
        "overall_accuracy": _share(np.trace(table), table.sum()),
        "changed_pixels": int(truth),
        "pixels": int(table.sum()),
    }


def kappa(matrix: np.ndarray) -> float | None:
    """Cohen's kappa of a confusion matrix, -1..1: agreement beyond chance over what there could be.

    Cohen (1960), "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20,
    equation 1. None where chance alone agrees everywhere, and without pixels.
    """
    total = matrix.sum()
    if not total:
        return None
    agreed = np.trace(matrix) / total
    chance = float(matrix.sum(axis=1) / total @ (matrix.sum(axis=0) / total))
    return float((agreed - chance) / (1 - chance)) if chance < 1 else None


def amount_scores(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Errors of amounts.

    Args:
        truth, predicted: `(tile, quantity, y, x)` in the units of the quantities; a quantity's pixels with NaN in one
            of the two are left out.
        names: of the quantities.

    Returns:
        rmse, mae (in the units) and r2 (1 is perfect, 0 the mean of the truth), each the plain mean over quantities
        that have it; quantities: by name the same and the number of pixels. `r2` is None where the truth does not
        vary.

    Raises:
        TileError: other shapes, or another number of names.
    """
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    if truth.shape != predicted.shape or truth.ndim != 4 or truth.shape[1] != len(names):
        raise TileError(
            f"predicted amounts of shape {predicted.shape} and true ones of shape {truth.shape} for {len(names)} "
            "quantities; expected (tile, quantity, y, x) twice"
        )
    found: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(names):
        known = np.isfinite(truth[:, i]) & np.isfinite(predicted[:, i])
        pair = (truth[:, i][known].astype(np.float64), predicted[:, i][known].astype(np.float64))
        found[name] = {"rmse": None, "mae": None, "r2": None, "pixels": int(known.sum())}
        if known.any():
            found[name]["rmse"] = float(root_mean_squared_error(*pair))
            found[name]["mae"] = float(mean_absolute_error(*pair))
            varies = np.ptp(pair[0]) > 0
            found[name]["r2"] = float(r2_score(*pair)) if varies else None
    means = {}
    for key in ("rmse", "mae", "r2"):
        values = [one[key] for one in found.values() if one[key] is not None]
        means[key] = float(np.mean(values)) if values else None
    return {**means, "quantities": found}


def _checked(matrix: np.ndarray, n: int) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.shape != (n, n):
        raise TileError(f"a confusion matrix of shape {matrix.shape} for {n} classes; expected {(n, n)}")
    return matrix.astype(np.int64)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Float64, NaN where the denominator is 0."""
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def _share(above: int | np.integer, below: int | np.integer) -> float | None:
    return float(above / below) if below else None
