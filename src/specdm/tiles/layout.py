"""What a tile set's dataset looks like: its variables, coordinates, attributes and number types.

The one place that builds it, for tile sets in memory and for stores alike.
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
from specdm.scenes.band_names import default_band_names
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.quantities import Quantities
from specdm.scenes.task import task_of
from specdm.tiles.tile_coords import NUMBER_COORDS, SCENE, SPLITS, TEXT_COORDS, PerTile, as_text, tile_coords
from specdm.version import __version__

__all__ = [
    "AMOUNT_DIMS",
    "AMOUNT_SCORES",
    "IMAGE_DIMS",
    "MASK_DIMS",
    "MASK_SCORES",
    "NUMBER_COORDS",
    "SAMPLING",
    "SCORE_ATTRS",
    "SCORE_DIMS",
    "SPLITS",
    "TEXT_COORDS",
    "TILE_SCORES",
    "PerTile",
    "TileLayout",
    "as_text",
    "new_attrs",
    "tile_coords",
]

IMAGE_DIMS = ("tile", "date", "band", "y", "x")
MASK_DIMS = ("tile", "layer", "y", "x")
AMOUNT_DIMS = ("tile", "quantity", "y", "x")
MASK_SCORES, AMOUNT_SCORES, TILE_SCORES = "reliability", "amount_reliability", "tile_reliability"
SCORE_DIMS = {MASK_SCORES: MASK_DIMS, AMOUNT_SCORES: ("tile", "y", "x"), TILE_SCORES: ("tile",)}
SCORE_ATTRS = {"long_name": "probability that the label is right", "units": "1"}
PIXEL_POLICIES = ("left_out", "spectra_seen")

DRAWING = "drawing"
"""Attribute of a tile set: the options its tiles were drawn with, as JSON text; absent if they are the model's own."""

SAMPLING = "sampling"
"""Attribute of a tile set as it was sampled: what its tiles are made of, as JSON text. No copy or part of it has it."""


@dataclass
class TileLayout:
    """Everything about a tile set but its tiles.

    Attributes:
        size: pixels along a tile.
        n_bands: bands of the images, of all sensors together.
        classes: what mask values mean; None if nothing is labelled.
        wavelength, fwhm: nm, float64 `(band,)`, or None if unknown.
        band_name: one name a band.
        dates: one label each, all different.
        layers: names of the mask's layers, all different; empty if the tiles have no mask.
        quantities: what the amounts (the continuous mask) are; None if the tiles have none.
        date_sensor, band_sensor: the number of each date's and each band's sensor; both None where all dates
            have all bands.
        image_units: unit of image values, or None if unknown.
        attrs: attributes of the tile set, JSON-ready; "task" among them is always the derived one.

    Raises:
        TileError: numbers that do not fit together, or neither a mask nor amounts.
    """

    size: int
    n_bands: int
    classes: Classes | None = None
    wavelength: np.ndarray | Sequence[float] | None = None
    fwhm: np.ndarray | Sequence[float] | None = None
    band_name: Sequence[str] | None = None
    dates: Sequence[Any] = (0,)
    layers: Sequence[str] = ("class",)
    quantities: Quantities | None = None
    date_sensor: Sequence[int] | np.ndarray | None = None
    band_sensor: Sequence[int] | np.ndarray | None = None
    image_units: str | None = None
    attrs: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, dataset: xr.Dataset) -> TileLayout:
        """The layout of an existing tile set's dataset."""
        flags = dataset["mask"].attrs if "mask" in dataset else {}
        numbers = {
            key: np.asarray(dataset[key].values, np.float64) if key in dataset.coords else None
            for key in ("wavelength", "fwhm")
        }
        sensors = {
            key: dataset[key].values if key in dataset.coords else None for key in ("date_sensor", "band_sensor")
        }
        return cls(
            size=dataset.sizes["y"],
            n_bands=dataset.sizes["band"],
            classes=Classes.from_attrs(flags) if "flag_values" in flags else None,
            band_name=[str(name) for name in dataset["band_name"].values],
            dates=list(dataset["date"].values),
            layers=[str(layer) for layer in dataset["layer"].values] if "mask" in dataset else (),
            quantities=Quantities.from_attrs(dataset["amount"].attrs) if "amount" in dataset else None,
            image_units=dataset["image"].attrs.get("units"),
            attrs={key: value for key, value in dataset.attrs.items() if key != SAMPLING},
            **numbers,
            **sensors,
        )

    def __post_init__(self) -> None:
        self.dates = [plain_date(date) for date in self.dates]
        self.layers = [str(layer) for layer in self.layers]
        if self.band_name is None:
            self.band_name = default_band_names(self.n_bands)
        for what, given in (
            ("wavelengths", self.wavelength),
            ("fwhm", self.fwhm),
            ("band names", self.band_name),
        ):
            if given is not None and len(given) != self.n_bands:
                raise TileError(f"{len(given)} {what} for images of {self.n_bands} bands; give one a band")
        if self.wavelength is not None and not np.isfinite(np.asarray(self.wavelength, np.float64)).all():
            raise TileError("a wavelength is not a number; give all wavelengths in nm, or none")
        for what, labels in (("dates", self.dates), ("mask layers", self.layers)):
            if len(set(map(str, labels))) < len(labels):
                raise TileError(f"two {what} have the same label ({', '.join(map(str, labels))}); tell them apart")
        if not self.layers and self.quantities is None:
            raise TileError("tiles without a mask and without amounts; give at least one of the two")
        if self.classes is not None and not self.layers:
            raise TileError("classes are given but no mask; give the mask too, or leave the classes out")
        self._settle_sensors()
        self.attrs = {**self.attrs, "task": self.task}

    def _settle_sensors(self) -> None:
        if self.date_sensor is None and self.band_sensor is None:
            return
        if self.date_sensor is None or self.band_sensor is None:
            raise TileError("date_sensor and band_sensor go together; give both or none")
        dates, bands = (tuple(int(v) for v in given) for given in (self.date_sensor, self.band_sensor))
        if len(dates) != len(self.dates) or len(bands) != self.n_bands:
            raise TileError(
                f"{len(dates)} date_sensor and {len(bands)} band_sensor numbers for {len(self.dates)} dates and "
                f"{self.n_bands} bands; give one each"
            )
        if set(dates) != set(bands):
            raise TileError(
                f"the dates have the sensors {sorted(set(dates))}, the bands {sorted(set(bands))}; expected the same"
            )
        several = len(set(dates)) > 1
        self.date_sensor, self.band_sensor = (dates, bands) if several else (None, None)

    @property
    def task(self) -> str:
        """What dates, layers and quantities amount to, see `specdm.scenes.task.task_of`."""
        return task_of(
            n_dates=len(self.dates),
            layers=self.layers,
            n_quantities=0 if self.quantities is None else len(self.quantities),
        )

    @property
    def own_bands(self) -> np.ndarray:
        """Which bands each date has, bool `(date, band)`."""
        if self.date_sensor is None or self.band_sensor is None:
            return np.ones((len(self.dates), self.n_bands), bool)
        return np.asarray(self.date_sensor)[:, None] == np.asarray(self.band_sensor)[None, :]

    def bands_of(self, date: int) -> np.ndarray:
        """Positions of the bands that the date at a position has, int64 `(n,)`, rising."""
        return np.flatnonzero(self.own_bands[date])

    @property
    def image_shape(self) -> tuple[int, int, int, int]:
        return (len(self.dates), self.n_bands, self.size, self.size)

    @property
    def mask_shape(self) -> tuple[int, int, int]:
        """`(layer, y, x)`; 0 layers if the tiles have no mask."""
        return (len(self.layers), self.size, self.size)

    @property
    def amount_shape(self) -> tuple[int, int, int]:
        """`(quantity, y, x)`; 0 quantities if the tiles have no amounts."""
        return (0 if self.quantities is None else len(self.quantities), self.size, self.size)

    @property
    def score_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the score maps that such tiles can have, without the tile axis: of masks, of amounts."""
        masks = {MASK_SCORES: self.mask_shape} if self.layers and self.classes is not None else {}
        return masks | ({AMOUNT_SCORES: (self.size, self.size)} if self.quantities is not None else {})

    @property
    def image_attrs(self) -> dict[str, Any]:
        return {"units": self.image_units} if self.image_units else {}

    @property
    def mask_attrs(self) -> dict[str, Any]:
        return self.classes.to_attrs() if self.classes else {"unlabelled_value": UNLABELLED}

    @property
    def amount_attrs(self) -> dict[str, Any]:
        return self.quantities.to_attrs() if self.quantities else {}

    def frame(self, tiles: Mapping[str, np.ndarray]) -> xr.Dataset:
        """The dataset without image, mask and amounts: coordinates and attributes, scenes and tile scores if given."""
        dates = np.asarray(self.dates)
        coords: dict[str, Any] = {
            "date": dates if dates.dtype.kind in "iu" else as_text(dates),
            "band_name": ("band", np.asarray(self.band_name, dtype=str)),
        }
        if self.layers:
            coords["layer"] = np.asarray(self.layers, dtype=str)
        if self.quantities is not None:
            coords["quantity"] = np.asarray(self.quantities.names, dtype=str)
        for key, given in (("wavelength", self.wavelength), ("fwhm", self.fwhm)):
            if given is not None:
                coords[key] = ("band", np.asarray(given, np.float64), {"units": "nm"})
        for key, dim, numbers in (
            ("date_sensor", "date", self.date_sensor),
            ("band_sensor", "band", self.band_sensor),
        ):
            if numbers is not None:
                coords[key] = (dim, np.asarray(numbers, np.int64))
        coords.update({key: ("tile", tiles[key]) for key in (*TEXT_COORDS, *NUMBER_COORDS)})
        if SCENE in tiles:
            coords[SCENE] = ("tile", as_text(tiles[SCENE]))
        if TILE_SCORES in tiles:
            coords[TILE_SCORES] = ("tile", np.asarray(tiles[TILE_SCORES], np.float32), SCORE_ATTRS)
        return xr.Dataset(coords=coords, attrs=self.attrs)

    def dataset(
        self,
        images: np.ndarray,
        masks: np.ndarray | None,
        tiles: Mapping[str, np.ndarray],
        amounts: np.ndarray | None = None,
    ) -> xr.Dataset:
        """The whole dataset, in memory; `masks` and `amounts` count only where the layout has them."""
        variables: dict[str, Any] = {"image": (IMAGE_DIMS, images, self.image_attrs)}
        if self.layers:
            variables["mask"] = (MASK_DIMS, masks, self.mask_attrs)
        if self.quantities is not None:
            variables["amount"] = (AMOUNT_DIMS, amounts, self.amount_attrs)
        return self.frame(tiles).assign(variables)


def plain_date(date: Any) -> int | str:
    """The label of a date as Python's own int or str."""
    return int(date) if isinstance(date, (int, np.integer)) else str(date)


def new_attrs(*, pixel_policy: str = "left_out", attrs: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Attributes of a new tile set: version, time (UTC) and what is given, mappings and lists as JSON text.

    Raises:
        TileError: no such pixel policy.
    """
    made: dict[str, Any] = {
        "specdm_version": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "provenance": "{}",
        "pixel_policy": pixel_policy,
        "problems": "[]",
    }
    for key, value in (attrs or {}).items():
        made[key] = json.dumps(value) if isinstance(value, (Mapping, list, tuple)) else value
    if made["pixel_policy"] not in PIXEL_POLICIES:
        raise TileError(f"pixel_policy is {made['pixel_policy']!r}; expected one of {', '.join(PIXEL_POLICIES)}")
    return made
