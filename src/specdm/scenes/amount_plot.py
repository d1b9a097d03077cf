"""Pictures of continuous masks: maps of amounts and their colour bars; tiles and the report draw with them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.plot import NODATA_GREY
from specdm.scenes.quantities import Quantities

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR_MAP = "viridis"
"""Rises evenly in brightness, also for colour-blind eyes and in print."""


def amount_limits(amounts: np.ndarray, quantities: Quantities) -> np.ndarray:
    """Values shown in the darkest and the brightest colour, from one map or many.

    Take them from the real data and hand them to both, and real and synthetic maps compare.

    Args:
        amounts: `(..., quantity, h, w)`, NaN where unknown.
        quantities: what they are.

    Returns:
        float64 `(quantity, 2)`: 0 and 1 for abundances, else the 2nd and 98th percentile of what is known, never
        equal.
    """
    if quantities.sum_to_one:
        return np.tile([0.0, 1.0], (len(quantities), 1))
    limits = []
    for plane in np.moveaxis(np.asarray(amounts), -3, 0):
        known = plane[np.isfinite(plane)]
        low, high = np.percentile(known.astype(np.float64), (2.0, 98.0)) if known.size else (0.0, 1.0)
        # a quantity of one value gets a scale around it rather than none
        limits.append((low, high) if high > low else (low - 0.5, low + 0.5))
    return np.array(limits, np.float64)


def coloured_amount(amount: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """One map in colours.

    Args:
        amount: `(h, w)` of one quantity, NaN where unknown.
        limits: `(2,)`, its row of `amount_limits`.

    Returns:
        float32 `(h, w, 3)` in 0..1; the grey of missing image data where unknown.
    """
    import matplotlib

    low, high = (float(value) for value in limits)
    share = (np.asarray(amount, np.float64) - low) / (high - low)
    picture = matplotlib.colormaps[COLOUR_MAP](np.clip(np.nan_to_num(share), 0.0, 1.0))[..., :3].astype(np.float32)
    picture[~np.isfinite(amount)] = NODATA_GREY
    return picture


def amount_bar(ax: Axes, limits: np.ndarray, *, unit: str = "", clipped: bool = False) -> None:
    """Draw the colour bar of a map beside its axes.

    Args:
        ax: the map's axes.
        limits: `(2,)`, as for `coloured_amount`.
        unit: written along the bar.
        clipped: whether values beyond the limits may occur, which pointed ends show.
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(float(limits[0]), float(limits[1])), COLOUR_MAP)
    extend = "both" if clipped else "neither"
    bar = ax.figure.colorbar(scale, ax=ax, fraction=0.046, pad=0.02, extend=extend, label=unit)
    bar.ax.tick_params(labelsize=7)
    bar.ax.yaxis.label.set_fontsize(8)
