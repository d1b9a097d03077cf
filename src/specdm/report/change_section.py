"""The section about change: what the images and the masks say of it, real and synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.evaluation.change import read_labels
from specdm.evaluation.change_map import has_layer_a_date
from specdm.evaluation.metrics import info_of

if TYPE_CHECKING:
    from specdm.evaluation.record import Evaluation
    from specdm.tiles.tileset import TileSet

MOST_CLASSES = 10
"""Classes in the table of transitions, most frequent first."""

COMPARED = (
    ("change.share_real", "change.share_synthetic", "Changed, of the labelled pixels"),
    ("change.auc_real", "change.auc_synthetic", "Change in the image tells changed from unchanged pixels (AUC)"),
    (
        "change.unchanged_angle_real_deg",
        "change.unchanged_angle_synthetic_deg",
        "Angle between the dates where nothing changed",
    ),
)
"""Figures of real and of synthetic tiles that stand beside each other, and what they are."""


def change_section(evaluation: Evaluation, real: TileSet, synthetic: TileSet) -> dict[str, Any] | None:
    """The compared figures and the table of transitions; None if no change was judged.

    Returns:
        `dates`, `rows` and `transitions` (None without a mask a date) for the template.
    """
    metrics = evaluation.metrics
    rows = [
        {"title": title, "real": info_of(one).show(metrics[one]), "synthetic": info_of(two).show(metrics[two])}
        for one, two, title in COMPARED
        if one in metrics and two in metrics
    ]
    if not rows:
        return None
    return {
        "dates": (str(real.dates[0]), str(real.dates[-1])),
        "rows": rows,
        "transitions": transition_table(real.train, synthetic) if has_layer_a_date(real) else None,
    }


def transition_table(real: TileSet, synthetic: TileSet) -> dict[str, Any] | None:
    """What the pixels of each class became: shares of the pixels that are labelled at both dates.

    Args:
        real: real training tiles with a mask a date.
        synthetic: synthetic tiles of the same classes.

    Returns:
        `classes` (name and colour), `lines` (for each class of the first date its cells: real and synthetic share
        of each class of the last date, 0..1, None without pixels) and `left_out`; None if nothing is labelled.
    """
    tables = [read_labels(tiles).transitions for tiles in (real, synthetic)]
    if real.classes is None or any(table is None for table in tables):
        return None
    counts = np.stack([np.asarray(table, np.float64) for table in tables])
    occurs = counts.sum(axis=1).sum(axis=0) + counts.sum(axis=2).sum(axis=0)
    kept = [int(i) for i in np.argsort(-occurs, kind="stable") if occurs[i] > 0]
    kept, left_out = kept[:MOST_CLASSES], kept[MOST_CLASSES:]
    totals = counts.sum(axis=2)
    lines = []
    for before in kept:
        cells = []
        for after in kept:
            shares = [
                float(counts[which, before, after] / totals[which, before]) if totals[which, before] else None
                for which in (0, 1)
            ]
            cells.append({"real": shares[0], "synthetic": shares[1], "same": before == after})
        lines.append(cells)
    names, colors = real.classes.names, real.classes.colors
    return {
        "classes": [(names[i], colors[i]) for i in kept],
        "lines": lines,
        "left_out": [names[i] for i in left_out],
    }
