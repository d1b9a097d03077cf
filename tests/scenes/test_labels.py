"""Mask values become classes and unlabelled pixels, or a clear refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from specdm.errors import MaskError
from specdm.scenes.labels import interpret_masks
from specdm.scenes.raster import Raster


def raster(values: Any, **facts: Any) -> Raster:
    array = np.asarray(values)
    cube = array[None] if array.ndim == 2 else array
    return Raster(
        path=Path(facts.pop("path", "m.tif")), values=xr.DataArray(cube, dims=("band", "y", "x")), **facts
    )


VALUES = np.array([[0, 1, 2], [5, 5, 0]], np.uint8)


def test_zero_is_unlabelled_unless_named() -> None:
    (mask,), classes = interpret_masks([raster(VALUES)])
    assert mask.dtype == np.int16
    assert mask.tolist() == [[-1, 1, 2], [5, 5, -1]]
    assert classes.values == (1, 2, 5) and classes.names == ("class 1", "class 2", "class 5")
    (mask,), classes = interpret_masks([raster(VALUES)], class_names={0: "rest", 1: "a", 2: "b", 5: "c"})
    assert mask.tolist() == VALUES.tolist()
    assert classes.names == ("rest", "a", "b", "c")
    (mask,), classes = interpret_masks([raster(VALUES)], unlabelled=())
    assert classes.values == (0, 1, 2, 5)


@pytest.mark.parametrize("unlabelled", [5, [5], np.int64(5)])
def test_stated_unlabelled_values(unlabelled: Any) -> None:
    (mask,), classes = interpret_masks([raster(VALUES)], unlabelled=unlabelled)
    assert classes.values == (0, 1, 2)
    assert (mask[VALUES == 5] == -1).all()


def test_nodata_and_nan_are_unlabelled() -> None:
    values = np.array([[255.0, 1, np.nan], [2, -1, 1]])
    (mask,), classes = interpret_masks([raster(values, nodata=255.0)])
    assert mask.tolist() == [[-1, 1, -1], [2, -1, 1]]
    assert classes.values == (1, 2)
    # unless the user names that very value
    (mask,), classes = interpret_masks([raster(values, nodata=255.0)], class_names={255: "x", 1: "a", 2: "b"})
    assert classes.values == (1, 2, 255)


def test_nodata_of_one_file_is_a_class_of_another() -> None:
    masks, classes = interpret_masks([raster([[1, 9]], nodata=9.0), raster([[9, 1]], nodata=None)])
    assert classes.values == (1, 9)
    assert [mask.tolist() for mask in masks] == [[[1, -1]], [[9, 1]]]


def test_list_of_names() -> None:
    _, classes = interpret_masks([raster(VALUES)], class_names=["a", "b", "c"])
    assert dict(zip(classes.values, classes.names, strict=True)) == {1: "a", 2: "b", 5: "c"}
    _, classes = interpret_masks([raster(VALUES)], class_names=["none", "a", "b", "c"])
    assert classes.values[0] == 0
    with pytest.raises(MaskError, match=r"2 class names for 3 values that occur \(1, 2, 5\)"):
        interpret_masks([raster(VALUES)], class_names=["a", "b"])


def test_names_and_colours_of_the_file() -> None:
    facts = {"class_names": {0: "Unclassified", 1: "roof", 2: "tree"}, "class_colors": {1: "#ff0000"}}
    _, classes = interpret_masks([raster(VALUES, **facts)])
    assert classes.names == ("roof", "tree", "class 5")
    assert classes.colors[0] == "#ff0000"
    _, classes = interpret_masks([raster(VALUES, class_names={0: "water", 1: "roof"})])
    assert classes.names[0] == "water"


def test_value_without_a_name() -> None:
    with pytest.raises(MaskError, match=r"m\.tif: mask values 2, 5 have no class name; named are 1, 7"):
        interpret_masks([raster(VALUES)], class_names={1: "a", 7: "z"})


def test_one_legend_for_several_masks() -> None:
    masks, classes = interpret_masks([raster([[0, 1]]), raster([[3, 3]])])
    assert classes.values == (1, 3)
    assert [mask.tolist() for mask in masks] == [[[-1, 1]], [[3, 3]]]


def test_choice_of_classes() -> None:
    names = {1: "a", 2: "b", 5: "c"}
    (mask,), classes = interpret_masks([raster(VALUES)], class_names=names, classes=["c", 1])
    assert classes.names == ("a", "c")
    assert mask.tolist() == [[-1, 1, -1], [5, 5, -1]]
    with pytest.raises(MaskError, match=r"no class 'd'; the classes are a \(1\)"):
        interpret_masks([raster(VALUES)], class_names=names, classes=["d"])


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        ([[0.5, 1.0]], {}, "look like continuous"),
        ([[np.inf, 1.0]], {}, "look like continuous"),
        (np.arange(400).reshape(20, 20), {}, "more than 256 different values"),
        ([[0, 0]], {}, "every pixel is unlabelled"),
        ([[1, 2]], {"unlabelled": [1, 2]}, "every pixel is unlabelled"),
        ([[1, 70000]], {}, "70000 is out of range"),
        ([[1, -9]], {}, "-9 is below 0"),
        ([[1, 2]], {"unlabelled": 1, "class_names": {1: "a", 2: "b"}}, "named 'a' and called unlabelled"),
        (np.ones((3, 2, 2), np.uint8), {}, "has 3 bands"),
        ([[1, 2]], {"kind": "dominant"}, "has one band"),
        ([[1, 2]], {"kind": "most"}, "mask_kind"),
    ],
)
def test_refusals(values: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(MaskError, match=message):
        interpret_masks([raster(values)], **options)


def test_dominant_abundance() -> None:
    abundances = np.array([[[0.7, 0.1, 0.0]], [[0.3, 0.5, 0.0]], [[0.0, 0.4, 0.0]]])
    (mask,), classes = interpret_masks(
        [raster(abundances)], kind="dominant", class_names=["tree", "water", "road"]
    )
    assert mask.tolist() == [[1, 2, -1]]
    assert classes.names == ("tree", "water")  # road is nowhere dominant
    _, classes = interpret_masks([raster(abundances, class_names={1: "a", 2: "b", 3: "c"})], kind="dominant")
    assert classes.names == ("a", "b")
    _, classes = interpret_masks([raster(abundances, band_name=("x", "y", "z"))], kind="dominant")
    assert classes.names == ("x", "y")
    with pytest.raises(MaskError, match="3 abundances, but 2 class names"):
        interpret_masks([raster(abundances)], kind="dominant", class_names=["a", "b"])
    with pytest.raises(MaskError, match="abundances are 0 or above"):
        interpret_masks([raster(abundances - 1)], kind="dominant")


@given(
    values=hnp.arrays(
        st.sampled_from([np.uint8, np.int16, np.int64, np.float32]),
        st.tuples(st.integers(1, 8), st.integers(1, 8)),
        elements=st.integers(0, 9),
    )
)
def test_labels_keep_their_values(values: np.ndarray) -> None:
    if not values.any():
        return
    (mask,), classes = interpret_masks([raster(values)])
    np.testing.assert_array_equal(np.where(values == 0, -1, values.astype(int)), mask)
    assert set(classes.values) == set(np.unique(values).astype(int)) - {0}


def legend(values: Any, path: str, *names: str, **facts: Any) -> Raster:
    return raster(values, path=path, class_names=dict(enumerate(names)), **facts)


def test_files_that_number_classes_differently() -> None:
    first = legend([[0, 1, 2, 3]], "a.hdr", "Unclassified", "water", "forest", "urban")
    second = legend([[0, 1, 2, 4]], "b.hdr", "unlabeled", "Forest", "urban ", "road", "water", nodata=3)
    masks, classes = interpret_masks([first, second])
    assert dict(zip(classes.values, classes.names, strict=True)) == {1: "water", 2: "Forest", 3: "urban"}
    assert [mask.tolist() for mask in masks] == [[[-1, 1, 2, 3]], [[-1, 2, 3, 1]]]
    # what the user says of a value holds in every file's own numbering
    masks, classes = interpret_masks([first, second], unlabelled=2)
    assert [mask.tolist() for mask in masks] == [[[-1, 1, -1, 3]], [[-1, 5, -1, 1]]]
    # one numbering for all
    masks, _ = interpret_masks([first, second], class_names={1: "a", 2: "b", 3: "c", 4: "d"})
    assert [mask.tolist() for mask in masks] == [[[-1, 1, 2, 3]], [[-1, 1, 2, 4]]]


def test_zero_is_a_class_of_one_file_and_nothing_in_another() -> None:
    first, second = legend([[0, 1]], "a.hdr", "water", "forest"), legend([[0, 1]], "b.hdr", "none", "forest")
    masks, _ = interpret_masks([first, second])
    assert [mask.tolist() for mask in masks] == [[[0, 1]], [[-1, 1]]]


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("no", "b"), "b.hdr does not name its value 2"), (("no", "b", "b"), "has 'b' twice")],
)
def test_contradictions_that_names_do_not_solve(names: tuple[str, ...], expected: str) -> None:
    rasters = [legend([[1, 2]], "a.hdr", "no", "a", "b"), legend([[1, 2]], "b.hdr", *names)]
    with pytest.raises(MaskError, match=rf"value 1 is 'a' in a.hdr but 'b' in b.hdr, and .*{expected}"):
        interpret_masks(rasters)


@pytest.mark.parametrize("nodata", [255.0, -9999.0])
def test_no_data_is_never_dominant(nodata: float) -> None:
    abundances = np.array([[[0.7, nodata, 0.1]], [[0.3, nodata, 0.9]]], np.float32)
    (mask,), _ = interpret_masks([raster(abundances, nodata=nodata)], kind="dominant")
    assert mask.tolist() == [[1, -1, 2]]


def test_abundances_in_another_order() -> None:
    values = np.array([[[0.7]], [[0.1]], [[0.2]]])
    turned = raster(values[[1, 2, 0]], band_name=("water", "soil", "tree"))
    masks, _ = interpret_masks([raster(values, band_name=("tree", "water", "soil")), turned], kind="dominant")
    assert [mask.tolist() for mask in masks] == [[[1]], [[1]]]
