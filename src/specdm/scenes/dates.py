"""What the dates of a scene or tile set are called, and which bands each of them has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.errors import SceneError

DateLabel = str | int
"""What a date is called: a word as the user gave it ("2000-03-17", "before"), or a number from 0."""


def date_labels(values: np.ndarray) -> tuple[DateLabel, ...]:
    """Labels from the values of a coordinate `date`: whole numbers stay numbers, everything else becomes text."""
    values = np.asarray(values)
    if values.dtype.kind == "M":
        values = np.datetime_as_string(values, unit="auto")
    return tuple(int(v) if isinstance(v, int | np.integer) else str(v) for v in values.tolist())


def checked_date_labels(values: np.ndarray, *, name: str) -> np.ndarray:
    """The labels as they are stored: one plain numpy array of whole numbers or of text.

    Raises:
        SceneError: two dates have the same label.
    """
    labels = date_labels(values)
    twice = sorted({str(label) for label in labels if [str(other) for other in labels].count(str(label)) > 1})
    if twice:
        raise SceneError(f"{name}: more than one date is called {', '.join(twice)}; give each date its own label")
    return np.array(labels if all(isinstance(label, int) for label in labels) else [str(label) for label in labels])


def shared_date_labels(labels: Sequence[Sequence[DateLabel]]) -> tuple[DateLabel, ...]:
    """Labels for several scenes of as many dates each: their own if all agree, else "date 1", "date 2" ...

    Cities are flown over on days of their own; the first date of one is still the first date of all.
    """
    if all(tuple(own) == tuple(labels[0]) for own in labels):
        return tuple(labels[0])
    return tuple(f"date {i + 1}" for i in range(len(labels[0])))


def checked_sensors(
    date_sensor: Sequence[int] | np.ndarray | None,
    band_sensor: Sequence[int] | np.ndarray | None,
    *,
    n_dates: int,
    n_bands: int,
    name: str,
) -> tuple[np.ndarray, np.ndarray] | None:
    """Which sensor took each date, `(date,)`, and which has each band, `(band,)`; None if there is only one.

    Raises:
        SceneError: one of the two is missing, has another length or is not whole numbers, or a sensor has dates
            without bands or bands without dates.
    """
    if date_sensor is None and band_sensor is None:
        return None
    if date_sensor is None or band_sensor is None:
        there, lacks = ("band_sensor", "date_sensor") if date_sensor is None else ("date_sensor", "band_sensor")
        raise SceneError(f"{name}: {there} is given without {lacks}; two sensors on one grid need both")
    checked = []
    for what, given, count in (("date_sensor", date_sensor, n_dates), ("band_sensor", band_sensor, n_bands)):
        numbers = np.asarray(given)
        if numbers.shape != (count,) or numbers.dtype.kind not in "iu":
            raise SceneError(
                f"{name}: {what} has {numbers.size} {numbers.dtype} values; expected {count} whole numbers, "
                f"one a {what.split('_')[0]}"
            )
        checked.append(numbers.astype(np.int64))
    of_dates, of_bands = set(checked[0].tolist()), set(checked[1].tolist())
    if of_dates != of_bands:
        raise SceneError(
            f"{name}: the dates are of sensors {_listed(of_dates)}, the bands of sensors {_listed(of_bands)}; "
            "expected every sensor to have a date and bands"
        )
    return (checked[0], checked[1]) if len(of_dates) > 1 else None


def bands_of_date(
    date: int,
    *,
    n_bands: int,
    date_sensor: Sequence[int] | np.ndarray | None = None,
    band_sensor: Sequence[int] | np.ndarray | None = None,
) -> np.ndarray:
    """Positions of the bands that a date has, int64: all of them unless there are two sensors.

    Args:
        date: position of the date.
        n_bands: bands of all sensors together.
        date_sensor: sensor of each date, `(date,)`; None if there is one sensor.
        band_sensor: sensor of each band, `(band,)`; None if there is one sensor.
    """
    if date_sensor is None or band_sensor is None:
        return np.arange(n_bands)
    return np.flatnonzero(np.asarray(band_sensor) == np.asarray(date_sensor)[date])


def _listed(sensors: set[int]) -> str:
    return ", ".join(str(sensor) for sensor in sorted(sensors))
