"""Scenes of several dates: as files, folders, arrays, and of two sensors; then the real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from scipy.io import savemat

from specdm.errors import FileFormatError, SceneError
from specdm.scenes import open_scene
from specdm.scenes.collection import SceneCollection
from specdm.scenes.opening.file_dates import in_order
from specdm.scenes.scene import Scene

random = np.random.default_rng(3)
FIRST = random.integers(100, 4000, (8, 6, 4)).astype(np.int16)  # y, x, band
SECOND = random.integers(100, 4000, (8, 6, 4)).astype(np.int16)
CHANGE = (random.random((8, 6)) > 0.6).astype(np.uint8)
COVER = [random.integers(1, 4, (8, 6)).astype(np.uint8) for _ in range(2)]
NM = [450.0, 550.0, 660.0, 850.0]
DATES = ["2000-03-17", "2003-02-06"]


def scene(*args: Any, **options: Any) -> Scene:
    found = open_scene(*args, **options)
    assert isinstance(found, Scene)
    return found


def collection(*args: Any, **options: Any) -> SceneCollection:
    found = open_scene(*args, **options)
    assert isinstance(found, SceneCollection)
    return found


def tif(path: Path, cube: np.ndarray, *, west: float = 0, **profile: Any) -> Path:
    array = cube.transpose(2, 0, 1) if cube.ndim == 3 else cube[None]
    count, height, width = array.shape
    place = {"crs": "EPSG:32633", "transform": from_origin(west, 100, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", count=count, height=height, width=width, dtype=array.dtype,
                       **place, **profile) as file:  # fmt: skip
        file.write(array)
    return path


def bands_first(cube: np.ndarray) -> np.ndarray:
    return cube.transpose(2, 0, 1)


def check_pair(opened: Scene) -> None:
    image, _ = opened.window(0, 0, 8, 6)
    np.testing.assert_array_equal(image, np.stack([bands_first(FIRST), bands_first(SECOND)]))


def test_two_files_and_a_change_mask(tmp_path: Path) -> None:
    files = [tif(tmp_path / "a.tif", FIRST), tif(tmp_path / "b.tif", SECOND)]
    opened = scene(files, dates=DATES, mask=tif(tmp_path / "m.tif", CHANGE), wavelengths=NM, name="pair")
    check_pair(opened)
    assert opened.name == "pair" and opened.dates == tuple(DATES)
    assert opened.layers == ("change",) and opened.task == "change"
    assert opened.classes is not None and opened.classes.names == ("unchanged", "changed")
    np.testing.assert_array_equal(opened.dataset["mask"].values[0], CHANGE)  # 0 is a class, not "no class"
    assert [Path(source).name for source in opened.sources] == ["a.tif", "b.tif", "m.tif"]
    assert opened.dataset.rio.crs.to_epsg() == 32633


def test_arrays_of_five_dates_in_one() -> None:
    stack = random.integers(0, 9, (5, 8, 6, 3)).astype(np.float32)
    dates = [f"201{i}" for i in range(5)]
    opened = scene(stack, dates=dates, mask=COVER[0])
    np.testing.assert_array_equal(opened.dataset["image"].values, stack.transpose(0, 3, 1, 2))
    assert opened.layers == ("class",) and opened.task == "segmentation"
    turned = scene(stack.transpose(0, 3, 1, 2), dates=dates, layout="dbyx")
    np.testing.assert_array_equal(turned.dataset["image"].values, opened.dataset["image"].values)
    with pytest.raises(FileFormatError, match=r"5 x 8 x 6 x 3.*dates= with 5 labels"):
        scene(stack)
    with pytest.raises(SceneError, match=r"holds 5 dates .*dates= names 2"):
        scene(stack, dates=["a", "b"])


def test_four_dimensions_on_disk_are_read_by_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import specdm.scenes.open as module

    stack = random.random((2, 8, 6, 3)).astype(np.float32)
    np.save(tmp_path / "s.npy", stack)
    np.savez(tmp_path / "s.npz", cube=stack, mask=CHANGE)
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    opened = scene(tmp_path / "s.npy", dates=DATES)
    assert opened.dataset["image"].chunks is not None
    np.testing.assert_array_equal(opened.window(2, 1, 3, 4)[0], stack.transpose(0, 3, 1, 2)[:, :, 2:5, 1:5])
    both = scene(tmp_path / "s.npz", dates=DATES, mask_variable="mask")
    np.testing.assert_array_equal(both.window(2, 1, 3, 4)[0], opened.window(2, 1, 3, 4)[0])
    assert both.task == "change"


def test_time_dimension_of_netcdf(tmp_path: Path) -> None:
    import xarray as xr

    stack = random.random((2, 3, 8, 6)).astype(np.float32)
    data = xr.Dataset({"r": (("time", "band", "y", "x"), stack), "truth": (("y", "x"), CHANGE)})
    data.to_netcdf(tmp_path / "s.nc", engine="netcdf4")
    opened = scene(tmp_path / "s.nc", dates=["before", "after"])
    np.testing.assert_array_equal(opened.dataset["image"].values, stack)
    assert opened.task == "change"  # the only plane beside the dates is their mask
    data.drop_vars("truth").to_netcdf(tmp_path / "one.nc", engine="netcdf4")
    with pytest.raises(FileFormatError, match="say dates= with 2 labels"):
        scene(tmp_path / "one.nc")


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_one_matlab_file_with_both_dates_and_the_reference(tmp_path: Path, version: str) -> None:
    path, arrays = tmp_path / "all.mat", {"T2": SECOND, "T1": FIRST, "GT": CHANGE}
    if version == "5":
        savemat(path, arrays)
    else:
        import h5py

        with h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array.T  # MATLAB stores its dimensions reversed
    for options in ({}, {"variable": ["T1", "T2"], "mask_variable": "GT"}):
        opened = scene(path, dates=DATES, **options)
        check_pair(opened)
        np.testing.assert_array_equal(opened.dataset["mask"].values[0], CHANGE)
    assert scene(path, dates=DATES, variable=["T2", "T1"]).classes is None  # a mask is not guessed from named arrays
    with pytest.raises(FileFormatError, match=r"Name one with variable=, or if they are dates .*2 labels"):
        scene(path)
    with pytest.raises(SceneError, match="say dates= with 2 labels"):
        scene(path, variable=["T1", "T2"])
    with pytest.raises(SceneError, match=r"cannot tell 3 dates .*T1 \(8 x 6 x 4\)"):
        scene(path, dates=["a", "b", "c"])
    with pytest.raises(SceneError, match="names 3 arrays"):
        scene(path, dates=DATES, variable=["T1", "T2", "GT"])


def test_separate_matlab_files_under_any_names(tmp_path: Path) -> None:
    savemat(tmp_path / "Sa1.mat", {"T1": FIRST})
    savemat(tmp_path / "Sa2.mat", {"T2": SECOND})
    savemat(tmp_path / "SaGT.mat", {"Binary": CHANGE.astype(np.float64)})
    opened = scene([tmp_path / "Sa1.mat", tmp_path / "Sa2.mat"], dates=DATES, mask=tmp_path / "SaGT.mat")
    check_pair(opened)
    assert opened.name == tmp_path.name and opened.task == "change"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["T2", "T1"], ["T1", "T2"]),
        (["img10", "img9"], ["img9", "img10"]),
        (["hyper_2010_v1", "hyper_2009_v1"], ["hyper_2009_v1", "hyper_2010_v1"]),
        (["after", "before"], ["before", "after"]),
        (["imgB", "imgA"], ["imgA", "imgB"]),
        (["mine", "yours"], ["yours", "mine"]),  # called like the dates
    ],
)
def test_order_of_arrays(names: list[str], expected: list[str]) -> None:
    assert in_order(names, dates=["yours", "mine"], where="f.mat") == expected


def test_order_that_cannot_be_told() -> None:
    with pytest.raises(SceneError, match=r"which of cat, dog is before .*variable="):
        in_order(["cat", "dog"], dates=["before", "after"], where="f.mat")


def test_folders_of_dates(tmp_path: Path) -> None:
    for folder, cube in (("x", FIRST), ("y", SECOND)):
        (tmp_path / folder).mkdir()
        for i in range(3):
            tif(tmp_path / folder / f"{folder}_{i}.tif", cube + i)
    (tmp_path / "truth").mkdir()
    for i in range(3):
        Image.fromarray(CHANGE * 255).save(tmp_path / "truth" / f"truth_{i}.png")
    folders = [tmp_path / "x", tmp_path / "y"]
    opened = collection(folders, dates=DATES, mask=tmp_path / "truth", wavelengths=NM)
    assert len(opened) == 3 and opened.task == "change" and opened.dates == tuple(DATES)
    np.testing.assert_array_equal(opened[2].dataset["image"].values[1], bands_first(SECOND + 2))
    assert opened.classes is not None and opened.classes.values == (0, 255)
    semantic = collection(folders, dates=DATES, mask=[tmp_path / "truth", tmp_path / "truth"], unlabelled=())
    assert semantic.task == "semantic_change" and semantic[0].layers == tuple(DATES)
    (tmp_path / "y" / "y_1.tif").unlink()
    with pytest.raises(SceneError, match=r"no image of 2003-02-06 in .*y for x_1\.tif"):
        open_scene(folders, dates=DATES)
    with pytest.raises(SceneError, match="is a folder, other dates are files"):
        open_scene([tmp_path / "x", FIRST], dates=DATES)


def test_several_scenes_of_two_dates_each() -> None:
    opened = collection([[FIRST, SECOND], [SECOND, FIRST]], dates=DATES, mask=[CHANGE, 1 - CHANGE])
    np.testing.assert_array_equal(opened[1].dataset["image"].values[0], bands_first(SECOND))
    np.testing.assert_array_equal(opened[1].dataset["mask"].values[0], 1 - CHANGE)
    layers = collection([[FIRST, SECOND], [SECOND, FIRST]], dates=DATES, mask=[COVER, COVER[::-1]])
    np.testing.assert_array_equal(layers[1].dataset["mask"].values, np.stack(COVER[::-1]))


@pytest.mark.parametrize(
    ("images", "dates", "message"),
    [
        ([FIRST], DATES, "1 images .* for 2 dates"),
        ([FIRST, SECOND, FIRST], DATES, "3 images .* for 2 dates"),
        ([FIRST, SECOND], ["a", "a"], "names a more than once"),
        ([FIRST, SECOND], [], "empty"),
        ([FIRST, SECOND[:7]], DATES, r"\(date 2003-02-06\) has 7 x 6 px, .*\(date 2000-03-17\) has 8 x 6 px"),
        ([FIRST, SECOND[..., :3]], DATES, r'has 3 bands, .* 4; .*sensors="each"'),
    ],
)
def test_dates_that_do_not_fit(images: list[np.ndarray], dates: list[str], message: str) -> None:
    with pytest.raises(SceneError, match=message):
        open_scene(images, dates=dates)


def test_dates_elsewhere_or_with_other_wavelengths(tmp_path: Path) -> None:
    first = tif(tmp_path / "a.tif", FIRST)
    with pytest.raises(SceneError, match=r"b\.tif: lies on another grid .*resample the date"):
        open_scene([first, tif(tmp_path / "b.tif", SECOND, west=20)], dates=DATES)
    import spectral.io.envi as envi

    for name, shift in (("p", 0.0), ("q", 0.3), ("r", 4.0)):
        waves = [w + shift for w in NM]
        envi.save_image(str(tmp_path / f"{name}.hdr"), FIRST, metadata={"wavelength": waves, "wavelength units": "nm"})
    near = scene([tmp_path / "p.hdr", tmp_path / "q.hdr"], dates=DATES)
    np.testing.assert_array_equal(near.wavelength, NM)
    with pytest.raises(SceneError, match=r"r\.img .*band 1 lies at 454 nm, there at 450 nm; .*sensors=\"each\""):
        open_scene([tmp_path / "p.hdr", tmp_path / "r.hdr"], dates=DATES)
    assert scene([tmp_path / "p.hdr", tmp_path / "r.hdr"], dates=DATES, sensors="each").n_bands == 8


def test_band_without_data_at_one_date_is_left_out_of_both() -> None:
    hole, flat = SECOND.copy(), SECOND.copy()
    hole[..., 1], flat[..., 2] = -9, 7
    opened = scene([FIRST, hole], dates=DATES, nodata=-9, wavelengths=NM)
    assert opened.n_bands == 3 and opened.left_out == [{"band": "band 2", "reason": "all nodata"}]
    np.testing.assert_array_equal(opened.wavelength, [450, 660, 850])
    assert scene([FIRST, flat], dates=DATES).n_bands == 4  # constant at one date only says nothing about the band
    with pytest.raises(SceneError, match="no valid pixel"):
        scene([FIRST, np.full_like(SECOND, -9)], dates=DATES, nodata=-9)


def test_two_sensors_on_one_grid() -> None:
    other = random.random((8, 6, 2)).astype(np.float32)
    opened = scene(
        [FIRST, other], dates=["optical", "other"], sensors="each", wavelengths=[NM, [500, 600]], mask=CHANGE,
        bands=[None, [0, 1]],
    )  # fmt: skip
    assert opened.n_bands == 6
    image = opened.window(0, 0, 8, 6)[0]
    np.testing.assert_array_equal(opened.bands_of(0), [0, 1, 2, 3])
    np.testing.assert_array_equal(opened.bands_of(1), [4, 5])
    np.testing.assert_array_equal(image[0, :4], bands_first(FIRST))
    np.testing.assert_array_equal(image[1, 4:], bands_first(other))
    assert np.isnan(image[0, 4:]).all() and np.isnan(image[1, :4]).all()
    np.testing.assert_array_equal(opened.wavelength, [*NM, 500, 600])
    assert opened.band_name[0] == "band 1 (optical)" and opened.band_name[4] == "band 1 (other)"
    with pytest.raises(SceneError, match="7 x 6 px"):
        scene([FIRST, other[:7]], dates=DATES, sensors="each")
    with pytest.raises(SceneError, match="sensors='two' is not known"):
        scene([FIRST, other], dates=DATES, sensors="two")
    with pytest.raises(SceneError, match="scale= lists 2 values"):
        scene([FIRST, SECOND], dates=DATES, scale=[1.0, 2.0])


def test_two_sensors_stay_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import specdm.scenes.open as module

    files = [tif(tmp_path / "a.tif", FIRST), tif(tmp_path / "b.tif", SECOND[..., :2])]
    small = scene(files, dates=DATES, sensors="each")
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 10)
    large = scene(files, dates=DATES, sensors="each")
    assert large.dataset["image"].chunks is not None
    np.testing.assert_array_equal(large.window(1, 2, 3, 4)[0], small.window(1, 2, 3, 4)[0])


def test_two_sensors_in_several_scenes() -> None:
    other = random.random((8, 6, 2)).astype(np.float32)
    opened = collection([[FIRST, other], [SECOND, other]], dates=["s", "t"], sensors="each", mask=[CHANGE, CHANGE])
    assert opened.n_bands == 6
    np.testing.assert_array_equal(opened.bands_of(1), [4, 5])
