"""Everything a user can say about files, in one record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from specdm.errors import SceneError
from specdm.scenes.dates import DateLabel
from specdm.scenes.images import ImageOptions
from specdm.scenes.labels import ClassNames
from specdm.scenes.pairs import Sources
from specdm.scenes.readers.arrays import ArrayOptions, Layout, Order
from specdm.scenes.readers.products.options import Quality
from specdm.scenes.split_maps import SplitMapKind

MaskKind = Literal["values", "dominant", "change", "abundances", "continuous"]
Sensors = Literal["one", "each"]
BadBands = Literal["leave_out", "keep"]
Variable: TypeAlias = "str | Sequence[str]"

PER_DATE = ("wavelengths", "fwhm", "bands", "sensor", "scale", "offset")
"""Options that may be given as a list with one entry a date when every date has its own sensor."""


@dataclass(frozen=True)
class OpenOptions:
    """The options of `open_scene`, as described there."""

    mask: Any = None
    dates: Sequence[DateLabel] | str | None = None
    wavelengths: Any = None
    fwhm: Any = None
    class_names: ClassNames | None = None
    quantity_names: Sequence[str] | None = None
    quantity_units: Sequence[str] | str | None = None
    unlabelled: int | Iterable[int] | None = None
    classes: Iterable[str | int] | None = None
    bands: Any = None
    nodata: float | list[float] | None = None
    scale: Any = None
    offset: Any = None
    units: str | None = None
    variable: Variable | None = None
    mask_variable: Variable | None = None
    mask_kind: MaskKind | None = None
    rows: int | None = None
    columns: int | None = None
    order: Order | None = None
    layout: Layout | None = None
    sensor: Any = None
    sensors: Sensors = "one"
    resolution: int | None = None
    quality: Quality | None = None
    bad_bands: BadBands = "leave_out"
    split_map: Sources | None = None
    split_map_kind: SplitMapKind = "values"
    date: str | None = None
    name: str | None = None
    citation: str | None = None
    licence: str | None = None

    def __post_init__(self) -> None:
        if self.sensors not in ("one", "each"):
            raise SceneError(f"sensors={self.sensors!r} is not known; expected one (all dates) or each")
        if self.bad_bands not in ("leave_out", "keep"):
            raise SceneError(f"bad_bands={self.bad_bands!r} is not known; expected leave_out or keep")
        if self.date is not None and self.dates is not None:
            raise SceneError("date= and dates= are both given; date= is for a single image, leave it out")

    def given(self) -> dict[str, Any]:
        """What the user said: every option that is not at its default."""
        said = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {
            name: value
            for name, (value, default) in said.items()
            if value is not None and not (isinstance(value, str) and value == default)
        }

    def with_defaults(self, defaults: Mapping[str, Any]) -> OpenOptions:
        """With what a folder layout knows, where the user said nothing."""
        said = self.given()
        return replace(self, **{key: value for key, value in defaults.items() if key not in said})

    def labels(self) -> tuple[DateLabel, ...] | None:
        """Labels of the dates as the user gave them, or None.

        Raises:
            SceneError: no label, or one twice.
        """
        if self.dates is None:
            return None if self.date is None else (self.date,)
        given = [self.dates] if isinstance(self.dates, str) else list(self.dates)
        labels = tuple(label if isinstance(label, int) else str(label) for label in given)
        if not labels:
            raise SceneError("dates= is empty; give one label a date, such as before and after")
        twice = [label for label in labels if labels.count(label) > 1]
        if twice:
            raise SceneError(f"dates= names {twice[0]} more than once; give each date its own label")
        return labels

    def array(self, *, role: Literal["image", "mask"]) -> ArrayOptions:
        """What is said about arrays that do not describe themselves, and of an image about sensor products."""
        image = role == "image"
        return ArrayOptions(
            rows=self.rows, columns=self.columns, order=self.order, layout=self.layout, role=role,
            resolution=self.resolution if image else None, quality=self.quality if image else None,
        )  # fmt: skip

    def image(self, position: int, *, n_dates: int, label: DateLabel | None) -> ImageOptions:
        """What is said about the bands and values of one date."""
        own = {key: self._of_date(key, position, n_dates) for key in PER_DATE}
        return ImageOptions(nodata=self.nodata, date=label, bad_bands=self.bad_bands, **own)

    def _of_date(self, key: str, position: int, n_dates: int) -> Any:
        value = getattr(self, key)
        if not isinstance(value, (list, tuple)):
            return value
        if self.sensors == "each" and len(value) == n_dates and _one_a_date(key, value):
            return value[position]
        if key in ("sensor", "scale", "offset"):
            raise SceneError(
                f"{key}= lists {len(value)} values for {n_dates} dates; give one value, or one a date with "
                'sensors="each"'
            )
        return value


def _one_a_date(key: str, entries: Sequence[Any]) -> bool:
    """Whether these are entries of dates: numbers and names of `wavelengths` and `bands` are of bands."""
    if key in ("wavelengths", "fwhm"):
        return not any(isinstance(entry, (int, float, np.number)) for entry in entries)
    if key == "bands":
        return all(entry is None or isinstance(entry, (list, tuple, np.ndarray)) for entry in entries)
    return True
