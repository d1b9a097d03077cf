"""Dates keep the user's words, and each has the bands of its sensor."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.scenes.dates import (
    bands_of_date,
    checked_date_labels,
    checked_sensors,
    date_labels,
    shared_date_labels,
)


def test_labels_are_text_or_whole_numbers():
    assert date_labels(np.array(["before", "after"])) == ("before", "after")
    assert date_labels(np.arange(2)) == (0, 1)
    assert all(type(label) is int for label in date_labels(np.arange(2)))
    assert date_labels(np.array(["2000-03-17", "2003-02-06"], "datetime64[ns]")) == ("2000-03-17", "2003-02-06")
    assert date_labels(np.array([2000, "later"], object)) == (2000, "later")


def test_stored_labels_are_of_one_kind_and_all_different():
    assert checked_date_labels(np.array([2000, "later"], object), name="here").tolist() == ["2000", "later"]
    assert checked_date_labels(np.array([3, 5]), name="here").dtype.kind == "i"
    with pytest.raises(SceneError, match="here: more than one date is called 5"):
        checked_date_labels(np.array([5, "5"], object), name="here")


def test_scenes_share_labels_only_if_all_agree():
    assert shared_date_labels([("a", "b"), ("a", "b")]) == ("a", "b")
    assert shared_date_labels([("a", "b"), ("a", "c")]) == ("date 1", "date 2")


def test_bands_of_a_date():
    assert bands_of_date(1, n_bands=3).tolist() == [0, 1, 2]
    sensors = {"date_sensor": [0, 1], "band_sensor": [1, 0, 0]}
    assert [bands_of_date(date, n_bands=3, **sensors).tolist() for date in range(2)] == [[1, 2], [0]]


def test_sensors_must_fit_and_one_sensor_is_none():
    sizes = {"n_dates": 2, "n_bands": 3, "name": "here"}
    assert checked_sensors(None, None, **sizes) is None
    assert checked_sensors([7, 7], [7, 7, 7], **sizes) is None
    of_dates, of_bands = checked_sensors([0, 1], np.array([0, 1, 1], np.uint8), **sizes)
    assert of_dates.dtype == of_bands.dtype == np.int64
    for date_sensor, band_sensor, message in (
        (None, [0, 0, 1], "band_sensor is given without date_sensor"),
        ([0, 1], [0, 1], "band_sensor has 2 .* expected 3 whole numbers, one a band"),
        ([0.5, 1], [0, 1, 1], "date_sensor has 2 float64"),
        ([0, 1], [0, 2, 2], "dates are of sensors 0, 1, the bands of sensors 0, 2"),
    ):
        with pytest.raises(SceneError, match=f"here: .*{message}"):
            checked_sensors(date_sensor, band_sensor, **sizes)
