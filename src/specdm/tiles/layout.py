"""What a tile set's dataset looks like: its variables, coordinates, attributes and number types.

The one place that builds and checks it, for tile sets in memory and for stores alike.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.version import __version__

IMAGE_DIMS = ("tile", "date", "band", "y", "x")
MASK_DIMS = ("tile", "layer", "y", "x")
SPLITS = ("train", "val", "test", "synthetic")
TASKS = ("segmentation", "change", "regression")
PIXEL_POLICIES = ("left_out", "spectra_seen")
TEXT_COORDS = ("split", "source", "tile_name")
NUMBER_COORDS = ("window_y", "window_x", "seed", "index")
PerTile = np.ndarray | Sequence[Any] | str | int | None


@dataclass
class TileLayout:
    """Everything about a tile set but its tiles.

    Attributes:
        size: pixels along a tile.
        n_bands: bands of the images.
        classes: what mask values mean; None if nothing is labelled.
        wavelength, fwhm: nm, float64 `(band,)`, or None if unknown.
        band_name: one name a band.
        dates, layers: one label each.
        image_units: unit of image values, or None if unknown.
        attrs: attributes of the tile set, JSON-ready.
    """

    size: int
    n_bands: int
    classes: Classes | None = None
    wavelength: np.ndarray | Sequence[float] | None = None
    fwhm: np.ndarray | Sequence[float] | None = None
    band_name: Sequence[str] | None = None
    dates: Sequence[Any] = (0,)
    layers: Sequence[str] = ("class",)
    image_units: str | None = None
    attrs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: xr.Dataset) -> TileLayout:
        """The layout of an existing tile set's dataset."""
        flags = dataset["mask"].attrs
        numbers = {
            key: np.asarray(dataset[key].values, np.float64) if key in dataset.coords else None
            for key in ("wavelength", "fwhm")
        }
        return cls(
            size=dataset.sizes["y"],
            n_bands=dataset.sizes["band"],
            classes=Classes.from_attrs(flags) if "flag_values" in flags else None,
            band_name=[str(name) for name in dataset["band_name"].values],
            dates=list(dataset["date"].values),
            layers=[str(layer) for layer in dataset["layer"].values],
            image_units=dataset["image"].attrs.get("units"),
            attrs=dict(dataset.attrs),
            **numbers,
        )

    def __post_init__(self) -> None:
        if self.band_name is None:
            self.band_name = [f"band {i + 1}" for i in range(self.n_bands)]
        for what, given in (
            ("wavelengths", self.wavelength),
            ("fwhm", self.fwhm),
            ("band names", self.band_name),
        ):
            if given is not None and len(given) != self.n_bands:
                raise TileError(f"{len(given)} {what} for images of {self.n_bands} bands; give one a band")
        if self.wavelength is not None and not np.isfinite(np.asarray(self.wavelength, np.float64)).all():
            raise TileError("a wavelength is not a number; give all wavelengths in nm, or none")

    @property
    def image_shape(self) -> tuple[int, int, int, int]:
        return (len(self.dates), self.n_bands, self.size, self.size)

    @property
    def mask_shape(self) -> tuple[int, int, int]:
        return (len(self.layers), self.size, self.size)

    @property
    def image_attrs(self) -> dict[str, Any]:
        return {"units": self.image_units} if self.image_units else {}

    @property
    def mask_attrs(self) -> dict[str, Any]:
        return self.classes.to_attrs() if self.classes else {"unlabelled_value": UNLABELLED}

    def frame(self, tiles: Mapping[str, np.ndarray]) -> xr.Dataset:
        """The dataset without image and mask: all coordinates and attributes."""
        dates = np.asarray(self.dates)
        coords: dict[str, Any] = {
            "date": dates if dates.dtype.kind in "iu" else as_text(dates),
            "layer": np.asarray(self.layers, dtype=str),
            "band_name": ("band", np.asarray(self.band_name, dtype=str)),
        }
        for key, given in (("wavelength", self.wavelength), ("fwhm", self.fwhm)):
            if given is not None:
                coords[key] = ("band", np.asarray(given, np.float64), {"units": "nm"})
        coords.update({key: ("tile", tiles[key]) for key in (*TEXT_COORDS, *NUMBER_COORDS)})
        return xr.Dataset(coords=coords, attrs=self.attrs)

    def dataset(self, images: np.ndarray, masks: np.ndarray, tiles: Mapping[str, np.ndarray]) -> xr.Dataset:
        """The whole dataset, in memory."""
        return self.frame(tiles).assign(
            image=(IMAGE_DIMS, images, self.image_attrs), mask=(MASK_DIMS, masks, self.mask_attrs)
        )


def tile_coords(
    n: int,
    *,
    split: PerTile,
    source: PerTile,
    window_y: PerTile = None,
    window_x: PerTile = None,
    seed: PerTile = None,
    index: PerTile = None,
    tile_name: PerTile = None,
) -> dict[str, np.ndarray]:
    """Coordinates of `n` tiles; a single value holds for all of them, and numbers not given are -1.

    Raises:
        TileError: a length other than `n`, or a split that does not exist.
    """
    given = {"window_y": window_y, "window_x": window_x, "seed": seed, "index": index}
    coords: dict[str, np.ndarray] = {
        "split": _per_tile("split", split, n, str),
        "source": _per_tile("source", source, n, str),
        **{key: _per_tile(key, -1 if value is None else value, n, np.int64) for key, value in given.items()},
    }
    unknown = sorted(set(coords["split"]) - set(SPLITS))
    if unknown:
        raise TileError(f"a tile has the split {unknown[0]!r}; expected one of {', '.join(SPLITS)}")
    if tile_name is None:
        tile_name = [
            f"{name}_y{y}_x{x}" if y >= 0 else f"{name}_seed{s}_{i}"
            for name, y, x, s, i in zip(*(coords[key] for key in ("source", *given)), strict=True)
        ]
    coords["tile_name"] = _per_tile("tile_name", tile_name, n, str)
    return coords


def new_attrs(
    *, task: str, pixel_policy: str = "left_out", attrs: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Attributes of a new tile set: version, time (UTC) and what is given, mappings and lists as JSON text.

    Raises:
        TileError: no such task or pixel policy.
    """
    made: dict[str, Any] = {
        "specdm_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": "{}",
        "task": task,
        "pixel_policy": pixel_policy,
        "problems": "[]",
    }
    for key, value in (attrs or {}).items():
        made[key] = json.dumps(value) if isinstance(value, (Mapping, list, tuple)) else value
    for key, known in (("task", TASKS), ("pixel_policy", PIXEL_POLICIES)):
        if made[key] not in known:
            raise TileError(f"{key} is {made[key]!r}; expected one of {', '.join(known)}")
    return made


def check_dataset(dataset: xr.Dataset, *, where: str) -> None:
    """Make sure that a dataset is a tile set; reads no image.

    Raises:
        TileError: names what is missing or of the wrong shape or type, and `where`.
    """
    for name, dims, dtype in (("image", IMAGE_DIMS, np.float32), ("mask", MASK_DIMS, np.int16)):
        if name not in dataset:
            raise TileError(f"{where} is no tile set: it has no variable {name!r}")
        variable = dataset[name]
        if variable.dims != dims:
            raise TileError(f"{where}: {name} has the dimensions {variable.dims}; expected {dims}")
        if variable.dtype != dtype:
            raise TileError(f"{where}: {name} is {variable.dtype}; expected {np.dtype(dtype)}")
    for key in ("band_name", "date", "layer", *TEXT_COORDS, *NUMBER_COORDS):
        if key not in dataset.coords:
            raise TileError(f"{where} is no tile set: it has no coordinate {key!r}")
    if dataset.sizes["y"] != dataset.sizes["x"]:
        raise TileError(f"{where}: tiles of {dataset.sizes['y']} x {dataset.sizes['x']} px; expected squares")


def as_text(values: np.ndarray) -> np.ndarray:
    """Strings of any kind as numpy's own: stores give objects or `StringDType`, which differs by version."""
    return np.array([str(value) for value in np.ravel(values)], dtype=str).reshape(np.shape(values))


def _per_tile(key: str, given: Any, n: int, dtype: Any) -> np.ndarray:
    values = np.asarray(given).astype(dtype)
    if values.ndim == 0:
        values = np.full(n, values[()])
    if values.shape != (n,):
        raise TileError(f"{key} has the shape {values.shape} for {n} tiles; give one value a tile, or one")
    return values
