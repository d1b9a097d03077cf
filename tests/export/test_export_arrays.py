"""NumPy and MATLAB files: what numpy, xarray and scipy find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from export_tile_sets import CLASSES, amount_tiles, exported, mixed_tiles, plain_tiles
from scipy.io import loadmat

from specdm.errors import TileError
from specdm.tiles.export import export_tiles, mat


def test_npz_holds_a_tile_whole(tmp_path: Path) -> None:
    tiles = plain_tiles()
    folder, lines = exported(tiles, "npz", tmp_path / "out")
    for i, line in enumerate(lines):
        found = np.load(folder / line["files"], allow_pickle=False)
        np.testing.assert_array_equal(found["image"], tiles.images(i)[0, 0])
        np.testing.assert_array_equal(found["mask"], tiles.masks(i)[0, 0])
        assert (found["image"].dtype, found["mask"].dtype) == (np.float32, np.int16)
        np.testing.assert_array_equal(found["wavelength"], tiles.wavelength)
        assert tuple(found["class_value"]) == CLASSES.values and tuple(found["class_name"]) == CLASSES.names
        assert tuple(found["class_color"]) == CLASSES.colors
        assert (str(found["split"]), str(found["tile_name"])) == (line["split"], line["name"])


def test_npz_makes_an_xarray(tmp_path: Path) -> None:
    tiles = mixed_tiles()
    folder, _ = exported(tiles, "npz", tmp_path / "out")
    found = np.load(folder / "tile_00002.npz")
    dims = ("date", "band", "y", "x")
    coords = {"date": found["date"], "wavelength": ("band", found["wavelength"])}
    array = xr.DataArray(found["image"], dims=dims, coords=coords)
    expected = tiles.dataset["image"].isel(tile=2)
    np.testing.assert_array_equal(array.sel(date="2021/06").values, expected.sel(date="2021/06").values)
    assert list(found["date_sensor"]) == [0, 1] and list(found["band_sensor"]) == [0, 0, 0, 1, 1]
    np.testing.assert_array_equal(found["mask"], tiles.masks(2)[0])


def test_mat_holds_a_tile_whole(tmp_path: Path) -> None:
    tiles = plain_tiles()
    folder, lines = exported(tiles, "mat", tmp_path / "out")
    for i, line in enumerate(lines):
        found = loadmat(folder / line["files"], simplify_cells=True)
        np.testing.assert_array_equal(found["image"], tiles.images(i)[0, 0])
        np.testing.assert_array_equal(found["mask"], tiles.masks(i)[0, 0])
        assert (found["image"].dtype, found["mask"].dtype) == (np.float32, np.int16)
        np.testing.assert_array_equal(found["fwhm"], tiles.fwhm)
        assert list(found["class_name"]) == list(CLASSES.names) and list(found["class_value"]) == list(CLASSES.values)
        assert list(found["band_name"]) == list(tiles.band_name)
        assert (found["split"], found["tile_name"]) == (line["split"], line["name"])


@pytest.mark.parametrize("form", ["npz", "mat"])
def test_amounts_and_scores(tmp_path: Path, form: str) -> None:
    tiles = amount_tiles()
    folder, lines = exported(tiles, form, tmp_path / "out")
    file = folder / lines[1]["files"]
    found = np.load(file) if form == "npz" else loadmat(file, simplify_cells=True)
    np.testing.assert_array_equal(found["amount"], tiles.amounts(1)[0])
    np.testing.assert_array_equal(found["reliability"], tiles.reliability(1)[0, 0])
    assert list(found["quantity_unit"]) == ["m", "%"] and float(found["tile_reliability"]) == 0.5
    assert "mask" not in found


def test_a_tile_beyond_the_limit_of_mat_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mat, "MOST_BYTES", 1000)
    with pytest.raises(TileError, match=r"up to 2 GB.*would be lost; export to npz"):
        export_tiles(plain_tiles(), format="mat", folder=tmp_path / "out")
