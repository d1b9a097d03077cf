"""What the dataset of a scene says about itself, as plain attributes."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr

from specdm.scenes.checks import strips
from specdm.scenes.classes import Classes
from specdm.scenes.dates import DateLabel, bands_of_date, date_labels
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene_amounts import amount_ranges
from specdm.scenes.task import derived_change, task_of


class SceneAttributes:
    """Everything about a `Scene` that can be asked without loading a window of it."""

    def __init__(self, dataset: xr.Dataset) -> None:
        """Wrap a dataset that is already as described in `Scene`; to build one from arrays use `Scene.create`."""
        self.dataset = dataset

    @property
    def name(self) -> str:
        return str(self.dataset.attrs["name"])

    @property
    def height(self) -> int:
        """Rows, in pixels."""
        return int(self.dataset.sizes["y"])

    @property
    def width(self) -> int:
        """Columns, in pixels."""
        return int(self.dataset.sizes["x"])

    @property
    def n_bands(self) -> int:
        return int(self.dataset.sizes["band"])

    @property
    def n_dates(self) -> int:
        return int(self.dataset.sizes["date"])

    @property
    def dates(self) -> tuple[DateLabel, ...]:
        """What the dates are called, in their order."""
        return date_labels(self.dataset["date"].values)

    @property
    def date_sensor(self) -> np.ndarray | None:
        """Sensor of each date, int64 `(date,)`, or None if there is one sensor."""
        return self.dataset["date_sensor"].values if "date_sensor" in self.dataset.coords else None

    @property
    def band_sensor(self) -> np.ndarray | None:
        """Sensor of each band, int64 `(band,)`, or None if there is one sensor."""
        return self.dataset["band_sensor"].values if "band_sensor" in self.dataset.coords else None

    def bands_of(self, date: int) -> np.ndarray:
        """Positions of the bands that the date at this position has, int64: all unless there are two sensors."""
        return bands_of_date(date, n_bands=self.n_bands, date_sensor=self.date_sensor, band_sensor=self.band_sensor)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the mask's layers: "class", "change" or one a date; none without a mask."""
        return tuple(str(layer) for layer in self.dataset["layer"].values) if "mask" in self.dataset else ()

    @property
    def task(self) -> str:
        """What dates, layers and quantities amount to: one of `specdm.scenes.task.TASKS`."""
        return task_of(n_dates=self.n_dates, layers=self.layers, n_quantities=len(self.quantities or ()))

    @property
    def note(self) -> str | None:
        """What must be said wherever the scene is shown, such as "simulated"; None if nothing."""
        return self.dataset.attrs.get("note")

    @property
    def facts(self) -> tuple[str, ...]:
        """What was done in reading a sensor product: corrections, quality layers, resampling; else nothing."""
        return tuple(self.dataset.attrs.get("facts", ()))

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, float64 `(band,)`, or None if unknown. Not always rising: sensors overlap."""
        return self._band_numbers("wavelength")

    @property
    def fwhm(self) -> np.ndarray | None:
        """Band widths (full width at half maximum) in nm, float64 `(band,)`, or None if unknown."""
        return self._band_numbers("fwhm")

    @property
    def band_name(self) -> tuple[str, ...]:
        return tuple(str(name) for name in self.dataset["band_name"].values)

    @property
    def units(self) -> str | None:
        """Unit of the image's values, or None if unknown."""
        return self.dataset["image"].attrs.get("units")

    @property
    def sources(self) -> tuple[str, ...]:
        return tuple(self.dataset.attrs.get("sources", ()))

    @cached_property
    def classes(self) -> Classes | None:
        """What the mask's values mean, or None without a mask."""
        return Classes.from_attrs(self.dataset["mask"].attrs) if "mask" in self.dataset else None

    @cached_property
    def quantities(self) -> Quantities | None:
        """What the amounts are, or None without amounts."""
        return Quantities.from_attrs(self.dataset["amount"].attrs) if "amount" in self.dataset else None

    @property
    def annotated(self) -> bool:
        """Whether somebody labelled the scene: it has a mask or amounts of its own, be they all unknown."""
        known = "mask" in self.dataset or "amount" in self.dataset
        return known and not self.dataset.attrs.get("unlabelled_imagery", False)

    @property
    def split_map(self) -> np.ndarray | None:
        """Given train/test map `(y, x)` int8: 0 nothing, 1 train, 2 test; None if none was given."""
        return self.dataset["split_map"].values if "split_map" in self.dataset else None

    @property
    def left_out(self) -> list[dict[str, Any]]:
        """Bands that were not taken: `{"band": ..., "reason": ...}`."""
        return json.loads(self.dataset.attrs.get("left_out_bands", "[]"))

    @cached_property
    def class_counts(self) -> np.ndarray:
        """Pixels of each class, int64 in the order of `classes`, over all layers; empty without a mask."""
        classes = self.classes
        counts = np.zeros(len(classes) if classes else 0, np.int64)
        if classes is not None:
            for part in strips(self.dataset["mask"]):
                index = classes.index_of(part)
                counts += np.bincount(index[index >= 0], minlength=len(classes))
        return counts

    @cached_property
    def differing(self) -> tuple[int, int] | None:
        """Pixels that stay and that change from the first to the last date; None unless each date has a mask."""
        if self.n_dates < 2 or len(self.layers) != self.n_dates:
            return None
        change = [derived_change(part) for part in strips(self.dataset["mask"])]
        return sum(int((c == 0).sum()) for c in change), sum(int((c == 1).sum()) for c in change)

    @cached_property
    def amount_ranges(self) -> np.ndarray:
        """Least and greatest known value of each quantity, float64 `(quantity, 2)`; `(0, 2)` without amounts."""
        return amount_ranges(self.dataset["amount"]) if "amount" in self.dataset else np.zeros((0, 2))

    def _band_numbers(self, key: str) -> np.ndarray | None:
        return np.asarray(self.dataset[key].values, np.float64) if key in self.dataset.coords else None
