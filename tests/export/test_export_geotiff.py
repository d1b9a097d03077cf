"""GeoTIFF: what rasterio and the project's own reader find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from export_tile_sets import CLASSES, amount_tiles, exported, mixed_tiles, plain_tiles

from specdm.scenes.classes import Classes
from specdm.scenes.readers.geotiff import open_quietly, read_geotiff


def test_images_are_the_same_numbers(tmp_path: Path) -> None:
    tiles = plain_tiles()
    folder, lines = exported(tiles, "geotiff", tmp_path / "out")
    for i, line in enumerate(lines):
        image, _mask = line["files"].split(";")
        with open_quietly(folder / image) as file:
            assert file.dtypes == ("float32",) * 4 and np.isnan(file.nodata)
            np.testing.assert_array_equal(file.read(), tiles.images(i)[0, 0])


def test_bands_are_described_as_gdal_does(tmp_path: Path) -> None:
    tiles = plain_tiles()
    folder, _ = exported(tiles, "geotiff", tmp_path / "out")
    with open_quietly(folder / "image_00000.tif") as file:
        assert file.descriptions == tiles.band_name
        assert file.units == ("reflectance",) * 4
        assert file.crs is None
        assert file.tags()["note"] == "semi-synthetic" and file.tags()["tile_name"] == "place_y0_x4"
        imagery = [file.tags(band, ns="IMAGERY") for band in file.indexes]
    np.testing.assert_allclose([float(t["CENTRAL_WAVELENGTH_UM"]) * 1e3 for t in imagery], tiles.wavelength, rtol=1e-9)
    np.testing.assert_allclose([float(t["FWHM_UM"]) * 1e3 for t in imagery], tiles.fwhm, rtol=1e-8)
    raster = read_geotiff(folder / "image_00000.tif")
    np.testing.assert_array_equal(raster.wavelength, tiles.wavelength)
    np.testing.assert_array_equal(raster.fwhm, tiles.fwhm)


def test_masks_have_names_colours_and_nodata(tmp_path: Path) -> None:
    tiles = plain_tiles()
    folder, _ = exported(tiles, "geotiff", tmp_path / "out")
    with open_quietly(folder / "mask_00003.tif") as file:
        assert file.nodata == 255 and file.dtypes == ("uint8",)  # 0 is a class here
        values = file.read(1)
        tags, colors = file.tags(1), file.colormap(1)
    found = np.where(values == 255, -1, values.astype(int))
    np.testing.assert_array_equal(found, tiles.masks(3)[0, 0])
    assert [tags[f"class_{value}"] for value in CLASSES.values] == list(CLASSES.names)
    assert colors[3] == (0xE6, 0x9F, 0x00, 255)


def test_class_values_beyond_a_byte_are_kept_and_said(tmp_path: Path) -> None:
    tiles = plain_tiles(classes=Classes.create([-7, 300]))
    said: list[str] = []
    folder, _ = exported(tiles, "geotiff", tmp_path / "out", say=said.append)
    with open_quietly(folder / "mask_00000.tif") as file:
        np.testing.assert_array_equal(file.read(), tiles.masks(0)[0])
        assert file.nodata == -1
        assert file.tags(1)["color_300"] == tiles.classes.colors[1]
    assert len(said) == 1 and "colour table" in said[0]
    assert said[0] in (folder / "README.md").read_text()


def test_a_file_a_date_with_the_bands_of_its_sensor(tmp_path: Path) -> None:
    tiles = mixed_tiles()
    folder, lines = exported(tiles, "geotiff", tmp_path / "out")
    names = [f"{kind}_00001_{date}.tif" for kind in ("image", "mask") for date in ("2020-05-01", "2021-06")]
    assert lines[1]["files"].split(";") == names
    for date, bands in enumerate((slice(0, 3), slice(3, 5))):
        with open_quietly(folder / names[date]) as file:
            np.testing.assert_array_equal(file.read(), tiles.images(1)[0, date, bands])
            assert file.descriptions == tiles.band_name[bands]
            assert file.tags()["date"] == tiles.dates[date]
        with open_quietly(folder / names[2 + date]) as file:
            values = file.read(1).astype(int)
            np.testing.assert_array_equal(np.where(values == 255, -1, values), tiles.masks(1)[0, date])


def test_amounts_and_scores_are_float_rasters(tmp_path: Path) -> None:
    tiles = amount_tiles()
    folder, lines = exported(tiles, "geotiff", tmp_path / "out")
    assert lines[0]["files"] == "image_00000.tif;amount_00000.tif;reliability_00000.tif"
    with open_quietly(folder / "amount_00002.tif") as file:
        np.testing.assert_array_equal(file.read(), tiles.amounts(2)[0])
        assert (file.descriptions, file.units) == (("height", "cover"), ("m", "%"))
    with open_quietly(folder / "reliability_00002.tif") as file:
        np.testing.assert_array_equal(file.read(), tiles.reliability(2)[0])
