"""Sentinel-2 SAFE: offsets, pixel sizes, classification, zip, and what can be wrong with a product."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from product_files import S2_BANDS, S2_CENTRES, s2_name, s2_planes, sentinel2

from specdm.errors import FileFormatError, SceneError
from specdm.scenes import open_scene
from specdm.scenes.readers import read_raster
from specdm.scenes.scene import Scene

L2A_BANDS = tuple(s2_name(band) for band in S2_BANDS if band != "B10")


def opened(path: Path, **options: object) -> Scene:
    found = open_scene(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Scene)
    return found


def image(scene: Scene) -> dict[str, np.ndarray]:
    return dict(zip(scene.band_name, scene.dataset["image"].values[0], strict=True))


def mean_of(plane: np.ndarray, step: int) -> np.ndarray:
    side = len(plane) // step
    return plane.astype(float).reshape(side, step, side, step).mean(axis=(1, 3))


def repeated(plane: np.ndarray, times: int) -> np.ndarray:
    return plane.repeat(times, axis=0).repeat(times, axis=1)


def test_bands_of_all_sizes_on_the_20_m_grid(tmp_path: Path) -> None:
    planes = s2_planes()
    scene = opened(sentinel2(tmp_path, planes))
    assert scene.band_name == L2A_BANDS and (scene.height, scene.width) == (18, 18)
    values = image(scene)
    reflectance = {name: (plane.astype(float) - 1000) / 1e4 for name, plane in planes.items()}
    np.testing.assert_allclose(values["B05"], reflectance["B05"], atol=1e-6)
    np.testing.assert_allclose(values["B08"], mean_of(reflectance["B08"], 2), atol=1e-6)
    np.testing.assert_allclose(values["B09"], repeated(reflectance["B09"], 3), atol=1e-6)
    # the product has B02 at 20 m itself, so that file is taken
    np.testing.assert_allclose(values["B02"], (np.floor(mean_of(planes["B02"], 2)) - 1000) / 1e4, atol=1e-6)
    assert scene.dates == ("2022-07-24",) and scene.units == "reflectance"
    assert scene.dataset.rio.crs.to_epsg() == 32633 and scene.dataset.rio.transform().a == 20
    assert scene.dataset.x[0] == 600_010 and scene.dataset.y[0] == 5_600_030
    assert any("baseline 04.00" in fact and "offset -1000" in fact for fact in scene.facts)
    assert any("so clouds are not known" in fact for fact in scene.facts)
    assert any("averaged: B08" in fact and "B09 (60 m)" in fact for fact in scene.facts)


def test_wavelengths_and_widths_of_the_satellite(tmp_path: Path) -> None:
    scene = opened(sentinel2(tmp_path, s2_planes()))
    centres = [centre for centre, band in zip(S2_CENTRES, S2_BANDS, strict=True) if band != "B10"]
    assert scene.wavelength is not None and scene.wavelength.tolist() == centres
    # six samples of 2 nm are at least half the highest response; MIN and MAX are 100 nm apart
    assert scene.fwhm is not None and set(scene.fwhm.tolist()) == {12.0}


@pytest.mark.parametrize(("metres", "side"), [(10, 36), (60, 6)])
def test_other_grids(tmp_path: Path, metres: int, side: int) -> None:
    planes = s2_planes()
    scene = opened(sentinel2(tmp_path, planes), resolution=metres)
    assert (scene.height, scene.width) == (side, side) and scene.dataset.rio.transform().a == metres
    expected = repeated(planes["B11"], 2) if metres == 10 else mean_of(planes["B11"], 3)
    np.testing.assert_allclose(image(scene)["B11"], (expected - 1000.0) / 1e4, atol=1e-6)


def test_windows_are_those_of_the_whole(tmp_path: Path) -> None:
    values = read_raster(sentinel2(tmp_path, s2_planes())).values
    assert values.chunks is not None
    whole = values.values
    np.testing.assert_array_equal(values.data.blocks[0, 0, 0].compute(), whole)
    for key in (np.s_[2:9, 4:11, 7:8], np.s_[:, 1:2, 0:18], np.s_[9:10, 5:17, 4:5]):
        np.testing.assert_array_equal(values[key].values, whole[key])


def test_old_baseline_has_no_offset(tmp_path: Path) -> None:
    planes = s2_planes()
    scene = opened(sentinel2(tmp_path, planes, offset=None))
    np.testing.assert_allclose(image(scene)["B05"], planes["B05"] / 1e4, atol=1e-6)


def test_nodata_and_saturation(tmp_path: Path) -> None:
    planes = s2_planes()
    planes["B08"][0, 0], planes["B08"][2:4, 2:4] = 0, 0
    planes["B05"][5, 5], planes["B05"][6, 6] = 65535, 0
    values = image(opened(sentinel2(tmp_path, planes)))
    rest = planes["B08"][:2, :2].astype(float).ravel()[1:]
    np.testing.assert_allclose(values["B08"][0, 0], (rest.mean() - 1000) / 1e4, atol=1e-6)
    assert np.isnan(values["B08"][1, 1]) and np.isnan(values["B05"][5, 5]) and np.isnan(values["B05"][6, 6])
    kept = image(opened(tmp_path / next(tmp_path.iterdir()).name, quality="keep"))
    assert kept["B05"][5, 5] == pytest.approx(6.4535) and np.isnan(kept["B05"][6, 6])


def test_scene_classification(tmp_path: Path) -> None:
    scl = np.full((18, 18), 4, np.uint8)
    scl[0, :6], scl[1, :3], scl[2, :2], scl[3, :1], scl[4, 0], scl[5, 0] = 9, 3, 10, 1, 11, 8
    path = sentinel2(tmp_path, s2_planes(), scl=scl)
    scene = opened(path)
    missing = np.isnan(scene.dataset["image"].values[0])
    np.testing.assert_array_equal(missing.all(axis=0), np.isin(scl, (1, 3, 8, 9, 10)))
    np.testing.assert_array_equal(missing.any(axis=0), missing.all(axis=0))
    assert any(f"cloud ({7 / 324:.1%} of" in fact and f"shadow ({3 / 324:.1%} of" in fact for fact in scene.facts)
    snow = np.isnan(opened(path, quality="snow").dataset["image"].values[0]).all(axis=0)
    np.testing.assert_array_equal(snow, scl == 11)
    assert not np.isnan(opened(path, quality="keep").dataset["image"].values).any()
    coarse = np.isnan(opened(path, resolution=60).dataset["image"].values[0]).all(axis=0)
    assert coarse[0, 0] and coarse[1, 0] and not coarse[2, 0]  # one flagged pixel of nine is enough


def test_level_1c(tmp_path: Path) -> None:
    planes, classes = s2_planes(), np.zeros((3, 6, 6), np.uint8)
    classes[0, 0, 0], classes[1, 1, 1], classes[2, 2, 2] = 1, 1, 1
    scene = opened(sentinel2(tmp_path, planes, level="L1C", classes=classes))
    assert len(scene.band_name) == 13 and "B10" in scene.band_name
    assert scene.units == "top-of-atmosphere reflectance"
    values = image(scene)
    np.testing.assert_allclose(values["B05"][9:, 9:], (planes["B05"][9:, 9:] - 1000.0) / 1e4, atol=1e-6)
    gaps = np.isnan(values["B05"])
    assert gaps[:3, :3].all() and gaps[3:6, 3:6].all() and gaps.sum() == 18


def test_zip_and_metadata_file_are_the_same_product(tmp_path: Path) -> None:
    safe = sentinel2(tmp_path / "unpacked", s2_planes(), scl=np.full((18, 18), 4, np.uint8))
    expected = opened(safe)
    packed = Path(shutil.make_archive(str(tmp_path / safe.stem), "zip", safe.parent))
    for path in (packed, safe / "MTD_MSIL2A.xml"):
        found = opened(path)
        np.testing.assert_array_equal(found.dataset["image"].values, expected.dataset["image"].values)
        assert found.name == safe.stem


def test_folder_of_products_is_a_collection(tmp_path: Path) -> None:
    for day in (1, 2):
        sentinel2(tmp_path, s2_planes(day), name=f"S2A_MSIL2A_2022070{day}T101559_N0400_R065_T33UUU_x.SAFE")
    scenes = list(open_scene(tmp_path))
    assert [scene.name[:19] for scene in scenes] == ["S2A_MSIL2A_20220701", "S2A_MSIL2A_20220702"]


def test_two_dates(tmp_path: Path) -> None:
    paths = [
        sentinel2(tmp_path, s2_planes(day), name=f"S2A_MSIL2A_2022070{day}T101559_N0400_R065_T33UUU_x.SAFE")
        for day in (1, 2)
    ]
    scene = open_scene(paths, dates=["before", "after"])
    assert isinstance(scene, Scene) and scene.dates == ("before", "after")
    np.testing.assert_allclose(scene.dataset["image"].values[1], opened(paths[1]).dataset["image"].values[0])


def test_errors(tmp_path: Path) -> None:
    path = sentinel2(tmp_path, s2_planes())
    with pytest.raises(FileFormatError, match=r"resolution=30 is none of Sentinel-2's"):
        open_scene(path, resolution=30)
    with pytest.raises(FileFormatError, match=r"quality='clouds' is not known"):
        open_scene(path, quality="clouds")
    metadata = path / "MTD_MSIL2A.xml"
    text = metadata.read_text()
    metadata.write_text(text.replace("Spectral_Information_List>", "Nothing>"))
    with pytest.raises(FileFormatError, match=r"MTD_MSIL2A.xml: has no wavelengths"):
        open_scene(path)
    metadata.write_text(text[: len(text) // 2])
    with pytest.raises(FileFormatError, match=r"MTD_MSIL2A.xml: is no XML, or damaged or truncated"):
        open_scene(path)
    metadata.unlink()
    with pytest.raises(FileFormatError, match=r"the metadata .* is missing"):
        open_scene(path)
    (path / "MTD_MSIL1B.xml").write_text(text)
    with pytest.raises(FileFormatError, match=r"processing level L1B; Level-1C and Level-2A are read"):
        open_scene(path)


def test_missing_and_truncated_bands(tmp_path: Path) -> None:
    path = sentinel2(tmp_path, s2_planes())
    band = next(path.rglob("*_B11_20m.jp2"))
    content = band.read_bytes()
    for size in (len(content) - 3, len(content) * 2 // 3, 40):
        band.write_bytes(content[:size])
        with pytest.raises(FileFormatError, match=r"B11_20m.jp2(: is| cannot be read, it is damaged or) truncated"):
            open_scene(path)
    band.unlink()
    with pytest.raises(FileFormatError, match=r"the file of band B11 is missing"):
        open_scene(path)


def test_cloud_everywhere(tmp_path: Path) -> None:
    path = sentinel2(tmp_path, s2_planes(), scl=np.full((18, 18), 9, np.uint8))
    with pytest.raises(SceneError, match=r"quality layers .quality=keep"):
        open_scene(path)
