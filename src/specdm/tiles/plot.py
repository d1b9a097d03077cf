"""A picture of a tile set: false colour above mask for some of its tiles."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import TileError
from specdm.scenes.plot import coloured_mask, false_colour, save_figure, stretch_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from specdm.tiles.tileset import TileSet

COLUMNS = 8


def plot_tiles(tiles: TileSet, *, n: int = 8, path: str | Path | None = None) -> Figure:
    """Draw `n` tiles spread evenly over the set, all with one stretch so that they compare.

    Args:
        tiles: at least one tile.
        n: tiles to draw; all if there are fewer.
        path: picture file to write, if any.

    Raises:
        TileError: the set is empty.
    """
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    if not len(tiles) or n < 1:
        raise TileError(f"cannot draw {n} of {len(tiles)} tiles; expected at least one")
    picks = np.unique(np.linspace(0, len(tiles) - 1, min(n, len(tiles))).round().astype(int))
    images = tiles.images(picks)[:, 0]
    masks = tiles.masks(picks)[:, 0]
    classes = tiles.classes
    names = tiles.dataset["tile_name"].values[picks]
    splits = tiles.split[picks]
    stretch = stretch_of(images, tiles.wavelength)

    columns = min(COLUMNS, len(picks))
    rows = math.ceil(len(picks) / columns)
    per_tile = 1 if classes is None else 2
    figure = Figure(figsize=(1.6 * columns + 0.4, 1.6 * rows * per_tile + 0.9), layout="constrained")
    axes = figure.subplots(rows * per_tile, columns, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for i in range(len(picks)):
        row, column = divmod(i, columns)
        ax = axes[row * per_tile, column]
        ax.imshow(false_colour(images[i], tiles.wavelength, stretch=stretch), interpolation="nearest")
        ax.set_title(f"{splits[i]}\n{_short(str(names[i]))}", fontsize=6)
        if classes is not None:
            axes[row * per_tile + 1, column].imshow(coloured_mask(masks[i], classes), interpolation="nearest")
    if classes is not None:
        shown = [i for i in range(len(classes)) if (masks == classes.values[i]).any()]
        handles = [Patch(color=classes.colors[i], label=classes.names[i]) for i in shown]
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), fontsize=7)
    if path is not None:
        save_figure(figure, path)
    return figure


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"…{name[-21:]}"
