"""The legend of a scene's masks: classes with their pixels, the derived change, and what is unlabelled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.plot import CHANGE_COLORS, UNLABELLED_COLOR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from specdm.scenes.scene import Scene

MOST_ROWS = 24


def scene_legend(ax: Axes, scenes: Sequence[Scene]) -> None:
    """Draw the legend of scenes that share their classes; pixels are counted over all of them.

    Args:
        ax: axes that the legend fills.
        scenes: at least one, with a mask.
    """
    from matplotlib.patches import Patch

    classes = scenes[0].classes
    if classes is None:
        return
    counts = np.sum([scene.class_counts for scene in scenes], axis=0)
    entries = [
        (color, f"{_short(name)} ({count:,})")
        for name, color, count in zip(classes.names, classes.colors, counts, strict=True)
    ]
    entries.append((UNLABELLED_COLOR, "unlabelled"))
    change = [scene.differing for scene in scenes if scene.differing is not None]
    if change:
        words = zip(("unchanged", "changed"), CHANGE_COLORS, np.sum(change, axis=0), strict=True)
        entries += [(color, f"{word} ({count:,})") for word, color, count in words]
    ax.legend(
        handles=[Patch(facecolor=color, edgecolor="#555555", lw=0.4, label=text) for color, text in entries],
        loc="center left",
        ncols=legend_columns(scenes[0]),
        fontsize=8,
        frameon=False,
        title="classes (pixels)" if not change else "classes (pixels of all dates)",
        title_fontsize=9,
        alignment="left",
        borderaxespad=0,
    )


def legend_columns(scene: Scene) -> int:
    """Columns the legend of a scene has."""
    return max(1, math.ceil(_entries(scene) / MOST_ROWS))


def legend_rows(scene: Scene) -> int:
    """Rows the legend of a scene has; none without a mask."""
    return math.ceil(_entries(scene) / legend_columns(scene))


def _entries(scene: Scene) -> int:
    if scene.classes is None:
        return 0
    return len(scene.classes) + 1 + (2 if scene.differing is not None else 0)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"
