"""Mean spectra of a scene's groups of pixels, date by date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specdm.scenes.pixel_groups import GroupSpectrum, group_names, group_spectra
from specdm.scenes.plot import spectra_axis
from specdm.scenes.scene_panels import date_title, shown_dates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import SubFigure

    from specdm.scenes.scene import Scene

STYLES = ("-", "--")
"""First and second date where both are drawn into one diagram."""

MOST_SPREADS = 6
"""Most groups of which the spread around the mean is drawn too; more would hide each other."""


def draw_spectra(figure: SubFigure, scene: Scene) -> None:
    """Two dates of one sensor in one diagram, solid and dashed; more dates, and two sensors, side by side."""
    dates = shown_dates(scene)
    one_diagram = len(dates) <= len(STYLES) and scene.date_sensor is None
    pages = [dates] if one_diagram else [[date] for date in dates]
    # values of two sensors need not compare
    axes = figure.subplots(1, len(pages), squeeze=False, sharey=scene.date_sensor is None)[0]
    for ax, page in zip(axes, pages, strict=True):
        for style, date in zip(STYLES, page, strict=False):
            _draw_date(ax, scene, date, style=style, spread=len(page) == 1)
        ax.set_title(_heading(scene) if one_diagram else date_title(scene, page[0]), fontsize=10)
        ax.grid(alpha=0.3, lw=0.5)
        ax.margins(x=0.01)
    if not one_diagram:
        figure.suptitle(_heading(scene), fontsize=10)
    axes[0].set_ylabel(scene.units or "image value")
    _key(axes[-1], scene, dates if one_diagram else [])


def _draw_date(ax: Axes, scene: Scene, date: int, *, style: str, spread: bool) -> None:
    own = scene.bands_of(date)
    wavelength = None if scene.wavelength is None else scene.wavelength[own]
    spectra: list[GroupSpectrum] = group_spectra(scene, date)
    few = spread and len(group_names(scene)[0]) <= MOST_SPREADS
    for group in spectra:
        std = group.std if few else None
        spectra_axis(ax, wavelength, group.mean, std, group.colour, None, linestyle=style)


def _heading(scene: Scene) -> str:
    if scene.classes is not None:
        return "mean spectra of the classes"
    materials = scene.quantities is not None and scene.quantities.sum_to_one
    return "mean spectra where a material is more than half the pixel" if materials else "mean spectra"


def _key(ax: Axes, scene: Scene, dates: list[int]) -> None:
    """What no other legend says: which line is which date, and which material."""
    from matplotlib.lines import Line2D

    handles = []
    if len(dates) > 1:
        for style, date in zip(STYLES, dates, strict=True):
            handles.append(Line2D([], [], color="#333333", lw=1.2, ls=style, label=date_title(scene, date)))
    names, colours = group_names(scene)
    if scene.classes is None and len(names) > 1:
        handles += [Line2D([], [], color=c, lw=1.2, label=name) for name, c in zip(names, colours, strict=True)]
    if handles:
        ax.legend(handles=handles, fontsize=8, framealpha=0.7)
