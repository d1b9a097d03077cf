"""`open_scene`: from files to checked scenes; on replicas, then on the real data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from scipy.io import savemat

from specdm.errors import FileFormatError, MaskError, SceneError
from specdm.scenes import images, open_scene
from specdm.scenes.collection import SceneCollection
from specdm.scenes.scene import Scene

random = np.random.default_rng(0)
CUBE = random.integers(100, 4000, (8, 6, 4)).astype(np.int16)  # y, x, band
MASK = random.integers(0, 3, (8, 6)).astype(np.uint8)
NM = [450.0, 550.0, 660.0, 850.0]


def tif(
    path: Path, cube: np.ndarray, *, west: float = 0, crs: str | None = "EPSG:32633", **profile: Any
) -> Path:
    """Writes `(y, x, band)` or `(y, x)`."""
    array = cube.transpose(2, 0, 1) if cube.ndim == 3 else cube[None]
    place = {"crs": crs, "transform": from_origin(west, 100, 10, 10)} if crs else {}
    count, height, width = array.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=count,
        height=height,
        width=width,
        dtype=array.dtype,
        **place,
        **profile,
    ) as file:
        file.write(array)
    return path


def scene(*args: Any, **options: Any) -> Scene:
    found = open_scene(*args, **options)
    assert isinstance(found, Scene)
    return found


def collection(*args: Any, **options: Any) -> SceneCollection:
    found = open_scene(*args, **options)
    assert isinstance(found, SceneCollection)
    return found


def test_image_and_mask(tmp_path: Path) -> None:
    opened = scene(
        tif(tmp_path / "i.tif", CUBE),
        mask=tif(tmp_path / "m.tif", MASK),
        wavelengths=NM,
        fwhm=[10] * 4,
        class_names={1: "a", 2: "b"},
        units="reflectance",
        date="2022-07-24",
    )
    values, mask = opened.window(0, 0, 8, 6)
    np.testing.assert_array_equal(values[0], CUBE.transpose(2, 0, 1))
    assert mask is not None
    np.testing.assert_array_equal(mask[0], np.where(MASK == 0, -1, MASK.astype(int)))
    assert opened.name == "i" and opened.units == "reflectance"
    np.testing.assert_array_equal(opened.wavelength, NM)
    assert opened.classes is not None and opened.classes.names == ("a", "b")
    assert opened.dataset.rio.crs.to_epsg() == 32633
    assert str(opened.dataset.date.values[0]) == "2022-07-24"
    assert [Path(source).name for source in opened.sources] == ["i.tif", "m.tif"]


def test_arrays() -> None:
    opened = scene(CUBE, mask=MASK, name="mine")
    assert (opened.name, opened.height, opened.width, opened.n_bands) == ("mine", 8, 6, 4)
    turned = scene(CUBE.transpose(2, 0, 1), layout="byx")
    np.testing.assert_array_equal(turned.dataset["image"], opened.dataset["image"])
    assert turned.classes is None


def test_nodata_nan_and_infinity() -> None:
    cube = CUBE.astype(np.float32)
    cube[0, 0] = -32768
    cube[1, 1, 0] = np.nan
    cube[2, 2, 1] = np.inf
    opened = scene(cube, nodata=-32768, scale=0.5, offset=1.0)
    image = opened.dataset["image"].values[0]
    assert np.isnan(image[:, 0, 0]).all() and np.isnan(image[0, 1, 1]) and np.isnan(image[1, 2, 2])
    assert np.isnan(image).sum() == 6
    assert image[3, 5, 5] == CUBE[5, 5, 3] * 0.5 + 1
    assert any("1 infinite value" in line for line in opened.problems)


def test_nodata_of_the_file_and_the_users_both_count(tmp_path: Path) -> None:
    cube = CUBE.copy()
    cube[0, 0, :], cube[1, 1, :] = -9999, -1
    opened = scene(tif(tmp_path / "i.tif", cube, nodata=-9999), nodata=-1)
    assert np.isnan(opened.dataset["image"].values[0, 0]).sum() == 2


def test_cf_packing_is_applied(tmp_path: Path) -> None:
    import xarray as xr

    attrs = {"scale_factor": 0.1, "add_offset": 5.0, "_FillValue": np.int16(CUBE[0, 0, 0])}
    xr.Dataset({"i": (("y", "x", "band"), CUBE, attrs)}).to_netcdf(tmp_path / "i.nc", engine="netcdf4")
    image = scene(tmp_path / "i.nc").dataset["image"].values[0]
    assert np.isnan(image[0, 0, 0])
    assert image[2, 3, 4] == pytest.approx(CUBE[3, 4, 2] * 0.1 + 5)


def test_useless_bands_are_left_out() -> None:
    cube = np.concatenate([CUBE, np.full((8, 6, 1), -9), np.full((8, 6, 1), 7)], axis=2)
    opened = scene(cube, nodata=-9, wavelengths=[*NM, 900, 950])
    assert opened.n_bands == 4
    np.testing.assert_array_equal(opened.wavelength, NM)
    assert {entry["band"]: entry["reason"] for entry in opened.left_out} == {
        "band 5": "all nodata",
        "band 6": "constant (7)",
    }


def test_bands_chosen() -> None:
    opened = scene(CUBE, wavelengths=NM, bands="500-700")
    np.testing.assert_array_equal(opened.wavelength, [550, 660])
    np.testing.assert_array_equal(opened.dataset["image"].values[0], CUBE.transpose(2, 0, 1)[1:3])
    assert opened.band_name == ("band 2", "band 3") and opened.left_out == []
    assert scene(CUBE, bands=[0, 3]).n_bands == 2


def test_wavelengths_from_a_table(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("wavelength,fwhm\n" + "".join(f"{nm},12\n" for nm in NM))
    opened = scene(CUBE, wavelengths=tmp_path / "w.csv")
    np.testing.assert_array_equal(opened.wavelength, NM)
    np.testing.assert_array_equal(opened.fwhm, [12] * 4)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([450, 550], "4 bands, but wavelengths has 2"),
        ([0.4, 0.5, 0.6, 0.8], "cannot be nm"),
        (["red"] * 4, "no number"),
    ],
)
def test_wavelengths_that_do_not_fit(given: list[Any], message: str) -> None:
    with pytest.raises(SceneError, match=message):
        scene(CUBE, wavelengths=given)


def test_large_images_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import specdm.scenes.open as module

    path = tif(tmp_path / "i.tif", CUBE, nodata=int(CUBE[0, 0, 0]))
    small = scene(path, mask=MASK)
    assert small.dataset["image"].chunks is None
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    large = scene(path, mask=MASK)
    assert large.dataset["image"].chunks is not None
    np.testing.assert_array_equal(large.window(1, 2, 3, 4)[0], small.window(1, 2, 3, 4)[0])
    assert images.IN_MEMORY_BYTES > 10


def test_mask_within_the_image_file(tmp_path: Path) -> None:
    path = tmp_path / "both.mat"
    savemat(path, {"data": CUBE, "map": MASK, "other": MASK + 1})
    opened = scene(path, mask_variable="map")
    assert opened.classes is not None and opened.classes.values == (1, 2)
    with pytest.raises(FileFormatError, match="mask_variable="):
        scene(path, mask=path)


def test_dominant_abundance(tmp_path: Path) -> None:
    share = random.random((8, 6, 3))
    flat = {
        "A": share.reshape(-1, 3, order="F").T,
        "Y": CUBE.reshape(-1, 4, order="F").T,
        "nRow": 8,
        "nCol": 6,
    }
    names = np.array([["1-tree"], ["2-water"], ["3-road"]], dtype=object)
    savemat(tmp_path / "j.mat", {**flat, "cood": names})
    opened = scene(tmp_path / "j.mat", mask_variable="A", mask_kind="dominant")
    np.testing.assert_array_equal(opened.dataset["mask"].values[0], share.argmax(axis=2) + 1)
    np.testing.assert_array_equal(opened.dataset["image"].values[0], CUBE.transpose(2, 0, 1))
    assert opened.classes is not None and opened.classes.names == ("tree", "water", "road")
    own = ["a", "b", "c"]
    opened = scene(tmp_path / "j.mat", mask_variable="A", mask_kind="dominant", quantity_names=own)
    assert opened.classes is not None and opened.classes.names == ("a", "b", "c")


def test_quantities_of_a_mask_of_classes_are_refused(tmp_path: Path) -> None:
    image, mask = tif(tmp_path / "i.tif", CUBE), tif(tmp_path / "m.tif", MASK)
    with pytest.raises(MaskError, match=r"m\.tif: quantities are named, but this mask is one of classes"):
        scene(image, mask=mask, quantity_names=["height"])


def test_masks_that_do_not_fit(tmp_path: Path) -> None:
    image = tif(tmp_path / "i.tif", CUBE)
    with pytest.raises(MaskError, match=r"m\.tif: the mask has 7 x 6 px, the image .*i\.tif has 8 x 6 px"):
        scene(image, mask=tif(tmp_path / "m.tif", MASK[:7]))
    with pytest.raises(MaskError, match="turned on its side"):
        scene(image, mask=MASK.T)
    with pytest.raises(MaskError, match="continuous"):
        scene(image, mask=MASK + 0.25)
    with pytest.raises(MaskError, match=r"another grid .*1\.0 pixels"):
        scene(image, mask=tif(tmp_path / "shifted.tif", MASK, west=10))
    with pytest.raises(MaskError, match=r"EPSG:32634, the image .*EPSG:32633"):
        scene(image, mask=tif(tmp_path / "zone.tif", MASK, crs="EPSG:32634"))
    with pytest.raises(MaskError, match="mask values 2 have no class name"):
        scene(image, mask=MASK, class_names={1: "a"})
    with pytest.raises(MaskError, match="no mask"):
        scene(image, class_names={1: "a"})
    # without georeference it lies where the image lies
    assert scene(image, mask=tif(tmp_path / "plain.tif", MASK, crs=None)).classes is not None


@pytest.mark.parametrize("n_bands", [1, 426])
def test_numbers_of_bands(n_bands: int) -> None:
    assert scene(random.random((5, 4, n_bands))).n_bands == n_bands


def test_nothing_valid() -> None:
    with pytest.raises(SceneError, match="no valid pixel"):
        scene(np.full((4, 4, 3), -5), nodata=-5)
    with pytest.raises(SceneError, match="none of its 3 bands can be used"):
        scene(np.full((4, 4, 3), 8))


def test_split_maps() -> None:
    train = np.zeros((8, 6), np.uint8)
    train[:4] = 7
    opened = scene(CUBE, mask=MASK, split_map=train, split_map_kind="train")
    expected = np.where(train > 0, 1, np.where(MASK > 0, 2, 0))
    np.testing.assert_array_equal(opened.split_map, expected)
    np.testing.assert_array_equal(scene(CUBE, mask=MASK, split_map=expected).split_map, expected)
    for given, options, message in (
        (train, {}, "split_map_kind"),
        (train[:3], {}, "3 x 6 px"),
        (train * 0, {}, "no training pixel"),
    ):
        with pytest.raises(MaskError, match=message):
            scene(CUBE, mask=MASK, split_map=given, **options)


def test_split_maps_of_files(tmp_path: Path) -> None:
    split = np.where(MASK > 0, 1, 255).astype(np.uint8)
    split[4:][MASK[4:] > 0] = 2
    image, nodata = tif(tmp_path / "image.tif", CUBE), tif(tmp_path / "split.tif", split, nodata=255)
    np.testing.assert_array_equal(scene(image, mask=MASK, split_map=nodata).split_map, np.where(split == 255, 0, split))
    kept = scene(image, mask=MASK, split_map=nodata, split_map_kind="train").split_map
    np.testing.assert_array_equal(kept, np.where(MASK > 0, 1, 0))
    elsewhere = tif(tmp_path / "elsewhere.tif", split, nodata=255, crs="EPSG:32634")
    with pytest.raises(MaskError, match=r"elsewhere.tif: is in EPSG:32634, the image .* in EPSG:32633"):
        scene(image, mask=MASK, split_map=elsewhere)


def folders(root: Path, n: int = 3) -> tuple[Path, Path]:
    (root / "images").mkdir()
    (root / "labels").mkdir()
    for i in range(n):
        tif(root / "images" / f"t{i}.tif", CUBE + i, nodata=-1)
        tif(root / "labels" / f"t{i}.tif", (i == MASK).astype(np.float32) * (i + 1))
    return root / "images", root / "labels"


def test_folders_share_classes_and_bands(tmp_path: Path) -> None:
    opened = collection(*folders(tmp_path)[:1], mask=tmp_path / "labels")
    assert [one.name for one in opened] == ["t0", "t1", "t2"] and opened.name == "images"
    assert opened.classes is not None and opened.classes.values == (1, 2, 3)
    assert opened.class_counts.tolist() == [(i == MASK).sum() for i in range(3)]


def test_missing_mask_of_a_folder(tmp_path: Path) -> None:
    images_folder, labels = folders(tmp_path)
    (labels / "t1.tif").unlink()
    with pytest.raises(SceneError, match=r"no mask in .*labels for t1\.tif"):
        open_scene(images_folder, mask=labels)


def test_tile_of_nodata_only_is_left_out(tmp_path: Path) -> None:
    images_folder, labels = folders(tmp_path)
    tif(images_folder / "t1.tif", np.full_like(CUBE, -1), nodata=-1)
    opened = collection(images_folder, mask=labels)
    assert [one.name for one in opened] == ["t0", "t2"] and opened.n_bands == 4
    assert any("nodata only" in line and "t1" in line for line in opened.problems)


def test_band_constant_in_one_tile_only_stays(tmp_path: Path) -> None:
    images_folder, labels = folders(tmp_path)
    dark = CUBE.copy()
    dark[..., 3] = 0  # infrared over water
    tif(images_folder / "t1.tif", dark)
    assert collection(images_folder, mask=labels).n_bands == 4
    for i in range(3):
        tif(images_folder / f"t{i}.tif", dark)
    assert collection(images_folder, mask=labels).n_bands == 3


def test_list_of_pairs(tmp_path: Path) -> None:
    opened = collection([(CUBE, MASK), (CUBE + 1, None)], name="two")
    assert opened.name == "two" and len(opened) == 2
    assert opened[1].classes == opened[0].classes


def test_sensor(tmp_path: Path) -> None:
    cube = random.random((4, 4, 12))
    assert scene(cube).wavelength is None
    opened = scene(cube, sensor="sentinel2", bands=["B04", "B08"])
    np.testing.assert_array_equal(opened.wavelength, [665, 842])


def test_real_enmap(shared_data: Path) -> None:
    folder = shared_data / "enmap_potsdam"
    names = ["roof", "pavement", "low vegetation", "tree", "soil", "water"]
    opened = collection(folder / "images", mask=folder / "labels", class_names=dict(enumerate(names, 1)))
    assert (len(opened), opened.n_bands) == (18, 218)
    assert opened.classes is not None and opened.classes.names == tuple(names)
    assert opened.class_counts.tolist() == [505, 953, 1694, 2070, 91, 359]
    assert opened.wavelength is not None and opened.wavelength[0] == 418.24
    assert np.isfinite(opened[0].dataset["image"].values).all()


def test_real_indian_pines(shared_data: Path) -> None:
    folder = shared_data / "indian_pines"
    opened = scene(
        folder / "Indian_pines_corrected.npy",
        mask=folder / "Indian_pines_gt.npy",
        split_map=folder / "indianpines_disjoint_dset.mat",
        split_map_kind="train",
    )
    assert (opened.height, opened.width, opened.n_bands) == (145, 145, 200)
    assert opened.class_counts.sum() == 10249 and opened.classes is not None and len(opened.classes) == 16
    split = opened.split_map
    assert split is not None and (split == 1).sum() == 5689 and (split == 2).sum() == 10249 - 5689 + 151


@pytest.mark.parametrize(
    ("name", "variable", "size", "counts"),
    [
        ("jasper_ridge/jasperRidge2_R198.mat", "A", (100, 100, 198), [3493, 3326, 2428, 753]),
        ("samson/Samson.mat", "S_GT", (95, 95, 156), [3015, 3666, 2344]),
    ],
)
def test_real_abundances(
    shared_data: Path, name: str, variable: str, size: tuple[int, int, int], counts: list[int]
) -> None:
    opened = scene(shared_data / name, mask_variable=variable, mask_kind="dominant")
    assert (opened.height, opened.width, opened.n_bands) == size
    assert opened.class_counts.tolist() == counts


def test_real_sentinel2(shared_data: Path) -> None:
    folder = shared_data / "sentinel2_lulc"
    for product, bands in (("S2L1C", 13), ("S2L2A", 12)):
        opened = collection(folder / product, mask=folder / "LULC", sensor="sentinel2")
        assert (len(opened), opened.n_bands) == (4, bands)
        assert opened.classes is not None and opened.classes.values == (1, 2, 4, 5, 6, 7, 9)
        assert opened.wavelength is not None and opened.wavelength[-1] == 2190


def test_real_taizhou(shared_data: Path) -> None:
    folder = shared_data / "landsat_taizhou"
    opened = scene(folder / "2000TM", mask=folder / "change.bmp", class_names={0: "rest", 255: "changed"})
    assert opened.class_counts.tolist() == [160000 - 4227, 4227]
    assert opened.wavelength is not None and opened.n_bands == 6
