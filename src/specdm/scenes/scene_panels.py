"""The single pictures of a scene: its dates, masks, derived change and amounts, ready to be laid out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specdm.scenes.amount_plot import amount_limits, coloured_amount
from specdm.scenes.plot import (
    coloured_change,
    coloured_mask,
    composite_bands,
    composite_picture,
    composite_stretch,
)
from specdm.scenes.task import CHANGE_LAYER, derived_change

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

OVERVIEW_PIXELS = 1_000_000
"""Most pixels a picture is made of; larger scenes are thinned."""

MOST_DATES = 6
"""Dates shown of longer series, spread evenly from the first to the last."""

MOST_AMOUNTS = 12


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        picture: float32 `(h, w, 3)` in 0..1.
        title: what it shows.
        limits: `(2,)` values at the ends of its colour bar, if it has one.
        unit: written along the colour bar.
        clipped: whether values beyond `limits` occur.
    """

    picture: np.ndarray
    title: str
    limits: np.ndarray | None = None
    unit: str = ""
    clipped: bool = False


def shown_dates(scene: Scene) -> list[int]:
    """Positions of the dates that pictures show: all, or `MOST_DATES` from the first to the last."""
    count = min(scene.n_dates, MOST_DATES)
    return np.linspace(0, scene.n_dates - 1, count).round().astype(int).tolist()


def date_title(scene: Scene, date: int) -> str:
    """What a date is called in a picture."""
    label = scene.dates[date]
    return f"date {label}" if isinstance(label, int) else str(label)


def thinned(scene: Scene) -> xr.Dataset:
    """The scene's dataset with at most about `OVERVIEW_PIXELS` pixels, not loaded."""
    step = max(1, math.ceil(math.sqrt(scene.height * scene.width / OVERVIEW_PIXELS)))
    return scene.dataset.isel(y=slice(None, None, step), x=slice(None, None, step))


def date_panels(scene: Scene, thin: xr.Dataset) -> list[Panel]:
    """Each shown date in false colour from its own bands; dates of one sensor share one stretch."""
    dates = shown_dates(scene)
    bands = {date: _composite_of(scene, date) for date in dates}
    shown = {date: thin["image"].isel(date=date, band=bands[date]).values for date in dates}
    panels = []
    for date in dates:
        same = [shown[other] for other in dates if bands[other] == bands[date]]
        picture = composite_picture(shown[date], stretch=_series_stretch(same))
        name = _composite_name(scene, bands[date])
        panels.append(Panel(picture, name if scene.n_dates == 1 else f"{date_title(scene, date)}\n{name}"))
    return panels


def mask_panels(scene: Scene, thin: xr.Dataset) -> list[Panel]:
    """Each layer of the mask in the colours of its classes: of a date each, those of the shown dates."""
    classes, layers = scene.classes, scene.layers
    if classes is None:
        return []
    one_a_date = layers_of_dates(scene)
    return [
        Panel(
            coloured_mask(thin["mask"].isel(layer=layer).values, classes),
            f"mask, {date_title(scene, layer)}" if one_a_date else _layer_title(layers[layer]),
        )
        for layer in (shown_dates(scene) if one_a_date else range(len(layers)))
    ]


def change_panels(scene: Scene, thin: xr.Dataset) -> list[Panel]:
    """The change that the masks of first and last date amount to; nothing where there is no mask a date."""
    if scene.differing is None:
        return []
    change = derived_change(thin["mask"].isel(layer=[0, -1]).values)
    return [Panel(coloured_change(change), f"change, {scene.dates[0]} to {scene.dates[-1]}")]


def amount_panels(scene: Scene, thin: xr.Dataset, *, limits: np.ndarray | None = None) -> list[Panel]:
    """Maps of the first `MOST_AMOUNTS` quantities; `limits (quantity, 2)` make several scenes compare."""
    quantities = scene.quantities
    if quantities is None:
        return []
    amounts = thin["amount"].values
    limits = amount_limits(amounts, quantities) if limits is None else limits
    return [
        Panel(
            coloured_amount(amounts[i], limits[i]),
            quantities.names[i],
            limits=limits[i],
            unit=quantities.units[i],
            clipped=not quantities.sum_to_one,
        )
        for i in range(min(len(quantities), MOST_AMOUNTS))
    ]


def layers_of_dates(scene: Scene) -> bool:
    """Whether every date of several has a mask of its own."""
    return scene.n_dates > 1 and len(scene.layers) == scene.n_dates


def _series_stretch(shown: list[np.ndarray]) -> np.ndarray:
    """One stretch `(3, 2)` for dates `(3, h, w)` each, so that brighter looks brighter."""
    if len(shown) < 3:
        return composite_stretch(np.stack(shown))
    # of a longer series a cloudy date or two must not turn all others black
    return np.median([composite_stretch(date) for date in shown], axis=0)


def _layer_title(layer: str) -> str:
    return "change" if layer == CHANGE_LAYER else "mask"


def _composite_of(scene: Scene, date: int) -> list[int]:
    """Positions among all bands of what the date shows as red, green, blue."""
    own = scene.bands_of(date)
    wavelength = None if scene.wavelength is None else scene.wavelength[own]
    return [int(own[band]) for band in composite_bands(wavelength, len(own))]


def _composite_name(scene: Scene, bands: list[int]) -> str:
    wavelength = scene.wavelength
    if wavelength is None:
        return "bands " + ", ".join(str(band + 1) for band in bands)
    return "bands at " + ", ".join(f"{wavelength[band]:.0f}" for band in bands) + " nm"
