"""Classes: values, names and colours belong together and survive a trip through attributes."""

from __future__ import annotations

import json

import numpy as np
import pytest

from specdm.errors import MaskError
from specdm.scenes.classes import PALETTE, UNLABELLED, Classes


def test_defaults_name_classes_by_value_and_give_each_a_colour_of_its_own():
    classes = Classes.create(range(1, 51))
    assert classes.names[2] == "class 3"
    assert len(set(classes.colors)) == len(classes) == 50
    assert classes.colors == Classes.create(range(1, 51)).colors


def test_palette_tells_thirty_classes_apart_from_each_other_and_from_unlabelled():
    colors = [
        np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) for color in [*PALETTE[:30], "#e8e8e8"]
    ]
    nearest = min(np.abs(one - two).sum() for i, one in enumerate(colors) for two in colors[:i])
    assert nearest >= 40


def test_positions_and_values_are_inverse_and_unlabelled_stays():
    classes = Classes.create([11, -5, 0, 3])
    mask = np.array([[3, UNLABELLED, 11], [0, -5, 3]], np.int16)
    index = classes.index_of(mask)
    assert index.tolist() == [[3, -1, 0], [2, 1, 3]]
    back = classes.values_of(index)
    assert back.dtype == np.int16
    assert (back == mask).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64])
def test_a_value_without_class_is_named(dtype):
    with pytest.raises(MaskError, match=r"9.*class 1 \(1\)"):
        Classes.create([1, 2]).index_of(np.array([1, 9], dtype))


def test_positions_out_of_range_are_refused():
    with pytest.raises(MaskError, match="expected -1 to 1"):
        Classes.create([1, 2]).values_of(np.array([0, 2]))


def test_position_by_name_and_value_and_the_message_lists_names():
    classes = Classes.create([4, 8], ["roof", "tree"])
    assert classes.position("tree") == classes.position(8) == classes.position(np.int16(8)) == 1
    with pytest.raises(MaskError, match=r"'car'.*roof \(4\), tree \(8\)"):
        classes.position("car")
    with pytest.raises(MaskError, match="1"):
        classes.position(1)


def test_names_and_colours_by_value_fill_in_the_rest():
    classes = Classes.create([1, 2], {2: "wet  land"}, {1: "#ABCDEF"})
    assert classes.names == ("class 1", "wet land")
    assert classes.colors == ("#abcdef", PALETTE[1])


def test_a_name_given_twice_stays_distinguishable():
    assert Classes.create([1, 2, 3], ["field", "field", "lake"]).names == ("field (1)", "field (2)", "lake")


@pytest.mark.parametrize(
    ("values", "names", "colors", "message"),
    [
        ([], None, None, "at least one class"),
        ([1, 1], None, None, "more than once: 1"),
        ([UNLABELLED], None, None, "means unlabelled"),
        ([40000], None, None, "out of range"),
        ([1.5], None, None, "not a whole number"),
        ([1, 2], ["only"], None, "1 class names given for 2"),
        ([1], None, ["red"], "#rrggbb"),
    ],
)
def test_bad_classes_are_refused(values, names, colors, message):
    with pytest.raises(MaskError, match=message):
        Classes.create(values, names, colors)


def test_attributes_follow_cf_and_come_back():
    classes = Classes.create([1, 3, 4], ["bare soil", "bare_soil", "Gebäude/Haus"])
    attrs = json.loads(json.dumps(classes.to_attrs()))
    words = attrs["flag_meanings"].split()
    assert len(set(words)) == 3 == len(attrs["flag_values"]) == len(attrs["flag_colors"].split())
    assert attrs["unlabelled_value"] == -1
    assert "_FillValue" not in attrs
    assert Classes.from_attrs(attrs) == classes


def test_attributes_of_other_cf_files_are_understood():
    attrs = {"flag_values": np.array([-1, 0, 1], np.int8), "flag_meanings": "unknown land open_water"}
    classes = Classes.from_attrs(attrs)
    assert classes.values == (0, 1)
    assert classes.names == ("land", "open water")
    with pytest.raises(MaskError, match="flag_values"):
        Classes.from_attrs({})
    with pytest.raises(MaskError, match="3 flag_values but 1 names"):
        Classes.from_attrs({"flag_values": [0, 1, 2], "flag_meanings": "land"})
