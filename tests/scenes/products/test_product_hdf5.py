"""PRISMA L2D and EMIT L2A: order of the cubes, overlap, lookup table, quality, and what can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from product_files import EMIT, EMIT_CENTRES, EMIT_PLACE, emit, prisma

from specdm.errors import FileFormatError
from specdm.scenes import open_scene
from specdm.scenes.readers import read_raster
from specdm.scenes.scene import Scene

random = np.random.default_rng(4)
ROWS, COLUMNS = 14, 9
VNIR = random.integers(500, 60_000, (ROWS, 5, COLUMNS)).astype(np.uint16)
SWIR = random.integers(500, 60_000, (ROWS, 6, COLUMNS)).astype(np.uint16)
VNIR[:2, :, 4:], SWIR[:2, :, 4:] = 0, 0  # beyond the scene
VNIR[:, 3], SWIR[:, 5] = 0, 0  # not acquired
VNIR[5, 1, 5] = 0  # one dark value


def opened(path: Path, **options: object) -> Scene:
    found = open_scene(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, Scene)
    return found


def test_prisma(tmp_path: Path) -> None:
    scene = opened(prisma(tmp_path, VNIR, SWIR))
    assert scene.wavelength is not None
    # rising; 943 and 959 nm of SWIR lie within VNIR
    np.testing.assert_allclose(scene.wavelength, [407, 700, 951, 977, 1400, 1800, 2497])
    assert scene.band_name == ("VNIR 5", "VNIR 3", "VNIR 2", "VNIR 1", "SWIR 3", "SWIR 2", "SWIR 1")
    assert scene.fwhm is not None and scene.fwhm[0] == pytest.approx(10.407)
    values = scene.dataset["image"].values[0]
    expected = np.concatenate(
        [VNIR[:, [4, 2, 1, 0]] * (0.8 / 65535), 0.1 + SWIR[:, [2, 1, 0]] * (1.0 / 65535)], axis=1
    ).transpose(1, 0, 2)
    expected[:, :2, 4:] = np.nan
    np.testing.assert_allclose(values, expected, atol=1e-6)
    assert values[2, 5, 5] == 0  # dark in one band only: a value
    assert scene.dates == ("2022-07-24",) and scene.dataset.rio.crs.to_epsg() == 32633
    # corners are centres of pixels
    assert scene.dataset.x[0] == 600_015 and scene.dataset.y[0] == 5_600_025
    assert scene.dataset.rio.transform().a == 30
    assert "2 SWIR bands within the VNIR range are left out" in scene.facts
    assert any("no cloud mask" in fact for fact in scene.facts)


def test_prisma_errors_of_pixels(tmp_path: Path) -> None:
    vnir, swir = np.zeros(VNIR.shape, np.uint8), np.zeros(SWIR.shape, np.uint8)
    vnir[8, 4, 1], vnir[8, 4, 2], vnir[8, 4, 3], swir[9, 0, 0] = 1, 2, 3, 1
    path = prisma(tmp_path, VNIR, SWIR, errors=(vnir, swir))
    missing = np.isnan(opened(path).dataset["image"].values[0])
    assert missing[0, 8].nonzero()[0].tolist() == [1, 3] and missing[6, 9, 0] and not missing[5, 9, 0]
    negative = np.isnan(opened(path, quality="negative").dataset["image"].values[0])
    assert negative[:, 2:].nonzero()[0].tolist() == [0] and negative[0, 8, 2]
    assert not np.isnan(opened(path, quality="keep").dataset["image"].values[0, :, 2:]).any()


def test_prisma_bands_in_water_vapour(tmp_path: Path) -> None:
    swir = SWIR.copy()
    swir[:, 2] = 0
    swir[7, 2, 3] = 900
    path = prisma(tmp_path, VNIR, swir)
    scene = opened(path)
    assert scene.left_out == [{"band": "SWIR 3", "reason": "marked bad by the file"}]
    assert "SWIR 3" in opened(path, bad_bands="keep").band_name


def test_prisma_windows(tmp_path: Path) -> None:
    values = read_raster(prisma(tmp_path, VNIR, SWIR)).values
    assert values.chunks is not None
    np.testing.assert_array_equal(values[2:5, 1:6, 3:7].values, values.values[2:5, 1:6, 3:7])


def test_prisma_wrong(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"is PRISMA of processing level L2C; of PRISMA only L2D"):
        open_scene(prisma(tmp_path, VNIR, SWIR, level="L2C"))
    path = prisma(tmp_path, VNIR, SWIR)
    with h5py.File(path, "r+") as file:
        del file.attrs["L2ScaleSwirMax"]
    with pytest.raises(FileFormatError, match=r"has no attribute L2ScaleSwirMax"):
        open_scene(path)
    with h5py.File(path, "r+") as file:
        del file["HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/SWIR_Cube"]
    with pytest.raises(FileFormatError, match=r"there is no .*SWIR_Cube"):
        open_scene(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(FileFormatError, match=r"damaged or truncated"):
        open_scene(path)


def test_single_array_of_prisma_is_read_as_it_is(tmp_path: Path) -> None:
    name = "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/VNIR_Cube"
    raster = read_raster(prisma(tmp_path, VNIR, SWIR), variable=name)
    assert raster.product is None and raster.values.dtype == np.uint16


DOWN, ACROSS = 7, 5
MEASURED = random.random((DOWN, ACROSS, 4)).astype(np.float32)
MEASURED[3, 2] = -9999
MEASURED[..., 2] = -0.01


def table() -> tuple[np.ndarray, np.ndarray]:
    """A map grid of 8 x 9 px, turned a little: some pixels twice, some nowhere, none at its corners."""
    rows, columns = np.mgrid[:8, :9]
    y, x = rows - (columns > 4), columns - 2 + (rows > 3)
    outside = (y < 0) | (y >= DOWN) | (x < 0) | (x >= ACROSS)
    y[(rows == 2) & (columns == 4)] = 0  # the first row once more
    return np.where(outside, 0, x + 1), np.where(outside, 0, y + 1)


def on_map(values: np.ndarray) -> np.ndarray:
    """`(y, x, ...)` by the table, NaN where there is none."""
    x, y = table()
    found = values[np.maximum(y, 1) - 1, np.maximum(x, 1) - 1].astype(float)
    found[x == 0] = np.nan
    return found


def test_emit(tmp_path: Path) -> None:
    scene = opened(emit(tmp_path, MEASURED, *table()))
    expected = on_map(np.where(MEASURED == -9999, np.nan, MEASURED))[..., [0, 1, 3]].transpose(2, 0, 1)
    np.testing.assert_allclose(scene.dataset["image"].values[0], expected, atol=1e-6)
    assert scene.wavelength is not None and scene.wavelength.tolist() == [381, 650, 2200]
    assert scene.fwhm is not None and set(scene.fwhm.tolist()) == {8.5}
    assert scene.left_out == [{"band": "band 3", "reason": "marked bad by the file"}]
    assert scene.dates == ("2022-08-10",) and scene.dataset.rio.crs.to_epsg() == 4326
    assert scene.dataset.rio.transform().to_gdal() == pytest.approx(EMIT_PLACE)
    assert any("EMIT_L2A_MASK_" in fact and "not beside the file" in fact for fact in scene.facts)


def test_emit_windows(tmp_path: Path) -> None:
    values = read_raster(emit(tmp_path, MEASURED, *table())).values
    whole = values.values
    for key in (np.s_[:, 0:1, 0:2], np.s_[1:3, 2:6, 3:8], np.s_[:, 7:8, :]):
        np.testing.assert_array_equal(values[key].values, whole[key])


def test_emit_masks(tmp_path: Path) -> None:
    mask = np.zeros((DOWN, ACROSS, 8))
    for layer in range(8):
        mask[layer % DOWN, layer % ACROSS, layer] = 1
    mask[..., 5] = 0.2
    path = emit(tmp_path, MEASURED, *table(), mask=mask)
    marked = mask[..., [0, 1, 3, 4]].any(axis=-1)  # cloud, cirrus, spacecraft, dilated cloud
    missing = np.isnan(opened(path).dataset["image"].values[0, 0])
    fill = MEASURED[..., 0] == -9999
    np.testing.assert_array_equal(missing, np.nan_to_num(on_map(marked | fill), nan=1) > 0)
    assert any(f"cloud ({1 / 35:.1%} of" in fact for fact in opened(path).facts)
    water = np.isnan(opened(path, quality="water").dataset["image"].values[0, 0])
    np.testing.assert_array_equal(water, np.nan_to_num(on_map(mask[..., 2] + fill), nan=1) > 0)


def test_emit_shares_read_the_mask_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = np.zeros((DOWN, ACROSS, 8))
    mask[0, :2, 0], mask[1, :3, 1] = 1, 1
    path = emit(tmp_path, MEASURED, *table(), mask=mask)
    reads, getitem = [], h5py.Dataset.__getitem__

    def counted(self: h5py.Dataset, *args: Any, **options: Any) -> Any:
        reads.append(self.name)
        return getitem(self, *args, **options)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    facts = read_raster(path).facts
    assert any(f"cloud ({2 / 35:.1%} of" in fact and f"cirrus ({3 / 35:.1%} of" in fact for fact in facts)
    assert reads.count("/mask") == 1


def test_emit_chunks(tmp_path: Path) -> None:
    rows, columns = np.mgrid[:150, :2000]
    image = np.zeros((150, 2000, 4), np.float32)
    path = emit(tmp_path, image, columns + 1, rows + 1)
    with h5py.File(path, "r+") as file:
        del file["reflectance"]
        # whole rows, as along the swath
        file.create_dataset("reflectance", data=image, chunks=(1, 2000, 4))
    mapped, measured = read_raster(path).values, read_raster(path, variable="reflectance").values
    assert mapped.chunks is not None and measured.chunks is not None
    assert mapped.chunks[2][0] % 64 == 0 and len(mapped.chunks[2]) > 1
    assert measured.chunks[2] == (2000,)


def test_emit_as_measured(tmp_path: Path) -> None:
    mask = np.zeros((DOWN, ACROSS, 8))
    mask[1, 1, 0] = 1
    scene = opened(emit(tmp_path, MEASURED, *table(), mask=mask), variable="reflectance", bad_bands="keep")
    values = scene.dataset["image"].values[0]
    assert values.shape[1:] == (DOWN, ACROSS) and np.isnan(values[:, 1, 1]).all() and np.isnan(values[:, 3, 2]).all()
    assert scene.wavelength is not None and "spatial_ref" not in scene.dataset.coords
    np.testing.assert_allclose(values[1, 4:], MEASURED[4:, :, 1])


def test_emit_kept_bands(tmp_path: Path) -> None:
    image = MEASURED.copy()
    image[..., 2] = random.random((DOWN, ACROSS))
    scene = opened(emit(tmp_path, image, *table()), bad_bands="keep")
    assert scene.wavelength is not None and scene.wavelength.tolist() == list(EMIT_CENTRES)


def test_emit_folder_holds_one_scene(tmp_path: Path) -> None:
    path = emit(tmp_path, MEASURED, *table(), mask=np.zeros((DOWN, ACROSS, 8)))
    (tmp_path / f"EMIT_L2A_RFLUNCERT_001_{EMIT}.nc").write_bytes(path.read_bytes())
    assert [scene.name for scene in open_scene(tmp_path)] == [path.stem]


def test_emit_wrong(tmp_path: Path) -> None:
    path = emit(tmp_path, MEASURED, *table(), mask=np.zeros((DOWN, ACROSS - 1, 8)))
    with pytest.raises(FileFormatError, match=r"EMIT_L2A_MASK_.*: does not fit"):
        open_scene(path)
    next(tmp_path.glob("*MASK*")).unlink()
    with h5py.File(path, "r+") as file:
        file["radiance"] = file["reflectance"]
        del file["reflectance"]
    with pytest.raises(FileFormatError, match=r"is EMIT radiance \(L1B\); of EMIT only L2A"):
        open_scene(path)
    with h5py.File(path, "r+") as file:
        file["reflectance"] = file["radiance"]
        del file["location/glt_y"]
    with pytest.raises(FileFormatError, match=r"there is no location/glt_y"):
        open_scene(path)
