"""ENVI: what Spectral Python, GDAL and the project's own reader find."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from export_tile_sets import CLASSES, amount_tiles, exported, mixed_tiles, plain_tiles

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.scenes.readers.envi import read_envi
from specdm.scenes.readers.geotiff import open_quietly
from specdm.tiles.export import export_tiles


def test_images_in_spectral_python(tmp_path: Path) -> None:
    spectral = pytest.importorskip("spectral")
    tiles = plain_tiles()
    folder, lines = exported(tiles, "envi", tmp_path / "out")
    for i, line in enumerate(lines):
        file = spectral.open_image(str(folder / line["files"].split(";")[0]))
        np.testing.assert_array_equal(np.moveaxis(np.array(file.open_memmap()), -1, 0), tiles.images(i)[0, 0])
        assert list(file.bands.centers) == list(tiles.wavelength)
        assert list(file.bands.bandwidths) == list(tiles.fwhm)
        assert (file.bands.band_unit, file.metadata["band names"]) == ("Nanometers", list(tiles.band_name))
        assert np.isnan(float(file.metadata["data ignore value"]))


def test_masks_in_spectral_python(tmp_path: Path) -> None:
    spectral = pytest.importorskip("spectral")
    tiles = plain_tiles()
    folder, _ = exported(tiles, "envi", tmp_path / "out")
    file = spectral.open_image(str(folder / "mask_00002.hdr"))
    assert file.metadata["file type"] == "ENVI Classification"
    free = int(file.metadata["data ignore value"])
    values = np.array(file.open_memmap())[..., 0].astype(int)
    np.testing.assert_array_equal(np.where(values == free, -1, values), tiles.masks(2)[0, 0])
    names = file.metadata["class names"]
    assert [names[value] for value in CLASSES.values] == list(CLASSES.names)
    assert (free, names[free], int(file.metadata["classes"])) == (8, "unlabelled", 9)
    lookup = np.array(file.metadata["class lookup"], int).reshape(-1, 3)
    assert lookup[3].tolist() == [0xE6, 0x9F, 0x00]


def test_unlabelled_is_0_where_that_is_no_class(tmp_path: Path) -> None:
    tiles = plain_tiles(classes=Classes.create([1, 2]))
    folder, _ = exported(tiles, "envi", tmp_path / "out")
    with open_quietly(folder / "mask_00000.img") as file:
        values = file.read(1).astype(int)
        assert file.nodata == 0
    np.testing.assert_array_equal(np.where(values == 0, -1, values), tiles.masks(0)[0, 0])


def test_images_in_gdal_and_in_the_reader(tmp_path: Path) -> None:
    tiles = mixed_tiles()
    folder, _ = exported(tiles, "envi", tmp_path / "out")
    with open_quietly(folder / "image_00001_2021-06.img") as file:
        np.testing.assert_array_equal(file.read(), tiles.images(1)[0, 1, 3:])
    raster = read_envi(folder / "image_00001_2021-06.hdr")
    np.testing.assert_array_equal(raster.wavelength, [480.0, 800.0])
    assert raster.band_name == ("d", "e") and np.isnan(raster.nodata)
    mask = read_envi(folder / "mask_00001_2020-05-01.hdr")
    assert mask.class_names[7] == "open water" and mask.class_colors[7] == "#009e73"


def test_amounts_and_scores(tmp_path: Path) -> None:
    tiles = amount_tiles()
    folder, _ = exported(tiles, "envi", tmp_path / "out")
    raster = read_envi(folder / "amount_00001.hdr")
    np.testing.assert_array_equal(raster.values.values, tiles.amounts(1)[0])
    assert raster.band_name == ("height (m)", "cover (%)")
    scores = read_envi(folder / "reliability_00001.hdr")
    np.testing.assert_array_equal(scores.values.values, tiles.reliability(1)[0])


def test_names_with_commas_are_changed_and_said(tmp_path: Path) -> None:
    said: list[str] = []
    tiles = plain_tiles(classes=Classes.create([1, 2], ["corn, no till", "oats {young}"]))
    folder, _ = exported(tiles, "envi", tmp_path / "out", say=said.append)
    names = read_envi(folder / "mask_00000.hdr").class_names
    assert (names[1], names[2]) == ("corn; no till", "oats (young)")
    assert len(said) == 1 and "'corn, no till' is written as 'corn; no till', and 1 more" in said[0]


@pytest.mark.parametrize(
    ("values", "lost"),
    [([-5, 1], "the mask values -5 would be lost"), ([1, 256], "256 would be lost"),
     (range(256), "which pixels are unlabelled would be lost")],
)  # fmt: skip
def test_values_that_a_classification_cannot_hold_are_refused(tmp_path: Path, values, lost: str) -> None:
    with pytest.raises(TileError, match=lost) as refusal:
        export_tiles(plain_tiles(classes=Classes.create(values)), format="envi", folder=tmp_path / "out")
    assert "export to geotiff" in str(refusal.value)
    assert list(tmp_path.iterdir()) == []
