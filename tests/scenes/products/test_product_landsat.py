"""Landsat Collection 2 Level 2: three forms of metadata, factors, QA bits, tar, and what can be wrong."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from product_files import LANDSAT, landsat

from specdm.errors import FileFormatError
from specdm.scenes import open_scene
from specdm.scenes.scene import Scene

random = np.random.default_rng(8)
BANDS = {n: random.integers(7300, 43_000, (9, 11)).astype(np.uint16) for n in range(1, 8)}
BANDS[3][0, 0] = 0
CLEAR = np.full((9, 11), 21824, np.uint16)  # clear land, low confidences


def opened(path: Path, **options: object) -> Scene:
    found = open_scene(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Scene)
    return found


@pytest.mark.parametrize("form", ["json", "xml", "txt"])
def test_reflectance(tmp_path: Path, form: str) -> None:
    scene = opened(landsat(tmp_path, BANDS, form=form))
    stack = np.stack(list(BANDS.values()))
    expected = np.where(stack == 0, np.nan, stack * 0.0000275 - 0.2)
    np.testing.assert_allclose(scene.dataset["image"].values[0], expected, atol=1e-6)
    assert scene.band_name == tuple(f"B{n}" for n in range(1, 8))
    assert scene.wavelength is not None and scene.wavelength[4] == 864.67
    assert scene.fwhm is not None and scene.fwhm[4] == 28.25
    assert scene.dates == ("2022-07-22",) and scene.dataset.rio.crs.to_epsg() == 32633
    assert any(fact.startswith("Landsat 8 Collection 2 L2SP of 2022-07-22") for fact in scene.facts)
    assert any("surface temperature" in fact for fact in scene.facts)


def test_quality_bits(tmp_path: Path) -> None:
    pixel, saturation = CLEAR.copy(), np.zeros((9, 11), np.uint16)
    for bit in range(8):  # fill, dilated cloud, cirrus, cloud, shadow, snow, clear, water
        pixel[4, bit] |= 1 << bit
    saturation[6, 2], saturation[7, 3] = 1 << 3, 1 << 9
    path = landsat(tmp_path, BANDS, pixel=pixel, saturation=saturation)
    missing = np.isnan(opened(path).dataset["image"].values[0])
    assert missing[:, 4].all(axis=0).nonzero()[0].tolist() == [1, 2, 3, 4]
    assert missing[:, 6, 2].nonzero()[0].tolist() == [3]  # band 4 alone
    assert not missing[:, 7].any()  # bit 9 is of older sensors
    assert any(f"cloud ({1 / 99:.1%} of" in fact and "cloud edge" in fact for fact in opened(path).facts)
    water = np.isnan(opened(path, quality=["snow", "water"]).dataset["image"].values[0])
    assert water.all(axis=0).nonzero()[1].tolist() == [5, 7]
    kept = np.isnan(opened(path, quality="keep").dataset["image"].values[0])
    assert kept.sum() == 1  # fill of one band stays no data


def test_thematic_mapper(tmp_path: Path) -> None:
    bands = {n: BANDS[n] for n in (1, 2, 3, 4, 5, 7)}
    dropped = np.zeros((9, 11), np.uint16)
    dropped[7, 3] = 1 << 9
    name = LANDSAT.replace("LC08", "LT05")
    path = landsat(tmp_path, bands, pixel=CLEAR, saturation=dropped, spacecraft="LANDSAT_5", name=name)
    scene = opened(path)
    assert scene.band_name == ("B1", "B2", "B3", "B4", "B5", "B7")
    assert scene.wavelength is not None and scene.wavelength.tolist() == [485, 560, 660, 830, 1650, 2215]
    assert np.isnan(scene.dataset["image"].values[0, :, 7, 3]).all()


def test_tar_and_metadata_file(tmp_path: Path) -> None:
    path = landsat(tmp_path, BANDS, pixel=CLEAR)
    archive = Path(shutil.make_archive(str(tmp_path / "x"), "tar", path)).rename(tmp_path / f"{LANDSAT}.tar")
    expected = opened(path).dataset["image"].values
    for other in (archive, path / f"{LANDSAT}_MTL.json"):
        np.testing.assert_array_equal(opened(other).dataset["image"].values, expected)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2 + 100])
    with pytest.raises(FileFormatError, match=r"truncated"):
        open_scene(archive)


def test_mask_of_the_same_grid(tmp_path: Path) -> None:
    path = landsat(tmp_path, BANDS)
    mask = np.tile(np.array([1, 2], np.uint8), (9, 6))[:, :11]
    scene = opened(path, mask=mask)
    assert scene.classes is not None and scene.classes.values == (1, 2)


def test_errors(tmp_path: Path) -> None:
    path = landsat(tmp_path, BANDS, pixel=CLEAR)
    metadata = path / f"{LANDSAT}_MTL.json"
    text = metadata.read_text()
    for bad, message in (
        (text[:200], "cannot be read as Collection 2 metadata"),
        (text.replace('"L2SP"', '"L1TP"'), "of processing level L1TP, collection 02; of Landsat, Collection 2 Level 2"),
        (text.replace("LANDSAT_8", "LANDSAT_1"), "is of LANDSAT_1; expected one of LANDSAT_9"),
        (text.replace('"REFLECTANCE_ADD_BAND_3"', '"X"'), "has no number REFLECTANCE_ADD_BAND_3"),
    ):
        metadata.write_text(bad)
        with pytest.raises(FileFormatError, match=message):
            open_scene(path)
    metadata.unlink()
    with pytest.raises(FileFormatError, match=r"the metadata \(\*_MTL.json.* are missing"):
        open_scene(path)
    metadata.write_text(text)
    (path / f"{LANDSAT}_SR_B5.TIF").unlink()
    with pytest.raises(FileFormatError, match=r"the file of band 5 is missing"):
        open_scene(path)


def test_two_products_in_one_folder(tmp_path: Path) -> None:
    path = landsat(tmp_path, BANDS)
    other = landsat(tmp_path / "b", BANDS, name=LANDSAT.replace("20220722", "20220807"))
    for file in other.iterdir():
        shutil.move(str(file), path / file.name)
    with pytest.raises(FileFormatError, match=r"holds 2 products"):
        open_scene(path)


def test_truncated_text_metadata(tmp_path: Path) -> None:
    path = landsat(tmp_path, BANDS, form="txt")
    metadata = path / f"{LANDSAT}_MTL.txt"
    metadata.write_text(metadata.read_text()[:300])
    with pytest.raises(FileFormatError, match=r"MTL.txt: cannot be read as Collection 2 metadata"):
        open_scene(path)
