"""EnMAP and DESIS L2A: wavelengths, gains, nodata, quality layers, archives, and what can be wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from product_files import DESIS, DESIS_CENTRES, ENMAP, ENMAP_CENTRES, desis, enmap

from specdm.errors import FileFormatError, SceneError
from specdm.scenes import open_scene
from specdm.scenes.readers import read_raster
from specdm.scenes.scene import Scene

random = np.random.default_rng(3)
IMAGE = random.integers(-50, 6000, (4, 12, 10)).astype(np.int16)
IMAGE[:, 0, :3] = -32768
GAINS, OFFSETS = np.array([1e-4, 1e-4, 1e-4, 2e-4]), np.array([0, 0, 0, 0.1])
REFLECTANCE = np.where(IMAGE == -32768, np.nan, IMAGE * GAINS[:, None, None] + OFFSETS[:, None, None])


def plane(*pixels: tuple[int, int, int]) -> np.ndarray:
    """uint8 `(12, 10)` of 0 with `(row, column, value)` set."""
    values = np.zeros((12, 10), np.uint8)
    for row, column, value in pixels:
        values[row, column] = value
    return values


def opened(path: Path, **options: object) -> Scene:
    found = open_scene(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Scene)
    return found


def gaps(path: Path, **options: object) -> np.ndarray:
    """`(band, y, x)` boolean without what is nodata in the file."""
    return np.isnan(opened(path, **options).dataset["image"].values[0]) & (IMAGE != -32768)


def test_enmap(tmp_path: Path) -> None:
    scene = opened(enmap(tmp_path, IMAGE))
    np.testing.assert_allclose(scene.dataset["image"].values[0], REFLECTANCE, atol=1e-6)
    assert scene.wavelength is not None and scene.wavelength.tolist() == list(ENMAP_CENTRES)
    assert scene.fwhm is not None and scene.fwhm.tolist() == [6.5, 7.5, 8.5, 9.5]
    assert scene.dates == ("2022-07-24",) and scene.units == "reflectance" and scene.name == ENMAP
    assert scene.dataset.rio.crs.to_epsg() == 32633 and scene.dataset.x[0] == 600_015
    assert any("QL files are not there" in fact for fact in scene.facts)


def test_enmap_quality(tmp_path: Path) -> None:
    layers = {
        "QL_QUALITY_CLOUD": plane((1, 1, 1)), "QL_QUALITY_CIRRUS": plane((2, 1, 1), (2, 2, 3)),
        "QL_QUALITY_CLOUDSHADOW": plane((3, 1, 1)), "QL_QUALITY_HAZE": plane((4, 1, 1)),
        "QL_QUALITY_SNOW": plane((5, 1, 1)), "QL_QUALITY_CLASSES": plane((6, 1, 2), (6, 2, 1), (6, 3, 3)),
        "QL_QUALITY_TESTFLAGS": plane((7, 1, 255)),
        "QL_PIXELMASK": np.stack([plane(), plane((8, 1, 1)), plane((8, 2, 255)), plane()]),
    }  # fmt: skip
    path = enmap(tmp_path, IMAGE, layers=layers)
    expected = np.zeros((12, 10), bool)
    expected[[1, 2, 2, 3], [1, 1, 2, 1]] = True
    np.testing.assert_array_equal(gaps(path), np.broadcast_to(expected, (4, 12, 10)))
    facts = opened(path).facts
    assert any(f"cloud ({1 / 120:.1%} of pixels), cirrus ({2 / 120:.1%} of pixels)" in fact for fact in facts)
    assert any(fact == "kept: haze, snow, water, defective" for fact in facts)
    assert gaps(path, quality=["haze", "water"]).all(axis=0).nonzero()[0].tolist() == [4, 6]
    assert gaps(path, quality="defective").nonzero()[0].tolist() == [1]  # one band of one pixel
    assert not gaps(path, quality="keep").any()
    facts = opened(path, quality=["cloud", "saturated"]).facts
    assert "asked for, but the product has no layer of it: saturated" in facts


def test_empty_bands_are_left_out(tmp_path: Path) -> None:
    image = IMAGE.copy()
    image[2] = -32768
    scene = opened(enmap(tmp_path, image))
    assert scene.left_out == [{"band": "band 3", "reason": "all nodata"}]
    assert scene.wavelength is not None and 1380.4 not in scene.wavelength


def test_archive_and_single_files(tmp_path: Path) -> None:
    path = enmap(tmp_path / "unpacked", IMAGE, layers={"QL_QUALITY_CLOUD": plane((1, 1, 1))})
    archive = Path(shutil.make_archive(str(tmp_path / ENMAP), "zip", tmp_path / "unpacked"))
    expected = opened(path).dataset["image"].values
    for other in (archive, path / f"{ENMAP}-METADATA.XML", path / f"{ENMAP}-SPECTRAL_IMAGE.TIF"):
        np.testing.assert_array_equal(opened(other).dataset["image"].values, expected)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=r"damaged or truncated"):
        open_scene(archive)


def test_image_alone_is_a_plain_file(tmp_path: Path) -> None:
    path = enmap(tmp_path, IMAGE)
    (path / f"{ENMAP}-METADATA.XML").unlink()
    raster = read_raster(path / f"{ENMAP}-SPECTRAL_IMAGE.TIF")
    assert raster.product is None and raster.format == "GeoTIFF" and raster.values.dtype == np.int16


def test_cloud_optimised_names(tmp_path: Path) -> None:
    path = enmap(tmp_path, IMAGE, layers={"QL_QUALITY_CLOUD": plane((1, 1, 1))})
    for file in path.glob("*.TIF"):
        file.rename(file.with_name(f"{file.stem}_COG.TIF"))
    assert gaps(path)[:, 1, 1].all()


def test_desis(tmp_path: Path) -> None:
    quality = np.zeros((10, 12, 10), np.uint8)
    for layer, column in ((0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8)):
        quality[layer, 5, column] = 1
    path = desis(tmp_path, IMAGE[:3], quality=quality)
    scene = opened(path)
    values = scene.dataset["image"].values[0]
    assert np.isnan(values[:, 5]).all(axis=0).nonzero()[0].tolist() == [0, 5, 6]  # shadow, both kinds of cloud
    clear = ~np.isnan(values)
    np.testing.assert_allclose(values[clear], (IMAGE[:3] * 1e-4)[clear], atol=1e-6)
    assert np.isnan(values[:, 0, :3]).all()
    assert scene.wavelength is not None and scene.wavelength.tolist() == list(DESIS_CENTRES)
    assert scene.fwhm is not None and scene.fwhm.tolist() == [3.2, 4.2, 5.2]
    assert scene.dates == ("2019-11-11",) and scene.dataset.rio.crs.to_epsg() == 32633
    haze = np.isnan(opened(path, quality="haze").dataset["image"].values[0, :, 5]).all(axis=0)
    assert haze.nonzero()[0].tolist() == [3, 4]


def test_errors(tmp_path: Path) -> None:
    path = enmap(tmp_path, IMAGE, layers={"QL_QUALITY_CLOUD": plane()})
    image, metadata = path / f"{ENMAP}-SPECTRAL_IMAGE.TIF", path / f"{ENMAP}-METADATA.XML"
    text, content = metadata.read_text(), image.read_bytes()
    metadata.write_text(text.replace("bandID", "nothing"))
    with pytest.raises(FileFormatError, match=r"METADATA.XML: has no wavelengths"):
        open_scene(path)
    metadata.write_text(text.replace("<FWHMOfBand>6.5</FWHMOfBand>", ""))
    with pytest.raises(FileFormatError, match=r"bandID/FWHMOfBand is missing"):
        open_scene(path)
    metadata.write_text(text[:400])
    with pytest.raises(FileFormatError, match=r"METADATA.XML: is no XML, or damaged or truncated"):
        open_scene(path)
    metadata.unlink()
    with pytest.raises(FileFormatError, match=r"one file with the metadata \(\*-METADATA.XML\), but it is missing"):
        open_scene(path)
    metadata.write_text(text)
    image.write_bytes(content[:-200])
    with pytest.raises(FileFormatError, match=r"SPECTRAL_IMAGE.TIF: is truncated"):
        open_scene(path)
    image.unlink()
    with pytest.raises(FileFormatError, match=r"expected one file with the image .* but it is missing"):
        open_scene(path)


def test_two_products_in_one_folder(tmp_path: Path) -> None:
    path, other = enmap(tmp_path, IMAGE), ENMAP.replace("0724", "0801")
    for file in enmap(tmp_path / "other", IMAGE + np.int16(1), name=other).iterdir():
        shutil.move(str(file), path / file.name)
    with pytest.raises(FileFormatError, match=r"holds 2 products .*; name the metadata file of one"):
        open_scene(path)
    found = opened(path / f"{other}-METADATA.XML").dataset["image"].values[0]
    assert np.nanmax(np.abs(found - opened(path / f"{ENMAP}-METADATA.XML").dataset["image"].values[0])) > 0


@pytest.mark.parametrize("level", ["L1B", "L1C"])
def test_image_of_another_level_is_a_plain_file(tmp_path: Path, level: str) -> None:
    place = enmap(tmp_path, IMAGE, name=ENMAP.replace("L2A", level))
    image, metadata = next(place.glob("*.TIF")), next(place.glob("*.XML"))
    raster = read_raster(image)
    assert raster.product is None and raster.format == "GeoTIFF"
    np.testing.assert_array_equal(raster.values.values, IMAGE)
    assert opened(image).n_bands == 4
    with pytest.raises(FileFormatError, match=f"is EnMAP of processing level {level}"):
        open_scene(metadata)
    place = desis(tmp_path, IMAGE[:3])
    for file in place.iterdir():
        file.rename(file.with_name(file.name.replace(DESIS, DESIS.replace("L2A", level))))
    assert read_raster(next(place.glob("*SPECTRAL_IMAGE.tif"))).product is None


@pytest.mark.parametrize("level", ["L1B", "L1C"])
def test_other_levels(tmp_path: Path, level: str) -> None:
    path = enmap(tmp_path, IMAGE, name=ENMAP.replace("L2A", level))
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", path))
    for product in (path, archive):
        with pytest.raises(FileFormatError, match=f"is EnMAP of processing level {level}; of EnMAP only L2A"):
            open_scene(product)
    path = desis(tmp_path, IMAGE[:3])
    for file in path.iterdir():
        file.rename(file.with_name(file.name.replace(DESIS, DESIS.replace("L2A", level))))
    with pytest.raises(FileFormatError, match=f"is DESIS of processing level {level}; of DESIS only L2A"):
        open_scene(path)


def test_options_of_products_need_one(tmp_path: Path) -> None:
    path = enmap(tmp_path, IMAGE)
    plain = tmp_path / "plain.tif"
    shutil.copy(path / f"{ENMAP}-SPECTRAL_IMAGE.TIF", plain)
    with pytest.raises(SceneError, match=r"is no sensor product, so leave quality= out"):
        open_scene(plain, quality="keep")
    assert "resolution=10 does not apply: the bands have pixels of one size" in opened(path, resolution=10).facts
