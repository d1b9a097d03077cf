"""NumPy files and arrays, plain HDF5, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from specdm.errors import FileFormatError
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.readers import numpy_file, read_raster
from specdm.scenes.readers.arrays import Layout

CUBE = np.random.default_rng(0).integers(0, 4000, (6, 5, 4)).astype(np.uint16)  # y, x, band


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    kind=st.sampled_from(["u1", "i2", "u4", "f4", "f8"]),
    byx=st.booleans(),
)
def test_npy_by_layout(tmp_path: Path, shape: tuple[int, int, int], kind: str, byx: bool) -> None:
    array = (np.random.default_rng(1).random(shape) * 100).astype(kind)
    np.save(tmp_path / "a.npy", array)
    raster = read_raster(tmp_path / "a.npy", layout="byx" if byx else None)
    np.testing.assert_array_equal(raster.values.values, array if byx else array.transpose(2, 0, 1))
    assert raster.values.dtype == array.dtype


def test_npy_plane_flat_and_mask(tmp_path: Path) -> None:
    np.save(tmp_path / "plane.npy", CUBE[..., 0])
    np.testing.assert_array_equal(read_raster(tmp_path / "plane.npy").values.values[0], CUBE[..., 0])
    np.save(tmp_path / "flat.npy", CUBE.reshape(-1, 4))
    flat = read_raster(tmp_path / "flat.npy", rows=6, columns=5)  # NumPy's own order: row by row
    np.testing.assert_array_equal(flat.values.values, CUBE.transpose(2, 0, 1))
    for axis in (0, 2):  # a mask has one band, wherever it stands
        np.save(tmp_path / "mask.npy", np.expand_dims(CUBE[..., 0], axis))
        mask = read_raster(tmp_path / "mask.npy", role="mask", layout="byx")
        np.testing.assert_array_equal(mask.values.values, CUBE[None, ..., 0])


def test_npy_is_read_by_window(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", CUBE)
    raster = read_raster(tmp_path / "a.npy")
    assert raster.values.chunks is not None
    np.testing.assert_array_equal(raster.values[1, 2:4, :3].values, CUBE[2:4, :3, 1])


@pytest.mark.parametrize("layout", ["byx", "dbyx", "yxb", "dyxb"])
def test_a_window_of_npy_takes_its_rows_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout
) -> None:
    monkeypatch.setattr(numpy_file, "CHUNK_BYTES", 3 * 5 * 4 * CUBE.itemsize)  # three rows of all bands
    cube = CUBE.transpose(2, 0, 1) if layout.endswith("byx") else CUBE
    np.save(tmp_path / "a.npy", cube if len(layout) == 3 else np.stack([cube, cube]))
    keys = []
    read = numpy_file.NpyFile.read
    monkeypatch.setattr(numpy_file.NpyFile, "read", lambda self, key: keys.append(key) or read(self, key))
    raster = read_raster(tmp_path / "a.npy", layout=layout, position=None if len(layout) == 3 else 1)
    numbers = raster.values.astype(np.float32)  # as an image has them; a chunk is then read whole
    np.testing.assert_array_equal(numbers[:, 3:5].values, CUBE[3:5].transpose(2, 0, 1))
    rows = [key[layout.index("y")] for key in keys]
    assert rows and all((key.start, key.stop) == (3, 6) for key in rows)


def test_npz(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", cube=CUBE, mask=CUBE[..., 0], names=np.array(["a", "b"]))
    raster = read_raster(tmp_path / "a.npz")
    assert raster.variable == "cube" and raster.other_variables["mask"] == (6, 5)
    np.testing.assert_array_equal(raster.values.values, CUBE.transpose(2, 0, 1))
    np.testing.assert_array_equal(read_raster(tmp_path / "a.npz", role="mask").values.values[0], CUBE[..., 0])


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_truncated(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"cut{suffix}"
    (np.save if suffix == ".npy" else np.savez)(path, np.random.default_rng(0).random((20, 20, 5)))
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FileFormatError, match="cut"):
        read_raster(path)


def test_objects_and_too_many_dimensions(tmp_path: Path) -> None:
    np.save(tmp_path / "o.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(FileFormatError, match="Python objects"):
        read_raster(tmp_path / "o.npy")
    np.save(tmp_path / "t.npy", CUBE[None])
    with pytest.raises(FileFormatError, match=r"4 dimensions \(1 x 6 x 5 x 4\)"):
        read_raster(tmp_path / "t.npy")
    np.save(tmp_path / "c.npy", CUBE + 1j)
    with pytest.raises(FileFormatError, match="real numbers"):
        read_raster(tmp_path / "c.npy")


def test_plain_hdf5(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["group/cube"] = CUBE
        file["group/wavelength"] = [450.0, 550.0, 660.0, 850.0]
    raster = read_raster(tmp_path / "a.h5")
    assert raster.format == "HDF5"
    np.testing.assert_array_equal(raster.values.values, CUBE.transpose(2, 0, 1))
    np.testing.assert_allclose(raster.wavelength, [450, 550, 660, 850])


@pytest.mark.parametrize(
    "attrs", [{"Data_Ignore_Value": -9999.0}, {"_FillValue": np.int16(-9999)}, {"missing_value": np.array([-9999])}]
)
def test_hdf5_says_what_is_no_data(tmp_path: Path, attrs: dict[str, Any]) -> None:
    cube = CUBE.astype(np.int16)
    cube[0, :2] = -9999
    with h5py.File(tmp_path / "neon.h5", "w") as file:  # the names of NEON's products
        data = file.create_dataset("SITE/Reflectance/Reflectance_Data", data=cube)
        data.attrs.update({**attrs, "Scale_Factor": 10000.0, "Units": "Unitless."})
        file["SITE/Reflectance/Metadata/Spectral_Data/Wavelength"] = [450.0, 550.0, 660.0, 850.0]
        file["SITE/Reflectance/Metadata/Ancillary_Imagery/Path_Length"] = CUBE[..., 0]
    raster = read_raster(tmp_path / "neon.h5")
    assert raster.nodata == -9999 and raster.values.dtype == np.int16
    # reported, not applied, as all factors of formats that differ in what they mean by them
    assert raster.attributes["Scale_Factor"] == 10000 and raster.scale == 1
    image = as_float(raster, raster.values, ImageOptions())
    np.testing.assert_array_equal(image.values, np.where(cube == -9999, np.nan, cube).transpose(2, 0, 1))


def test_hdf5_with_several_numbers_for_no_data(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["cube"] = CUBE
        file["cube"].attrs.update({"_FillValue": CUBE[0, 0, 0], "missing_value": CUBE[1, 1, :2]})
    raster = read_raster(tmp_path / "a.h5")
    missing = np.isin(CUBE, [CUBE[0, 0, 0], *CUBE[1, 1, :2]]).transpose(2, 0, 1)
    image = as_float(raster, raster.values, ImageOptions())
    np.testing.assert_array_equal(np.isnan(image.values), missing)
    np.testing.assert_array_equal(image.values[~missing], CUBE.transpose(2, 0, 1)[~missing])


@pytest.mark.parametrize("kind", ["png", "bmp"])
def test_pictures(tmp_path: Path, kind: str) -> None:
    labels = (CUBE[..., 0] % 3).astype(np.uint8)
    grey = Image.fromarray(labels * 100)
    grey.save(tmp_path / f"grey.{kind}")
    np.testing.assert_array_equal(read_raster(tmp_path / f"grey.{kind}").values.values[0], labels * 100)
    grey.convert("RGB").save(tmp_path / f"rgb.{kind}")  # a mask saved by a drawing program
    np.testing.assert_array_equal(read_raster(tmp_path / f"rgb.{kind}").values.values[0], labels * 100)
    palette = Image.fromarray(labels)
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
    palette.save(tmp_path / f"palette.{kind}")
    raster = read_raster(tmp_path / f"palette.{kind}")
    np.testing.assert_array_equal(raster.values.values[0], labels)
    assert raster.class_colors[1] == "#ff0000"


def test_16_bit_and_colour_pictures(tmp_path: Path) -> None:
    Image.fromarray(CUBE[..., 0]).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_raster(tmp_path / "deep.png").values.values[0], CUBE[..., 0])
    Image.fromarray((CUBE[..., :3] % 256).astype(np.uint8)).save(tmp_path / "colour.png")
    assert read_raster(tmp_path / "colour.png").n_bands == 3


@pytest.mark.parametrize("kind", ["png", "bmp", "gif"])
def test_pictures_above_the_limit_of_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    labels = (CUBE[..., 0] % 3).astype(np.uint8)
    Image.fromarray(labels).save(tmp_path / f"a.{kind}")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # of 30: more than twice the limit is an error
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / f"a.{kind}")
    np.testing.assert_array_equal(read_raster(tmp_path / f"a.{kind}").values.values[0], labels)
    assert Image.MAX_IMAGE_PIXELS == 10


def test_truncated_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (60, 60)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:900])
    with pytest.raises(FileFormatError, match=r"a\.png"):
        read_raster(tmp_path / "a.png")


def test_missing_empty_and_strange_files(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="there is no such file"):
        read_raster(tmp_path / "none.tif")
    (tmp_path / "empty.npy").touch()
    with pytest.raises(FileFormatError, match="is empty"):
        read_raster(tmp_path / "empty.npy")
    (tmp_path / "notes.docx").write_text("words")
    with pytest.raises(FileFormatError, match="of no kind that can be read"):
        read_raster(tmp_path / "notes.docx")
