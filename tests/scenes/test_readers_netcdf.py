"""NetCDF and Zarr by the CF conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from specdm.errors import FileFormatError
from specdm.scenes.readers import read_raster

CUBE = np.random.default_rng(0).integers(0, 4000, (3, 6, 5)).astype(np.int16)


def scene(**attrs: Any) -> xr.Dataset:
    flags = {"flag_values": np.array([1, 2], np.int8), "flag_meanings": "bare_soil water"}
    return xr.Dataset(
        {
            "reflectance": (("y", "x", "wavelength"), CUBE.transpose(1, 2, 0), attrs),
            "land_cover": (("y", "x"), (CUBE[0] % 3).astype(np.int8), flags),
        },
        coords={
            "wavelength": ("wavelength", [0.45, 0.55, 0.66], {"units": "um"}),
            "fwhm": ("wavelength", [0.01, 0.01, 0.02], {"units": "um"}),
            "x": ("x", 1000.0 + 30 * np.arange(5)),
            "y": ("y", 2000.0 - 30 * np.arange(6)),
        },
    )


def save(data: xr.Dataset, folder: Path, kind: str) -> Path:
    if kind == "zarr":
        data.to_zarr(folder / "s.zarr", consolidated=False)
        return folder / "s.zarr"
    path = folder / "s.nc"
    formats: dict[str, Any] = {"netcdf4": "NETCDF4", "classic": "NETCDF3_CLASSIC"}
    data.to_netcdf(path, format=formats[kind], engine="netcdf4")
    return path


@pytest.mark.parametrize("kind", ["netcdf4", "classic", "zarr"])
def test_cube_and_flags(tmp_path: Path, kind: str) -> None:
    path = save(scene(units="1", _FillValue=np.int16(-9), scale_factor=1e-4, add_offset=0.5), tmp_path, kind)
    raster = read_raster(path)
    assert raster.variable == "reflectance"
    stored = raster.values.values
    np.testing.assert_allclose(stored, CUBE)
    np.testing.assert_allclose(raster.wavelength, [450, 550, 660])
    np.testing.assert_allclose(raster.fwhm, [10, 10, 20])
    assert (raster.nodata, raster.scale, raster.offset, raster.units) == (-9, 1e-4, 0.5, "1")
    mask = read_raster(path, role="mask")
    assert mask.class_names == {1: "bare soil", 2: "water"}
    np.testing.assert_array_equal(mask.values.values[0], CUBE[0] % 3)
    assert raster.values.x[0] == 1000 and raster.values.y[-1] == 1850


def test_grid_mapping(tmp_path: Path) -> None:
    import rioxarray  # noqa: F401

    data = scene()
    placed = data[["reflectance"]].transpose("wavelength", "y", "x").rio.write_crs("EPSG:32633")
    raster = read_raster(save(placed, tmp_path, "netcdf4"))
    assert raster.values.rio.crs.to_epsg() == 32633
    assert raster.values.rio.transform().c == 985


def test_band_names_and_single_time(tmp_path: Path) -> None:
    data = xr.Dataset(
        {"image": (("time", "band", "lat", "lon"), CUBE[None])},
        coords={"band": ["B02", "B03", "B04"], "time": [3]},
    )
    raster = read_raster(save(data, tmp_path, "netcdf4"))
    assert raster.band_name == ("B02", "B03", "B04") and raster.wavelength is None
    np.testing.assert_array_equal(raster.values.values, CUBE)


def test_unnamed_dimensions_need_a_layout(tmp_path: Path) -> None:
    path = save(xr.Dataset({"cube": (("p", "q", "r"), CUBE)}), tmp_path, "netcdf4")
    with pytest.raises(FileFormatError, match=r"dimensions p, q, r .*layout="):
        read_raster(path)
    np.testing.assert_array_equal(read_raster(path, layout="byx").values.values, CUBE)
    np.testing.assert_array_equal(read_raster(path, layout="yxb").values.values, CUBE.transpose(2, 0, 1))


def test_tile_set_is_no_scene(tmp_path: Path) -> None:
    data = xr.Dataset({"image": (("tile", "date", "band", "y", "x"), CUBE[None, None])})
    with pytest.raises(FileFormatError, match="open_tiles"):
        read_raster(save(data, tmp_path, "zarr"))


@pytest.mark.parametrize("kind", ["netcdf4", "classic"])
@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_truncated(tmp_path: Path, kind: str, share: float) -> None:
    big = xr.Dataset({"image": (("band", "y", "x"), np.random.default_rng(0).random((4, 30, 30)))})
    path = save(big, tmp_path, kind)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FileFormatError, match=r"s\.nc"):
        read_raster(path).values.values  # noqa: B018


def test_folder_that_is_no_zarr(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="folder, not a Zarr store"):
        read_raster(tmp_path)


def test_broken_zarr(tmp_path: Path) -> None:
    path = save(scene(), tmp_path, "zarr")
    (path / "zarr.json").write_text("{")
    with pytest.raises(FileFormatError, match=r"s\.zarr"):
        read_raster(path)
