"""Bands without information are found, and bands are chosen as a user would say it."""

from __future__ import annotations

import dask.array
import numpy as np
import pytest
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.bands import choose_bands, find_problem_bands

WAVELENGTH = np.array([450.0, 550.0, 650.0, 850.0, 1600.0])
NAMES = ("Blue", "Green", "Red", "NIR", "SWIR 1")


def cube(dtype=np.float32) -> np.ndarray:
    """Seven bands of 6 x 5 px: good, zero, nodata, constant, marked bad, constant but for nodata, good."""
    values = np.random.default_rng(0).integers(1, 900, (7, 6, 5)).astype(dtype)
    values[1] = 0
    values[2] = -32768
    values[3] = 7
    values[5] = 7
    values[5, :3] = -32768
    return values


EXPECTED = {1: "empty", 2: "all nodata", 3: "constant (7)", 4: "marked bad by the file", 5: "constant (7)"}
GOOD = np.array([1, 1, 1, 1, 0, 1, 1], bool)


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_every_kind_of_useless_band_is_found(dtype):
    values = xr.DataArray(cube(dtype), dims=("band", "y", "x"))
    assert find_problem_bands(values, nodata=-32768, good=GOOD) == EXPECTED


def test_nan_and_infinite_values_are_nodata():
    values = cube()
    values[2], values[5, :3], values[5, 3] = np.nan, np.inf, -np.inf
    values[5, 4:] = 7
    assert find_problem_bands(xr.DataArray(values, dims=("band", "y", "x")), good=GOOD) == EXPECTED


def test_nodata_in_another_precision_than_the_file():
    values = np.full((1, 3, 3), np.float32(-3.4e38))
    stated = -3.4e38  # double precision, which differs from the file's single in the last digits
    assert np.float64(values[0, 0, 0]) != stated
    found = find_problem_bands(xr.DataArray(values, dims=("band", "y", "x")), nodata=stated)
    assert found == {0: "all nodata"}


@pytest.mark.parametrize("chunks", [(2, 2, 2), (7, 1, 5), (1, 6, 5)])
def test_lazy_values_give_the_same_and_each_block_is_read_once(chunks):
    reads = []

    def read(block, block_info=None):
        reads.append(block_info[0]["chunk-location"])
        return block

    lazy = dask.array.from_array(cube(), chunks=chunks)
    n_blocks = int(np.prod(lazy.numblocks))
    lazy = lazy.map_blocks(read, dtype=lazy.dtype, meta=np.empty((0, 0, 0), lazy.dtype))
    shares = []
    found = find_problem_bands(
        xr.DataArray(lazy, dims=("band", "y", "x")), nodata=-32768, good=GOOD, progress=shares.append
    )
    assert found == EXPECTED
    assert len(reads) == len(set(reads)) <= n_blocks
    assert shares[-1] == 1.0
    # no more than a block of the file in memory, along no axis
    assert len(shares) == n_blocks


def test_bands_marked_bad_are_not_read():
    def fail(block):
        raise AssertionError("a bad band was read")

    lazy = dask.array.ones((2, 4, 4), chunks=(1, 4, 4)).map_blocks(
        fail, dtype=float, meta=np.empty((0, 0, 0))
    )
    found = find_problem_bands(xr.DataArray(lazy, dims=("band", "y", "x")), good=[False, False])
    assert set(found) == {0, 1}


def test_wrong_number_of_marks():
    with pytest.raises(SceneError, match="3 good/bad marks for 7 bands"):
        find_problem_bands(xr.DataArray(cube(), dims=("band", "y", "x")), good=[True] * 3)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (None, [0, 1, 2, 3, 4]),
        (1, [1]),
        (-1, [4]),
        (np.int64(2), [2]),
        ("NIR", [3]),
        ("nir", [3]),
        ("SWIR 1", [4]),
        ("450-900", [0, 1, 2, 3]),
        ("500 - 660 nm", [1, 2]),
        (slice(1, 4, 2), [1, 3]),
        (["SWIR 1", 0, "500-700", slice(0, 1)], [0, 1, 2, 4]),
        (np.array([True, False, False, True, False]), [0, 3]),
        (range(3), [0, 1, 2]),
    ],
)
def test_selections(selection, expected):
    assert choose_bands(selection, wavelength=WAVELENGTH, band_name=NAMES, n_bands=5) == expected


def test_a_name_that_looks_like_a_range_is_a_name():
    assert choose_bands("450-900", wavelength=WAVELENGTH, band_name=("450-900", *NAMES[1:]), n_bands=5) == [0]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("Gren", r"no band 'Gren'.*names: Green"),
        (5, "positions run from 0 to 4"),
        ("2000-2500", "run from 450 to 1600 nm"),
        (1.5, "give positions, names"),
        (True, "give positions, names"),
        (slice(3, 3), "has no band in it"),
        ([], "has no band in it"),
    ],
)
def test_bad_selections_say_what_there_is(selection, message):
    with pytest.raises(SceneError, match=message):
        choose_bands(selection, wavelength=WAVELENGTH, band_name=NAMES, n_bands=5)


def test_without_wavelengths_or_names():
    with pytest.raises(SceneError, match="wavelengths are unknown"):
        choose_bands("450-900", wavelength=None, band_name=None, n_bands=5)
    with pytest.raises(SceneError, match="names no bands"):
        choose_bands("red", wavelength=None, band_name=None, n_bands=5)
