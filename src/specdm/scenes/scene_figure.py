"""The picture of a scene, and of several: false colour, mask with legend, mean spectra."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specdm.scenes.checks import strips
from specdm.scenes.classes import Classes
from specdm.scenes.plot import (
    UNLABELLED_COLOR,
    coloured_mask,
    composite_bands,
    composite_picture,
    spectra_axis,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from specdm.scenes.scene import Scene

OVERVIEW_PIXELS = 1_000_000
"""Most pixels a scene's picture is made of; larger scenes are thinned."""

SPECTRA_PIXELS = 400
"""Pixels a class's mean spectrum in `plot_scene` is taken from, evenly spread over those there are."""


def plot_scene(scene: Scene) -> Figure:
    """False colour of the first date, mask with legend, and class-mean spectra (spread of up to six classes).

    Reads three bands, thinned to at most `OVERVIEW_PIXELS`, and `SPECTRA_PIXELS` spectra a class: memory
    stays bounded however large the scene is.
    """
    from matplotlib.figure import Figure

    classes = scene.classes
    wide, tall = _panel_size(scene.height, scene.width)
    rows = 0 if classes is None else math.ceil(len(classes) / _legend_columns(classes))
    tall = max(tall, 0.2 * rows + 0.4)  # the legend stands beside the pictures, however flat the scene
    legend_wide = 0.0 if classes is None else 2.6 * _legend_columns(classes)
    width = max(wide * (1 if classes is None else 2) + legend_wide + 0.5, 9.0)
    figure = Figure(figsize=(width, tall + 4.0), layout="constrained")
    figure.suptitle(_title(scene) + "\n", fontsize=11)
    halves = figure.subfigures(2, 1, height_ratios=(tall + 0.4, 3.6), squeeze=False)
    top, bottom = halves[0, 0], halves[1, 0]

    if classes is None:
        panels = [top.subplots()]
    else:
        panels = list(top.subplots(1, 3, width_ratios=(wide, wide, legend_wide)))
        _legend(panels[2], classes, scene.class_counts)
        panels[1].set_title("mask", fontsize=10)
    panels[0].set_title(_composite_name(scene), fontsize=10)
    _show(scene, panels)

    ax = bottom.subplots()
    for position, (mean, std) in _class_spectra(scene).items():
        colour = "#333333" if classes is None else classes.colors[position]
        few = classes is None or len(classes) <= 6
        spectra_axis(ax, scene.wavelength, mean, std if few else None, colour, None)
    ax.set_ylabel(scene.units or "image value")
    ax.set_title("mean spectra" if classes is None else "mean spectra of the classes", fontsize=10)
    ax.grid(alpha=0.3, lw=0.5)
    ax.margins(x=0.01)
    return figure


def plot_scenes(scenes: Sequence[Scene], *, name: str, most: int = 6) -> Figure:
    """False colour above mask for the first `most` scenes, which share their classes and one legend."""
    from matplotlib.figure import Figure

    shown = list(scenes)[:most]
    classes = shown[0].classes
    rows = 1 if classes is None else 2
    legend_wide = 0.0 if classes is None else 2.6 * _legend_columns(classes)
    width, height = 2.2 * len(shown) + legend_wide + 0.4, max(2.5 * rows + 0.6, 3.0)
    figure = Figure(figsize=(max(width, 6.0), height), layout="constrained")
    more = f", the first {len(shown)} shown" if len(shown) < len(scenes) else ""
    figure.suptitle(f"{name}: {len(scenes)} scenes, {shown[0].n_bands} bands{more}", fontsize=11)
    grid = figure.add_gridspec(
        rows, len(shown) + 1, width_ratios=[*([2.2] * len(shown)), max(legend_wide, 0.01)]
    )
    for column, scene in enumerate(shown):
        panels = [figure.add_subplot(grid[row, column]) for row in range(rows)]
        # tiles of one folder differ at the end of their names
        title = scene.name if len(scene.name) <= 26 else "…" + scene.name[-25:]
        panels[0].set_title(title, fontsize=8)
        _show(scene, panels)
    if classes is not None:
        legend = figure.add_subplot(grid[:, -1])
        legend.set_axis_off()
        _legend(legend, classes, sum((scene.class_counts for scene in scenes), np.zeros(len(classes), int)))
    return figure


def _show(scene: Scene, panels: Sequence[Axes]) -> None:
    """False colour of the first date into the first panel, the mask into the second; no axes in any."""
    step = max(1, math.ceil(math.sqrt(scene.height * scene.width / OVERVIEW_PIXELS)))
    thin = scene.dataset.isel(y=slice(None, None, step), x=slice(None, None, step))
    bands = composite_bands(scene.wavelength, scene.n_bands)
    shown = thin["image"].isel(date=0, band=list(bands)).values
    panels[0].imshow(composite_picture(shown), interpolation="nearest")
    if scene.classes is not None:
        mask = thin["mask"].isel(layer=0).values
        panels[1].imshow(coloured_mask(mask, scene.classes), interpolation="nearest")
    for panel in panels:
        panel.set_axis_off()


def _class_spectra(scene: Scene) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Mean and standard deviation `(band,)` by class position (0 for the whole image without a mask)."""
    if scene.classes is None:
        every = max(1, scene.height * scene.width // SPECTRA_PIXELS)
        pixels = {0: np.arange(0, scene.height * scene.width, every)}
    else:
        pixels = _some_pixels(scene)
    spectra = {}
    for position, flat in pixels.items():
        y, x = (xr.DataArray(index, dims="pixel") for index in np.divmod(flat, scene.width))
        values = scene.dataset["image"].isel(date=0, y=y, x=x).transpose("pixel", "band").values
        valid = np.ma.masked_invalid(values.astype(np.float64))
        if valid.count():
            spectra[position] = (valid.mean(axis=0).filled(np.nan), valid.std(axis=0).filled(np.nan))
    return spectra


def _some_pixels(scene: Scene) -> dict[int, np.ndarray]:
    """Flat positions of up to `SPECTRA_PIXELS` pixels of each class, evenly spread over those there are."""
    classes = scene.classes
    if classes is None:
        return {}
    every = np.maximum(1, scene.class_counts // SPECTRA_PIXELS)
    seen = np.zeros(len(classes), np.int64)
    found: dict[int, list[np.ndarray]] = {}
    start = 0
    for part in strips(scene.dataset["mask"].isel(layer=0)):
        index = classes.index_of(part).ravel()
        for position in np.unique(index[index >= 0]):
            here = np.flatnonzero(index == position)
            picked = here[(seen[position] + np.arange(here.size)) % every[position] == 0]
            seen[position] += here.size
            found.setdefault(int(position), []).append(picked + start)
        start += index.size
    return {position: np.concatenate(found[position]) for position in sorted(found)}


def _legend(ax: Axes, classes: Classes, counts: np.ndarray) -> None:
    from matplotlib.patches import Patch

    entries = [
        Patch(facecolor=color, edgecolor="#555555", lw=0.4, label=f"{_short(name)} ({count:,})")
        for name, color, count in zip(classes.names, classes.colors, counts, strict=True)
    ]
    entries.append(Patch(facecolor=UNLABELLED_COLOR, edgecolor="#555555", lw=0.4, label="unlabelled"))
    ax.legend(
        handles=entries,
        loc="center left",
        ncols=_legend_columns(classes),
        fontsize=8,
        frameon=False,
        title="classes (pixels)",
        title_fontsize=9,
        alignment="left",
        borderaxespad=0,
    )


def _legend_columns(classes: Classes) -> int:
    return math.ceil((len(classes) + 1) / 24)


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"


def _panel_size(height: int, width: int) -> tuple[float, float]:
    """Inches of one picture: 4 on the longer side, at least 1.2 on the shorter."""
    longer = max(height, width)
    return max(4.0 * width / longer, 1.2), max(4.0 * height / longer, 1.2)


def _composite_name(scene: Scene) -> str:
    wavelength, bands = scene.wavelength, composite_bands(scene.wavelength, scene.n_bands)
    if wavelength is None:
        return "bands " + ", ".join(str(band + 1) for band in bands)
    return "bands at " + ", ".join(f"{wavelength[band]:.0f}" for band in bands) + " nm"


def _title(scene: Scene) -> str:
    dates = f", first of {scene.n_dates} dates" if scene.n_dates > 1 else ""
    return f"{scene.name}: {scene.height} x {scene.width} px, {scene.n_bands} bands{dates}"
