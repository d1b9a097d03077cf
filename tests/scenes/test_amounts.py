"""Bands of a mask file become amounts, or a clear refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from specdm.errors import MaskError
from specdm.scenes.amounts import interpret_amounts
from specdm.scenes.raster import Raster
from specdm.scenes.readers import read_raster

DATA = Path("/work/shared/data")


def raster(values: Any, **facts: Any) -> Raster:
    return Raster(
        path=Path(facts.pop("path", "a.mat")), values=xr.DataArray(np.asarray(values), dims=("band", "y", "x")), **facts
    )


def parts(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(shape[0]), size=shape[1:]).transpose(2, 0, 1)


def test_abundances_sum_to_one_and_keep_their_values() -> None:
    values = parts(3, 4, 5)
    (found,), quantities = interpret_amounts([raster(values)], kind="abundances")
    assert found.dtype == np.float32 and found.shape == (3, 4, 5)
    np.testing.assert_allclose(found, values, atol=1e-6)
    assert quantities.sum_to_one and quantities.names == ("quantity 1", "quantity 2", "quantity 3")


@given(st.integers(0, 99), st.floats(-0.015, 0.015))
def test_rounding_in_files_is_evened_out(seed: int, off: float) -> None:
    values = parts(4, 3, 3, seed=seed) * (1 + off)
    values[0, 0, 0] = -0.003  # a tiny negative part, as least squares leaves it
    values[1:, 0, 0] = 1 / 3
    (found,), _ = interpret_amounts([raster(values)], kind="abundances")
    assert np.abs(found.sum(axis=0, dtype=np.float64) - 1).max() < 1e-6
    assert found.min() >= 0


def test_a_pixel_that_is_partly_unknown_or_all_zero_is_unknown() -> None:
    values = parts(3, 2, 3)
    values[1, 0, 0] = np.nan
    values[2, 0, 1] = np.inf
    values[:, 0, 2] = 0
    values[1, 1, 0] = -9999
    (found,), _ = interpret_amounts([raster(values, nodata=-9999.0)], kind="abundances")
    unknown = np.isnan(found)
    assert unknown[:, 0].all() and unknown[:, 1, 0].all()
    assert not unknown[:, 1, 1:].any()


@pytest.mark.parametrize("said", [{"nodata": 0}, {}])
def test_an_absent_material_is_no_missing_value(said: dict[str, Any]) -> None:
    values = np.array([[[1.0, 0.5]], [[0.0, 0.5]]])
    (found,), _ = interpret_amounts([raster(values, nodata=0.0)], kind="abundances", **said)
    assert found.tolist() == values.tolist()


def test_free_values_keep_units_and_zeros() -> None:
    values = np.array([[[0.0, 21.5]], [[-3.0, -1.0]]])
    (found,), quantities = interpret_amounts(
        [raster(values, units="m")], kind="continuous", names=["height", "depth"], nodata=-1
    )
    assert quantities.units == ("m", "m") and not quantities.sum_to_one
    assert found[0].tolist() == [[0.0, 21.5]]
    assert found[1, 0, 0] == -3.0 and np.isnan(found[1, 0, 1])
    _, quantities = interpret_amounts([raster(values, units="m")], kind="continuous", units=["cm", "m"])
    assert quantities.units == ("cm", "m")


def test_packed_values_are_unpacked() -> None:
    (found,), _ = interpret_amounts([raster(np.full((1, 1, 2), 200, np.int16), scale=0.1)], kind="continuous")
    np.testing.assert_allclose(found, 20.0, rtol=1e-6)


def test_names_come_from_the_user_then_the_file() -> None:
    own = raster(parts(2, 2, 2), class_names={1: "tree", 2: "water"})
    assert interpret_amounts([own], kind="abundances")[1].names == ("tree", "water")
    assert interpret_amounts([own], kind="abundances", names=["a", "b"])[1].names == ("a", "b")
    assert interpret_amounts([own], kind="abundances", names={2: "b", 1: "a"})[1].names == ("a", "b")
    tags = raster(parts(2, 2, 2), band_name=("soil", "grass"))
    assert interpret_amounts([tags], kind="abundances")[1].names == ("soil", "grass")


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (parts(3, 2, 2) * 100, {}, ["a.mat", "do not sum to one", "divide them by their sum"]),
        (parts(3, 2, 2)[:2], {}, ["a.mat", "do not sum to one"]),
        (parts(3, 2, 2) - 0.2, {}, ["a.mat", "abundances are 0 or above"]),
        (np.zeros((3, 2, 2)), {}, ["a.mat", "no pixel"]),
        (np.ones((1, 2, 2)), {}, ["two or more"]),
        (parts(3, 2, 2), {"names": ["a", "b"]}, ["a.mat", "3 bands", "2 names"]),
        (parts(3, 2, 2), {"names": {1: "a", 5: "b"}}, ["a.mat", "1, 5", "1 to 3"]),
        (parts(3, 2, 2), {"kind": "both"}, ["both", "abundances"]),
        (np.full((2, 2, 2), np.nan), {"kind": "continuous"}, ["a.mat", "no pixel"]),
        (parts(3, 2, 2) * 1j, {"kind": "continuous"}, ["a.mat", "complex", "real numbers"]),
    ],
)
def test_refusals(values: np.ndarray, options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(MaskError) as refusal:
        interpret_amounts([raster(values)], **{"kind": "abundances"} | options)
    assert all(word in str(refusal.value) for word in words), str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_files_with_another_order_of_quantities() -> None:
    values = parts(3, 4, 5)
    first = raster(values, band_name=("tree", "water", "soil"))
    turned = raster(values[[1, 2, 0]], class_names={1: "water", 2: "soil", 3: "tree"})
    found, quantities = interpret_amounts([first, turned], kind="abundances")
    assert quantities.names == ("tree", "water", "soil")
    np.testing.assert_array_equal(found[1], found[0])
    # names that the user gives are those of positions
    found, _ = interpret_amounts([first, turned], kind="abundances", names=["a", "b", "c"])
    np.testing.assert_array_equal(found[1], found[0][[1, 2, 0]])
    other = raster(values, path="other.tif", band_name=("tree", "water", "roof"))
    with pytest.raises(MaskError, match=r"other.tif: its layers are tree, water, roof, those of a.mat tree"):
        interpret_amounts([first, other], kind="abundances")


def test_files_with_other_quantities_are_refused_by_name() -> None:
    both = [raster(parts(3, 2, 2)), raster(parts(4, 2, 2), path="second.mat")]
    with pytest.raises(MaskError, match=r"second\.mat: has 4 bands for 3 quantities"):
        interpret_amounts(both, kind="abundances")


REAL = [
    ("jasper_ridge/jasperRidge2_R198.mat", "A", ("tree", "water", "dirt", "road"), (3493, 3326, 2428, 753)),
    ("samson/Samson.mat", "S_GT", None, (3015, 3666, 2344)),
    ("muufl_gulfport_crop/muffle_dataset_130_90.mat", "label", None, (1565, 1938, 1196, 2255, 1146)),
]


@pytest.mark.skipif(not DATA.exists(), reason="real data is not here")
@pytest.mark.parametrize(("file", "variable", "names", "counts"), REAL)
def test_real_abundances(file: str, variable: str, names: tuple[str, ...] | None, counts: tuple[int, ...]) -> None:
    (found,), quantities = interpret_amounts([read_raster(DATA / file, variable=variable)], kind="abundances")
    assert np.abs(found.sum(axis=0, dtype=np.float64) - 1).max() < 1e-6 and found.min() >= 0
    assert names is None or quantities.names == names
    assert tuple(np.bincount(found.argmax(axis=0).ravel())) == counts
