"""Groups of alike pixels in a scene, and their mean spectra: classes, or the material that most of a pixel is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from specdm.scenes.checks import STRIP_PIXELS, strips
from specdm.scenes.classes import default_color

if TYPE_CHECKING:
    from specdm.scenes.scene import Scene

SPECTRA_PIXELS = 400
"""Pixels a group's mean spectrum is taken from, evenly spread over those there are."""


@dataclass(frozen=True)
class GroupSpectrum:
    """Mean spectrum of a group of pixels at one date.

    Attributes:
        name: the group's.
        colour: "#rrggbb".
        mean: float64 `(own band,)`, the bands of the date.
        std: float64 `(own band,)`.
    """

    name: str
    colour: str
    mean: np.ndarray
    std: np.ndarray


def group_names(scene: Scene) -> tuple[list[str], list[str]]:
    """Names and colours of the groups: classes, else materials of a whole, else one group of all pixels."""
    if scene.classes is not None:
        return list(scene.classes.names), list(scene.classes.colors)
    if scene.quantities is not None and scene.quantities.sum_to_one:
        names = scene.quantities.names
        return [f"mostly {name}" for name in names], [default_color(i) for i in range(len(names))]
    return ["all pixels"], ["#333333"]


def group_spectra(scene: Scene, date: int) -> list[GroupSpectrum]:
    """Mean spectra of the groups at one date, of up to `SPECTRA_PIXELS` pixels each; empty groups are left out."""
    names, colours = group_names(scene)
    own = scene.bands_of(date)
    image = scene.dataset["image"].isel(date=date, band=own)
    found = []
    for position, flat in _some_pixels(scene, date, len(names)).items():
        y, x = (xr.DataArray(index, dims="pixel") for index in np.divmod(flat, scene.width))
        values = image.isel(y=y, x=x).transpose("pixel", "band").values
        valid = np.ma.masked_invalid(values.astype(np.float64))
        if valid.count():
            mean, std = valid.mean(axis=0).filled(np.nan), valid.std(axis=0).filled(np.nan)
            found.append(GroupSpectrum(names[position], colours[position], mean, std))
    return found


def _some_pixels(scene: Scene, date: int, n_groups: int) -> dict[int, np.ndarray]:
    """Flat positions of up to `SPECTRA_PIXELS` pixels of each group, evenly spread over those there are."""
    counts = np.zeros(n_groups, np.int64)
    for index in _group_strips(scene, date):
        counts += np.bincount(index[index >= 0], minlength=n_groups)
    every = np.maximum(1, counts // SPECTRA_PIXELS)
    seen = np.zeros(n_groups, np.int64)
    found: dict[int, list[np.ndarray]] = {}
    start = 0
    for index in _group_strips(scene, date):
        for position in np.unique(index[index >= 0]):
            here = np.flatnonzero(index == position)
            picked = here[(seen[position] + np.arange(here.size)) % every[position] == 0]
            seen[position] += here.size
            found.setdefault(int(position), []).append(picked + start)
        start += index.size
    return {position: np.concatenate(found[position]) for position in sorted(found)}


def _group_strips(scene: Scene, date: int) -> Iterator[np.ndarray]:
    """The group of every pixel, -1 where none, flat, in strips of whole rows."""
    if scene.classes is not None:
        # with a mask a date, the date's own; else the one mask there is
        layer = date if len(scene.layers) == scene.n_dates else 0
        for part in strips(scene.dataset["mask"].isel(layer=layer)):
            yield scene.classes.index_of(part).ravel()
    elif scene.quantities is not None and scene.quantities.sum_to_one:
        for part in strips(scene.dataset["amount"]):
            largest = np.nan_to_num(part, nan=-1.0).argmax(axis=0)
            yield np.where(np.isnan(part).any(axis=0) | (part.max(axis=0) <= 0.5), -1, largest).ravel()
    else:
        pixels = scene.height * scene.width
        for start in range(0, pixels, STRIP_PIXELS):
            yield np.zeros(min(STRIP_PIXELS, pixels - start), np.int64)
