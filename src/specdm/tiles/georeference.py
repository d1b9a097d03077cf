"""Where tiles lie: a tile set keeps the georeference of its scenes, and that of each tile follows from its window.

Drawn tiles lie nowhere, unless they complete given ones: then they lie where those do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr

from specdm.tiles.tile_coords import SCENE, as_text

GEOREFERENCE = "georeference"
"""Attribute of a tile set, JSON text, absent if no scene has a place. `crs_wkt`: list of coordinate reference systems;
`scenes`: name -> `crs`, a position in that list or null, and `transform` of the scene's pixels, see `Place`."""


@dataclass(frozen=True)
class Place:
    """Where a raster lies.

    Attributes:
        crs_wkt: coordinate reference system as WKT; None if it is not known.
        transform: a, b, c, d, e, f, as rasterio has them: the upper left corner of the pixel at a row and column lies
            at x = a * column + b * row + c, y = d * column + e * row + f, in units of the reference system; x is
            easting or longitude, whatever axis the WKT names first.
    """

    crs_wkt: str | None
    transform: tuple[float, float, float, float, float, float]

    def window(self, y: int, x: int) -> Place:
        """The place of a window with this first row and column."""
        a, b, c, d, e, f = self.transform
        return Place(self.crs_wkt, (a, b, a * x + b * y + c, d, e, d * x + e * y + f))


class TilePlaces:
    """Where each tile of a dataset lies, by its position; None where it lies nowhere or that is not known."""

    def __init__(self, dataset: xr.Dataset) -> None:
        self._known = scene_places(dataset.attrs)
        self._scenes = _scenes(dataset)
        self._rows, self._columns = (dataset[key].values for key in ("window_y", "window_x"))

    def __getitem__(self, position: int) -> Place | None:
        y, x = int(self._rows[position]), int(self._columns[position])
        # drawn tiles have no window
        scene = self._known.get(str(self._scenes[position])) if min(y, x) >= 0 else None
        return None if scene is None else scene.window(y, x)

    def counted(self) -> dict[str, int]:
        """How many tiles lie in each scene that has a place: name -> tiles, at least one."""
        names = self._scenes[(self._rows >= 0) & (self._columns >= 0)] if self._known else self._scenes[:0]
        found = zip(*np.unique(names, return_counts=True), strict=True)
        return {str(name): int(count) for name, count in found if str(name) in self._known}


def georeference_attrs(scenes: Mapping[str, Mapping[str, Any] | None]) -> dict[str, Any]:
    """The attribute `GEOREFERENCE`, for `new_attrs`; nothing if no scene has a place.

    Args:
        scenes: name of a scene -> what `specdm.scenes.georeference.georeference_of` gives.
    """
    placed = {name: found for name, found in scenes.items() if found is not None}
    systems = list(dict.fromkeys(found["crs"] for found in placed.values() if found["crs"] is not None))
    numbers = {crs: number for number, crs in enumerate(systems)}
    listed = {
        name: {"crs": numbers.get(found["crs"]), "transform": list(found["transform"])}
        for name, found in placed.items()
    }
    return {GEOREFERENCE: {"crs_wkt": systems, "scenes": listed}} if listed else {}


def scene_places(attrs: Mapping[str, Any]) -> dict[str, Place]:
    """Places of the scenes that a tile set's attributes name; none if they are not told as `GEOREFERENCE` says."""
    return _parsed(str(attrs.get(GEOREFERENCE, "{}")))


def completed_ground(given: xr.Dataset, index: np.ndarray) -> dict[str, np.ndarray]:
    """Windows and scenes of drawn tiles that complete given ones.

    Args:
        given: dataset of the given tiles.
        index: positions in it, one for each drawn tile.

    Returns:
        The coordinates `window_y`, `window_x` and, if the given tiles have windows, `scene`, which tells whose rows and
        columns these are, since `source` of a drawn tile is the model.
    """
    there = (given["window_y"].values >= 0) & (given["window_x"].values >= 0)
    found = {key: given[key].values[index] for key in ("window_y", "window_x")}
    if there.any():
        found[SCENE] = np.where(there[index], _scenes(given, index), "")
    return found


def _scenes(dataset: xr.Dataset, index: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Name of the scene whose rows and columns a tile's window counts, text `(n,)`."""
    return as_text(dataset[SCENE if SCENE in dataset.coords else "source"].values[index])


@lru_cache(maxsize=8)
def _parsed(text: str) -> dict[str, Place]:
    try:
        record = json.loads(text)
        systems = record["crs_wkt"]
        return {
            name: Place(None if one["crs"] is None else systems[one["crs"]], _six(one["transform"]))
            for name, one in record["scenes"].items()
        }
    # version 0.1 wrote it otherwise, and only for given tiles
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return {}


def _six(numbers: Any) -> tuple[float, float, float, float, float, float]:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f
