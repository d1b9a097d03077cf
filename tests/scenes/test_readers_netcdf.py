"""NetCDF and Zarr by the CF conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rioxarray  # noqa: F401
import xarray as xr
from rasterio.transform import from_origin

from specdm.errors import FileFormatError
from specdm.scenes import open_scene
from specdm.scenes.georeference import check_same_place, georeferenced
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.labels import interpret_masks
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


def image_of(path: Path) -> np.ndarray:
    raster = read_raster(path, variable="reflectance")
    return as_float(raster, raster.values, ImageOptions()).values


@pytest.mark.parametrize("kind", ["netcdf4", "classic", "zarr"])
def test_signed_bytes_that_mean_unsigned_ones(tmp_path: Path, kind: str) -> None:
    data = scene(_Unsigned="true", _FillValue=np.int8(-1), valid_range=np.array([0, -6], np.int8), scale_factor=0.5)
    meant = (CUBE % 256).astype(np.uint8)
    meant[0, 0, :3] = 200, 255, 252
    data["reflectance"].values = meant.transpose(1, 2, 0).astype(np.int16)
    data["reflectance"] = data["reflectance"].astype(np.int8)
    path = save(data, tmp_path, kind)
    assert read_raster(path).nodata == 255
    np.testing.assert_array_equal(image_of(path), np.where(meant > 250, np.nan, meant * np.float32(0.5)))


@pytest.mark.parametrize("kind", ["netcdf4", "zarr"])
@pytest.mark.parametrize(
    "attrs",
    [
        {"_FillValue": np.int16(1), "missing_value": np.int16(2)},
        {"_FillValue": np.int16(1), "missing_value": np.array([1, 2], np.int16)},
        {"missing_value": np.array([1, 2], np.int16)},
        {"_FillValue": np.int16(1), "valid_min": np.int16(3)},
        {"valid_range": np.array([3, 3990], np.int16)},
        {"valid_min": np.int16(3), "valid_max": np.int16(3990), "scale_factor": 1e-4},
        # of the type of the scale factor, so of unpacked values
        {"valid_range": np.array([0.6, 798]), "scale_factor": 0.2},
        {"valid_min": -798.0, "valid_max": -0.6, "scale_factor": -0.2},
    ],
)
def test_all_that_is_no_data(tmp_path: Path, kind: str, attrs: dict[str, Any]) -> None:
    data, cube = scene(**attrs), CUBE.copy()
    cube[0, 0, :4] = 1, 2, 3, 3990
    cube[1, 1, 1] = 3991
    data["reflectance"].values = cube.transpose(1, 2, 0)
    expected = (cube * np.float32(attrs.get("scale_factor", 1))).astype(np.float32)
    expected[0, 0, :2] = np.nan
    if "valid_range" in attrs or "valid_max" in attrs:
        expected[cube > 3990] = np.nan
    np.testing.assert_allclose(image_of(save(data, tmp_path, kind)), expected, rtol=1e-6)


def test_limits_of_floats_are_compared_as_stored(tmp_path: Path) -> None:
    data = scene(valid_max=0.1, missing_value="none")
    values = np.full(CUBE.transpose(1, 2, 0).shape, 0.1, np.float32)
    values[0, 0, 0], values[1, 1, 1] = 0.2, np.nan
    data["reflectance"] = (data["reflectance"].dims, values, data["reflectance"].attrs)
    missing = np.isnan(image_of(save(data, tmp_path, "netcdf4")))
    assert missing.sum() == 2 and missing[0, 0, 0] and missing[1, 1, 1]


def test_a_mask_with_several_numbers_for_unlabelled(tmp_path: Path) -> None:
    data = scene()
    data["land_cover"].attrs |= {"_FillValue": np.int8(-5), "missing_value": np.int8(7)}
    data["land_cover"].values[0, :2] = -5, 7
    mask = read_raster(save(data, tmp_path, "netcdf4"), role="mask")
    labels, classes = interpret_masks([mask])
    assert classes.names == ("bare soil", "water") and (labels[0][0, :2] == -1).all()


@pytest.mark.parametrize("kind", ["netcdf4", "zarr"])
def test_variables_in_groups(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("s.zarr" if kind == "zarr" else "s.nc")
    whole = scene()
    for group, content in (
        ("", whole.drop_vars(["reflectance", "land_cover", "wavelength", "fwhm"])),
        ("DATA/CUBES", whole[["reflectance"]].drop_vars(["x", "y"])),
        ("MASKS", whole[["land_cover"]].drop_vars(["x", "y"])),
    ):
        if kind == "zarr":
            content.to_zarr(path, group=group or None, mode="a", consolidated=False)
        else:
            content.to_netcdf(path, group=group or None, mode="a" if group else "w", engine="netcdf4")
    with pytest.raises(FileFormatError, match=r"DATA/CUBES/reflectance \(6 x 5 x 3\).*MASKS/land_cover.* variable="):
        read_raster(path)
    with pytest.raises(FileFormatError, match=r"no variable 'DATA/none'.*DATA/CUBES/reflectance"):
        read_raster(path, variable="DATA/none")
    opened = open_scene(
        path, variable="DATA/CUBES/reflectance", mask=path, mask_variable="MASKS/land_cover", unlabelled=0
    )
    np.testing.assert_array_equal(opened.dataset["image"].values[0], CUBE)
    np.testing.assert_array_equal(opened.wavelength, [450, 550, 660])
    assert opened.classes.names == ("bare soil", "water")
    assert opened.dataset["x"].values[0] == 1000  # from the root


@pytest.mark.parametrize("start", [13.05, -179.9])
def test_degrees_in_single_precision_have_a_place(tmp_path: Path, start: float) -> None:
    step = 0.00027  # 30 m
    longitude, latitude = start + step * np.arange(400), 52.4 - step * np.arange(300)
    data = xr.Dataset(
        {"image": (("lat", "lon"), np.zeros((300, 400), np.int16))},
        coords={"lon": longitude.astype(np.float32), "lat": latitude.astype(np.float32)},
    ).rio.write_crs("EPSG:4326")
    raster = read_raster(save(data, tmp_path, "netcdf4"))
    exact = georeferenced(
        xr.DataArray(np.zeros((1, 300, 400)), dims=("band", "y", "x")),
        crs="EPSG:4326",
        transform=from_origin(start - step / 2, 52.4 + step / 2, step, step),
    )
    check_same_place(exact, raster.values, image_name="image", mask_name="mask")
    assert raster.values.rio.crs.to_epsg() == 4326


def test_uneven_coordinates_are_no_place(tmp_path: Path) -> None:
    data = scene().assign_coords(x=("x", [1000.0, 1030, 1060, 1094, 1120]))
    raster = read_raster(save(data, tmp_path, "netcdf4"))
    assert "spatial_ref" not in raster.values.coords and "not evenly spaced" in raster.attributes["place_remark"]


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
