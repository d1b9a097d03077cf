"""The picture of a scene, and of several: dates, masks, amounts, legend, mean spectra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from specdm.scenes.amount_plot import amount_bar, amount_limits
from specdm.scenes.legend import legend_columns, legend_rows, scene_legend
from specdm.scenes.plain_names import plain_names
from specdm.scenes.scene_panels import (
    Panel,
    amount_panels,
    change_panels,
    date_panels,
    layers_of_dates,
    mask_panels,
    thinned,
)
from specdm.scenes.spectra_figure import draw_spectra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from specdm.scenes.scene import Scene

LEGEND_INCHES = 2.6
"""Width of one column of the legend."""

MOST_COLUMNS = 5
COLLECTION_AMOUNTS = 4


def plot_scene(scene: Scene) -> Figure:
    """Every date in false colour, masks with legend, amounts with colour bars, and mean spectra.

    Reads three bands a date, the masks and the amounts, thinned to about `OVERVIEW_PIXELS`, and some hundred
    spectra a class: memory stays bounded however large the scene is.
    """
    from matplotlib.figure import Figure

    rows = _rows_of(scene)
    columns = max(len(row) for row in rows)
    wide, tall = _panel_size(scene.height, scene.width, columns)
    # a mask a date leaves a free cell above the change map, which is the place for a legend that fits
    spare = len(rows[0]) < columns and legend_columns(scene) == 1 and 0.2 * legend_rows(scene) + 0.4 <= tall
    legend_wide = 0.0 if scene.classes is None or spare else LEGEND_INCHES * legend_columns(scene)
    title_tall = 0.2 * max(panel.title.count("\n") + 1 for row in rows for panel in row) + 0.15
    bar_wide = 0.6 if any(panel.limits is not None for row in rows for panel in row) else 0.0
    # the legend stands beside the pictures, however flat the scene
    pictures_tall = max(len(rows) * (tall + title_tall), 0.2 * legend_rows(scene) + 0.4)
    width = max(columns * (wide + bar_wide) + legend_wide + 0.5, 9.0)
    title = _title(scene)
    figure = Figure(figsize=(width, pictures_tall + 3.8 + 0.25 * title.count("\n")), layout="constrained")
    figure.suptitle(title + "\n", fontsize=11)
    halves = figure.subfigures(2, 1, height_ratios=(pictures_tall + 0.4, 3.4), squeeze=False)
    top, bottom = halves[0, 0], halves[1, 0]

    widths = [wide + bar_wide] * columns + ([legend_wide] if legend_wide else [])
    grid = top.add_gridspec(len(rows), len(widths), width_ratios=widths)
    for row, panels in enumerate(rows):
        for column, panel in enumerate(panels):
            _draw(top.add_subplot(grid[row, column]), panel)
    if scene.classes is not None:
        legend = top.add_subplot(grid[0, -1] if spare else grid[:, -1])
        legend.set_axis_off()
        scene_legend(legend, [scene])
    draw_spectra(bottom, scene)
    return plain_names(figure)


def plot_scenes(scenes: Sequence[Scene], *, name: str, most: int = 6) -> Figure:
    """Dates above masks above amounts for the first `most` scenes, which share legend and colour bars."""
    from matplotlib.figure import Figure

    shown = list(scenes)[:most]
    limits = _shared_limits(shown)
    columns = [_column_of(scene, limits) for scene in shown]
    rows = len(columns[0])
    legend_wide = 0.0 if shown[0].classes is None else LEGEND_INCHES * legend_columns(shown[0])
    bar_wide = 0.0 if limits is None else 0.6
    width, height = 2.2 * len(shown) + legend_wide + bar_wide + 0.4, max(2.5 * rows + 0.6, 3.0)
    figure = Figure(figsize=(max(width, 6.0), height), layout="constrained")
    more = f", the first {len(shown)} shown" if len(shown) < len(scenes) else ""
    dates = f", {shown[0].n_dates} dates" if shown[0].n_dates > 1 else ""
    notes = dict.fromkeys(scene.note for scene in scenes if scene.note)
    title = f"{name}: {len(scenes)} scenes, {shown[0].n_bands} bands{dates}{more}"
    figure.suptitle("\n".join([title, *notes]), fontsize=11)
    widths = [*([2.2] * len(shown)), max(legend_wide, 0.01)]
    grid = figure.add_gridspec(rows, len(widths), width_ratios=widths)
    for column, (scene, panels) in enumerate(zip(shown, columns, strict=True)):
        for row, panel in enumerate(panels):
            # tiles of one folder differ at the end of their names
            own = scene.name if len(scene.name) <= 26 else "…" + scene.name[-25:]
            first_line = panel.title.split("\n")[0] if rows > 1 and (row or scene.n_dates > 1) else ""
            title = "\n".join(line for line in (own if row == 0 else "", first_line) if line)
            _draw(figure.add_subplot(grid[row, column]), panel, title=title, size=8, bar=column == len(shown) - 1)
    if legend_wide:
        legend = figure.add_subplot(grid[:, -1])
        legend.set_axis_off()
        scene_legend(legend, scenes)
    return plain_names(figure)


def _rows_of(scene: Scene) -> list[list[Panel]]:
    """The panels in rows: a mask a date stands below its date, everything else flows."""
    thin = thinned(scene)
    dates, masks = date_panels(scene, thin), mask_panels(scene, thin)
    amounts = amount_panels(scene, thin)
    if layers_of_dates(scene):
        rows = [dates, [*masks, *change_panels(scene, thin)]]
        return [*rows, *_flow(amounts, len(rows[1]))] if amounts else rows
    panels = [*dates, *masks, *amounts]
    return _flow(panels, math.ceil(len(panels) / math.ceil(len(panels) / MOST_COLUMNS)))


def _flow(panels: list[Panel], columns: int) -> list[list[Panel]]:
    return [panels[start : start + columns] for start in range(0, len(panels), columns)]


def _column_of(scene: Scene, limits: np.ndarray | None) -> list[Panel]:
    thin = thinned(scene)
    amounts = amount_panels(scene, thin, limits=limits)[:COLLECTION_AMOUNTS]
    return [*date_panels(scene, thin), *mask_panels(scene, thin), *change_panels(scene, thin), *amounts]


def _shared_limits(scenes: Sequence[Scene]) -> np.ndarray | None:
    """One colour scale for all scenes: from the known amounts of all of them."""
    quantities = scenes[0].quantities
    if quantities is None:
        return None
    flat = [thinned(scene)["amount"].values.reshape(len(quantities), 1, -1) for scene in scenes]
    return amount_limits(np.concatenate(flat, axis=-1), quantities)


def _draw(ax: Axes, panel: Panel, *, title: str | None = None, size: int = 10, bar: bool = True) -> None:
    ax.imshow(panel.picture, interpolation="nearest")
    ax.set_title(panel.title if title is None else title, fontsize=size)
    # a thin frame, or a white cloud would have no border on the page
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_color("#cccccc")
    if panel.limits is not None and bar:
        amount_bar(ax, panel.limits, unit=panel.unit, clipped=panel.clipped)
    ax.set_anchor("N")


def _panel_size(height: int, width: int, columns: int) -> tuple[float, float]:
    """Inches of one picture: 4 on the longer side, 3 where there are many, at least 1.2 on the shorter."""
    longer = max(height, width)
    size = 4.0 if columns <= 2 else 3.4 if columns <= 3 else 2.8
    return max(size * width / longer, 1.2), max(size * height / longer, 1.2)


def _title(scene: Scene) -> str:
    dates = f", {scene.n_dates} dates" if scene.n_dates > 1 else ""
    line = f"{scene.name}: {scene.height} x {scene.width} px, {scene.n_bands} bands{dates}"
    return f"{line}\n{scene.note}" if scene.note else line
