"""Quantities are refused where they cannot be what they say, and come back from attributes as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest

from specdm.errors import MaskError
from specdm.scenes.quantities import SUM_TOLERANCE, Quantities

TWO = Quantities.create(["tree", "soil"], sum_to_one=True)


def test_names_units_and_labels():
    given = Quantities.create([" canopy  height", "age"], units=["m", ""])
    assert given.names == ("canopy height", "age")
    assert [given.label(i) for i in range(2)] == ["canopy height (m)", "age"]
    assert Quantities.create(["a", "b"], units="m").units == ("m", "m")
    assert (len(given), given.counted(), Quantities.create(["a"]).counted()) == (2, "2 quantities", "1 quantity")


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        ([], {}, "at least one quantity"),
        (["a", "b", "a "], {}, "given more than once: a"),
        (["a", "b"], {"units": ["m"]}, "1 units for 2 quantities"),
        (["a"], {"sum_to_one": True}, "expected two or more"),
        (["a", "b"], {"sum_to_one": True, "units": "m"}, "have no unit"),
    ],
)
def test_what_cannot_be_is_refused(names, options, message):
    with pytest.raises(MaskError, match=message) as caught:
        Quantities.create(names, **options)
    assert "\n" not in str(caught.value)


def test_abundances_are_checked_within_rounding_and_unknown_ones_are_not():
    values = np.full((2, 3, 3), 0.5)
    values[0, 0, 0] += 0.9 * SUM_TOLERANCE
    values[:, 1, 1] = np.nan
    TWO.check(values, where="here")
    TWO.check(np.full((2, 3, 3), np.nan), where="here")
    values[0, 2, :2] = 0.7
    with pytest.raises(MaskError, match=r"^here: abundances do not sum to one: in 2 pixels .* at worst 1\.2;"):
        TWO.check(values, where="here")
    values[:, 2] = [[-0.1] * 3, [1.1] * 3]
    with pytest.raises(MaskError, match=r"holds an abundance of -0\.1"):
        TWO.check(values, where="here")
    # free values may be anything, but one layer each
    free = Quantities.create(["tree", "soil"])
    free.check(values * 1000, where="here")
    with pytest.raises(MaskError, match="3 layers for 2 quantities"):
        free.check(np.zeros((3, 2, 2)), where="here")


@pytest.mark.parametrize(
    "quantities", [TWO, Quantities.create(["height"], units="m"), Quantities.create(["a", "b"], units=["", "t/ha"])]
)
def test_attributes_bring_back_the_same(quantities):
    assert Quantities.from_attrs(json.loads(json.dumps(quantities.to_attrs()))) == quantities


def test_a_file_may_hand_a_list_of_one_back_as_its_only_text():
    attrs = {"quantity_names": "height", "quantity_units": "m", "sum_to_one": np.int64(0)}
    assert Quantities.from_attrs(attrs) == Quantities.create(["height"], units="m")
    with pytest.raises(MaskError, match="quantity_names"):
        Quantities.from_attrs({})
