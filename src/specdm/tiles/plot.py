"""A picture of a tile set: every date above its masks and amounts, for some of its tiles."""

from __future__ import annotations

import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import TileError
from specdm.scenes.amount_plot import amount_bar
from specdm.scenes.plain_names import plain_names
from specdm.scenes.plot import CHANGE_COLORS, UNLABELLED_COLOR, save_figure
from specdm.tiles.plot_rows import left_out, tile_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    from specdm.tiles.tileset import TileSet

COLUMNS = 8
INCHES = 1.6


def plot_tiles(tiles: TileSet, *, n: int = 8, path: str | Path | None = None) -> Figure:
    """Draw `n` tiles spread evenly over the set, one a column: a row for every date, mask layer and quantity.

    Sets with a mask a date also get a row of the change these amount to. All dates of one sensor have one
    stretch and all maps of a quantity one colour scale, so that they compare.

    Args:
        tiles: at least one tile.
        n: tiles to draw; all if there are fewer.
        path: picture file to write, if any.

    Raises:
        TileError: the set is empty.
    """
    from matplotlib.figure import Figure

    if not len(tiles) or n < 1:
        raise TileError(f"cannot draw {n} of {len(tiles)} tiles; expected at least one")
    shown = tiles.select(np.unique(np.linspace(0, len(tiles) - 1, min(n, len(tiles))).round().astype(int)))
    rows = tile_rows(shown)
    names = shown.dataset["tile_name"].values
    splits = shown.split

    columns = min(COLUMNS, len(shown))
    bands = math.ceil(len(shown) / columns)
    title, handles = _title(shown, columns), _legend(shown)
    wide = INCHES * columns + (1.4 if any(row.limits is not None for row in rows) else 0.6)
    tall = (INCHES * len(rows) + 0.3) * bands + 0.2 + 0.25 * (title.count("\n") + 1 if title else 0)
    tall += 0.25 * math.ceil(len(handles) / _legend_columns(columns)) if handles else 0.0
    figure = Figure(figsize=(wide, tall), layout="constrained")
    axes = figure.subplots(bands * len(rows), columns, squeeze=False)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    for at, row in enumerate(rows):
        for i, picture in enumerate(row.pictures):
            band, column = divmod(i, columns)
            ax = axes[band * len(rows) + at, column]
            ax.imshow(picture, interpolation="nearest")
            if at == 0:
                ax.set_title(f"{splits[i]}\n{_short(str(names[i]))}", fontsize=6)
        for band in range(bands):
            ends = axes[band * len(rows) + at]
            ends[0].set_ylabel(textwrap.fill(row.label, 18), fontsize=8)
            if row.limits is not None:
                amount_bar(ends[-1], row.limits, unit=row.unit, clipped=row.clipped)
    if any(row.limits is not None for row in rows):
        # a colour bar pulls its picture to the right; the others of that column stay in line with it
        for ax in axes[:, -1]:
            ax.set_anchor("E")
    if title:
        figure.suptitle(title, fontsize=8)
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=_legend_columns(columns), fontsize=7)
    plain_names(figure)
    if path is not None:
        save_figure(figure, path)
    return figure


def _title(tiles: TileSet, columns: int) -> str:
    """What must be said of the data, what to cite, and what the picture leaves out; "" if nothing."""
    lines = [line for line in (tiles.note, tiles.citation, left_out(tiles)) if line]
    return "\n".join(textwrap.fill(line, 24 + 24 * columns) for line in lines)


def _legend(tiles: TileSet) -> list[Patch]:
    """The classes that are shown, and the colours of derived change where there is any."""
    from matplotlib.patches import Patch

    classes = tiles.classes
    if classes is None:
        return []
    masks, counts = tiles.masks(), tiles.label_counts()
    entries = [(classes.names[i], classes.colors[i]) for i in np.flatnonzero(counts)]
    if 1 < tiles.n_dates == len(tiles.layers):
        entries += zip(("unchanged", "changed"), CHANGE_COLORS, strict=True)
    if entries and (classes.index_of(masks) < 0).any():
        entries.append(("unlabelled", UNLABELLED_COLOR))
    return [Patch(facecolor=color, edgecolor="#555555", lw=0.4, label=_short(name)) for name, color in entries]


def _legend_columns(columns: int) -> int:
    return max(1, min(6, columns))


def _short(name: str) -> str:
    return name if len(name) <= 22 else f"…{name[-21:]}"
