"""GeoTIFF: band tags of several traditions, georeference, damage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import from_origin

from specdm.errors import FileFormatError
from specdm.scenes.describe import describe_file
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.labels import interpret_masks
from specdm.scenes.readers import read_raster

CUBE = np.random.default_rng(0).integers(0, 4000, (4, 40, 30)).astype(np.uint16)


def save(
    path: Path,
    cube: np.ndarray = CUBE,
    *,
    names: Sequence[str] | None = None,
    band_tags: Sequence[dict[str, str]] = (),
    imagery: Sequence[dict[str, str]] = (),
    tags: dict[str, str] | None = None,
    **profile: Any,
) -> Path:
    count, height, width = cube.shape
    profile = {"crs": "EPSG:32633", "transform": from_origin(1000, 2000, 30, 30), **profile}
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width, dtype=cube.dtype, **profile
    ) as file:
        file.write(cube)
        file.update_tags(**(tags or {}))
        for i, name in enumerate(names or (), start=1):
            file.set_band_description(i, name)
        for i, entries in enumerate(band_tags, start=1):
            file.update_tags(i, **entries)
        for i, entries in enumerate(imagery, start=1):
            file.update_tags(i, ns="IMAGERY", **entries)
    return path


@pytest.mark.parametrize("interleave", ["band", "pixel"])
@pytest.mark.parametrize("tiled", [True, False])
def test_values_and_place(tmp_path: Path, interleave: str, tiled: bool) -> None:
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16} if tiled else {}
    raster = read_raster(save(tmp_path / "a.tif", interleave=interleave, nodata=7, **blocks))
    assert raster.values.chunks is not None
    np.testing.assert_array_equal(raster.values.values, CUBE)
    np.testing.assert_array_equal(raster.values[2, 5:9, 3:20].values, CUBE[2, 5:9, 3:20])
    assert raster.nodata == 7
    assert raster.values.rio.crs.to_epsg() == 32633
    assert raster.values.x[0] == 1015 and raster.values.y[0] == 1985
    assert raster.wavelength is None and raster.band_name is None


def test_enmap_style_tags(tmp_path: Path) -> None:
    tags = [
        {
            "wavelength": str(0.4 + i / 10),
            "wavelength_units": "Micrometers",
            "fwhm": "0.01",
            "bbl": str(i % 2),
        }
        for i in range(4)
    ]
    raster = read_raster(save(tmp_path / "a.tif", band_tags=tags))
    np.testing.assert_allclose(raster.wavelength, [400, 500, 600, 700])
    np.testing.assert_allclose(raster.fwhm, 10)
    np.testing.assert_array_equal(raster.good, [False, True, False, True])


def test_imagery_domain(tmp_path: Path) -> None:
    tags = [{"CENTRAL_WAVELENGTH_UM": f"{0.4 + i / 10:.3f}", "FWHM_UM": "0.015"} for i in range(4)]
    raster = read_raster(save(tmp_path / "a.tif", imagery=tags))
    np.testing.assert_allclose(raster.wavelength, [400, 500, 600, 700])
    np.testing.assert_allclose(raster.fwhm, 15)


def test_wavelength_list_of_the_whole_file(tmp_path: Path) -> None:
    tags = {"wavelength": "{400, 500, 600, 700}", "wavelength_units": "nm"}
    np.testing.assert_allclose(
        read_raster(save(tmp_path / "a.tif", tags=tags)).wavelength, [400, 500, 600, 700]
    )


def test_descriptions(tmp_path: Path) -> None:
    names = [f"band {i} ({400 + 10 * i}.5 Nanometers)" for i in range(4)]
    raster = read_raster(save(tmp_path / "a.tif", names=names))
    np.testing.assert_allclose(raster.wavelength, [400.5, 410.5, 420.5, 430.5])
    assert raster.band_name == ("band 0", "band 1", "band 2", "band 3")


def test_band_names_do_not_become_wavelengths(tmp_path: Path) -> None:
    raster = read_raster(save(tmp_path / "a.tif", names=["B02", "B03", "B04", "B8A"]))
    assert raster.band_name == ("B02", "B03", "B04", "B8A")
    assert raster.wavelength is None


def test_a_pixel_size_in_a_description_is_no_wavelength(tmp_path: Path) -> None:
    names = ["B02_10m", "B03 20m", "B04 (10 m)", "B8A 60cm"]
    raster = read_raster(save(tmp_path / "a.tif", names=names))
    assert raster.band_name == tuple(names) and raster.wavelength is None
    found = read_raster(save(tmp_path / "b.tif", names=["B02_490nm", "B03 560 nm", "B04 (665nm)", "B08 (842 nm)"]))
    assert found.band_name == ("B02", "B03", "B04", "B08")
    np.testing.assert_allclose(found.wavelength, [490, 560, 665, 842])


def test_waves_too_long_for_light_are_left_out(tmp_path: Path) -> None:
    tags = [{"wavelength": str(0.4 + i / 10), "wavelength_units": "m"} for i in range(4)]
    raster = read_raster(save(tmp_path / "a.tif", band_tags=tags))
    assert raster.wavelength is None and "cannot be those of light" in raster.attributes["wavelength_remark"]


@pytest.mark.parametrize("tiled", [True, False])
def test_masked_pixels_are_no_data(tmp_path: Path, tiled: bool) -> None:
    blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16} if tiled else {}
    known = np.random.default_rng(1).random((40, 30)) > 0.3
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        path = save(tmp_path / "a.tif", nodata=None, **blocks)
        with rasterio.open(path, "r+") as file:
            file.write_mask(known)
    raster = read_raster(path)
    assert raster.values.chunks is not None and raster.values.dtype == np.float32 and raster.n_bands == 4
    np.testing.assert_array_equal(raster.values.values, np.where(known, CUBE, np.nan))
    window = raster.values[1:3, 5:20, 7:]
    np.testing.assert_array_equal(window.values, np.where(known, CUBE, np.nan)[1:3, 5:20, 7:])
    assert np.isnan(as_float(raster, raster.values, ImageOptions()).values).sum() == 4 * (~known).sum()


def test_masked_pixels_of_a_label_map_are_unlabelled(tmp_path: Path) -> None:
    labels = (CUBE[:1] % 3).astype(np.uint8)
    known = np.random.default_rng(1).random((40, 30)) > 0.3
    path = save(tmp_path / "a.tif", labels)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=False), rasterio.open(path, "r+") as file:
        file.write_mask(known)
    assert (tmp_path / "a.tif.msk").exists()
    masks, classes = interpret_masks([read_raster(tmp_path / "a.tif")], class_names=["a", "b", "c"])
    assert classes.names == ("a", "b", "c")
    np.testing.assert_array_equal(masks[0], np.where(known, labels[0].astype(int), -1))


def test_alpha_band_says_what_is_no_data(tmp_path: Path) -> None:
    cube = np.random.default_rng(2).integers(0, 255, (4, 40, 30)).astype(np.uint8)
    cube[3] = np.where(cube[0] > 60, 255, 0)
    cube[3, 0, :5] = 130  # half transparent, as edges are
    path = save(tmp_path / "a.tif", cube)
    raster = read_raster(path)
    assert raster.n_bands == 3 and "band 4 is an alpha band" in raster.attributes["alpha_remark"]
    np.testing.assert_array_equal(raster.values.values, np.where(cube[3] > 0, cube[:3], np.nan))
    assert any("alpha" in problem for problem in describe_file(path).problems)
    labels = np.stack([cube[0] % 3, cube[3]])
    with rasterio.open(save(tmp_path / "labels.tif", labels), "r+") as file:
        file.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
    mask = read_raster(tmp_path / "labels.tif")
    np.testing.assert_array_equal(mask.values.values, np.where(cube[3] > 0, labels[:1], np.nan))


@pytest.mark.parametrize("names", [None, ["red", "green", "blue", "infrared"]])
def test_a_fourth_band_of_bytes_is_no_alpha_band(tmp_path: Path, names: list[str] | None) -> None:
    cube = np.random.default_rng(2).integers(0, 255, (4, 40, 30)).astype(np.uint8)
    if names:
        cube[3] = 255  # as dull as an alpha band, but it has a name
    path = save(tmp_path / "a.tif", cube, names=names)
    with rasterio.open(path) as file:
        assert file.colorinterp[3] is ColorInterp.alpha  # what GDAL makes of four bands of bytes
    raster = read_raster(path)
    assert raster.values.dtype == np.uint8
    np.testing.assert_array_equal(raster.values.values, cube)
    assert names or "taken as a band" in raster.attributes["alpha_remark"]


def part(band: int) -> str:
    """What a band of a virtual raster is made of."""
    file = '<SourceFilename relativeToVRT="1">a.tif</SourceFilename>'
    return f"<SimpleSource>{file}<SourceBand>{band}</SourceBand></SimpleSource>"


def save_virtual(path: Path, bands: Sequence[tuple[str, str]]) -> Path:
    """A virtual raster of bands of `a.tif` beside it: type and content of each."""
    texts = [f'<VRTRasterBand dataType="{t}" band="{i}">{c}</VRTRasterBand>' for i, (t, c) in enumerate(bands, start=1)]
    path.write_text(f'<VRTDataset rasterXSize="30" rasterYSize="40">{"".join(texts)}</VRTDataset>')
    return path


def test_bands_with_nodata_values_of_their_own(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", CUBE.astype(np.int16))
    values = [int(CUBE[0, 0, 0]), None, int(CUBE[2, 5, 5]), -1]
    nodata = ["" if value is None else f"<NoDataValue>{value}</NoDataValue>" for value in values]
    types = ["Int16", "Int16", "Float32", "Int16"]
    path = save_virtual(tmp_path / "a.vrt", [(types[i], nodata[i] + part(i + 1)) for i in range(4)])
    raster = read_raster(path)
    assert raster.nodata is None
    expected = CUBE.astype(np.float32)
    for band, value in enumerate(values):
        expected[band, CUBE[band] == value] = np.nan
    np.testing.assert_array_equal(raster.values.values, expected)
    np.testing.assert_array_equal(raster.values[2:, 3:8, 2:9].values, expected[2:, 3:8, 2:9])


def test_bands_with_masks_of_their_own(tmp_path: Path) -> None:
    known = np.random.default_rng(1).random((2, 40, 30)) > 0.3
    save(tmp_path / "a.tif", np.concatenate([CUBE[:2], known * np.uint16(255)]))
    mask = '<MaskBand><VRTRasterBand dataType="Byte">{}</VRTRasterBand></MaskBand>'
    path = save_virtual(tmp_path / "a.vrt", [("UInt16", part(i) + mask.format(part(i + 2))) for i in (1, 2)])
    values = read_raster(path).values
    np.testing.assert_array_equal(values.values, np.where(known, CUBE[:2], np.nan))
    np.testing.assert_array_equal(values[1:, 7:9, :5].values, np.where(known, CUBE[:2], np.nan)[1:, 7:9, :5])


def test_bands_of_several_types(tmp_path: Path) -> None:
    save(tmp_path / "a.tif", CUBE[:2])
    path = save_virtual(tmp_path / "a.vrt", [("UInt16", part(1)), ("Float32", part(2))])
    np.testing.assert_array_equal(read_raster(path).values.values, CUBE[:2])


def test_scale_is_told_not_applied(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif")
    with rasterio.open(path, "r+") as file:
        file.scales = (1e-4,) * 4
    raster = read_raster(path)
    assert raster.attributes["scale"] == 1e-4 and raster.scale == 1.0
    assert raster.values.max() == CUBE.max()


def test_colours_of_a_class_map(tmp_path: Path) -> None:
    path = save(tmp_path / "a.tif", (CUBE[:1] % 3).astype(np.uint8))
    with rasterio.open(path, "r+") as file:
        file.write_colormap(1, {1: (255, 0, 0, 255), 2: (0, 0, 255, 255)})
    assert read_raster(path).class_colors[2] == "#0000ff"


@pytest.mark.parametrize("options", [{}, {"compress": "deflate"}, {"interleave": "pixel"}])
@pytest.mark.parametrize("share", [0.02, 0.4, 0.9])
def test_truncated(tmp_path: Path, options: dict[str, str], share: float) -> None:
    path = save(tmp_path / "cut.tif", **options)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FileFormatError, match=r"cut\.tif") as caught:
        read_raster(path)
    assert "\n" not in str(caught.value)


def test_damage_within_is_told_when_read(tmp_path: Path) -> None:
    path = save(tmp_path / "hurt.tif", compress="deflate")
    content = bytearray(path.read_bytes())
    with rasterio.open(path) as file:
        start = int(file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1))
    content[start : start + 40] = b"\xff" * 40
    path.write_bytes(bytes(content))
    with pytest.raises(FileFormatError, match=r"hurt\.tif: is damaged"):
        read_raster(path).values.values  # noqa: B018


def test_text_under_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_text("<html>not found</html>")
    with pytest.raises(FileFormatError, match="is not a TIFF file, whatever its name says"):
        read_raster(tmp_path / "a.tif")


def test_complex_numbers(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="complex"):
        read_raster(save(tmp_path / "sar.tif", CUBE.astype(np.complex64)))


def test_real_enmap(shared_data: Path) -> None:
    raster = read_raster(next((shared_data / "enmap_potsdam" / "images").glob("*.tif")))
    assert raster.values.shape == (224, 32, 32) and raster.nodata == -32768
    assert raster.wavelength is not None and raster.fwhm is not None and raster.good is not None
    assert raster.wavelength[0] == 418.24 and raster.fwhm[0] == pytest.approx(6.99561)
    assert np.flatnonzero(~raster.good).tolist() == [129, 130, 131, 132, 133, 134]
