"""MATLAB files, old and new, as they come: cubes, flattened matrices, abundances, damaged."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from specdm.errors import FileFormatError
from specdm.scenes.readers import read_raster

ROWS, COLUMNS, BANDS = 5, 7, 4


@pytest.fixture
def cube() -> np.ndarray:
    return np.arange(ROWS * COLUMNS * BANDS, dtype=np.uint16).reshape(ROWS, COLUMNS, BANDS)


def save_v73(path: Path, arrays: dict[str, np.ndarray], *, user_block: bool = True) -> Path:
    """As MATLAB writes it: dimensions reversed, a class mark a dataset, a text in the first 512 bytes."""
    with h5py.File(path, "w", userblock_size=512 if user_block else 0) as file:
        for name, array in arrays.items():
            file[name] = np.asarray(array).T
            file[name].attrs["MATLAB_class"] = np.bytes_("double")
    if user_block:
        with path.open("r+b") as raw:
            raw.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path


def save(path: Path, arrays: dict[str, np.ndarray], version: str) -> Path:
    if version == "7.3":
        return save_v73(path, arrays)
    savemat(path, arrays, do_compression=version == "7")
    return path


@pytest.mark.parametrize("version", ["5", "7", "7.3"])
def test_cube_is_found_beside_other_arrays(tmp_path: Path, cube: np.ndarray, version: str) -> None:
    path = save(tmp_path / "a.mat", {"map": cube[..., 0], "data": cube, "few": cube[..., :2]}, version)
    raster = read_raster(path)
    assert raster.variable == "data"
    np.testing.assert_array_equal(raster.values.values, cube.transpose(2, 0, 1))
    assert raster.values.dtype == np.uint16
    assert raster.other_variables["map"] == (ROWS, COLUMNS)
    mask = read_raster(path, role="mask")
    assert mask.variable == "map"
    np.testing.assert_array_equal(mask.values.values[0], cube[..., 0])


@pytest.mark.parametrize("version", ["5", "7.3"])
@pytest.mark.parametrize("order", ["F", "C"])
@pytest.mark.parametrize("pixels_first", [False, True])
def test_flattened_matrix(
    tmp_path: Path, cube: np.ndarray, version: str, order: str, pixels_first: bool
) -> None:
    matrix = cube.reshape(-1, BANDS, order=order)  # type: ignore[call-overload]
    path = save(tmp_path / "flat.mat", {"Y": matrix if pixels_first else matrix.T}, version)
    raster = read_raster(path, rows=ROWS, columns=COLUMNS, order=order)
    np.testing.assert_array_equal(raster.values.values, cube.transpose(2, 0, 1))
    if order == "F":  # MATLAB's own order needs no saying
        default = read_raster(path, rows=ROWS, columns=COLUMNS)
        np.testing.assert_array_equal(default.values.values, raster.values.values)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(2, 6), columns=st.integers(2, 6), bands=st.integers(1, 5), f_order=st.booleans())
def test_flattening_and_reading_are_inverse(
    tmp_path: Path, rows: int, columns: int, bands: int, f_order: bool
) -> None:
    if bands == rows * columns:
        return
    cube = np.random.default_rng(rows).random((rows, columns, bands))
    order = "F" if f_order else "C"
    savemat(tmp_path / "h.mat", {"Y": cube.reshape(-1, bands, order=order).T})
    raster = read_raster(tmp_path / "h.mat", rows=rows, columns=columns, order=order)
    np.testing.assert_array_equal(raster.values.values, cube.transpose(2, 0, 1))


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_grid_and_factor_stated_by_the_file(tmp_path: Path, cube: np.ndarray, version: str) -> None:
    flat = cube.reshape(-1, BANDS, order="F").T
    parts = {
        "Y": flat,
        "nRow": np.array([[ROWS]]),
        "nCol": np.array([[COLUMNS]]),
        "maxValue": np.array([[50.0]]),
    }
    raster = read_raster(save(tmp_path / "j.mat", parts, version))
    np.testing.assert_array_equal(raster.values.values, cube.transpose(2, 0, 1))
    assert raster.attributes["maxValue"] == 50.0  # told, not applied


def test_wavelengths_beside_the_cube(tmp_path: Path, cube: np.ndarray) -> None:
    savemat(tmp_path / "w.mat", {"data": cube, "wavelength": [0.45, 0.55, 0.66, 0.85]})
    raster = read_raster(tmp_path / "w.mat")
    np.testing.assert_allclose(raster.wavelength, [450, 550, 660, 850])
    assert "micrometres" in raster.attributes["wavelength_remark"]


def test_two_cubes_of_one_size_are_not_guessed(tmp_path: Path, cube: np.ndarray) -> None:
    savemat(tmp_path / "two.mat", {"before": cube, "after": cube})
    with pytest.raises(FileFormatError, match=r"before \(5 x 7 x 4\), after .*variable="):
        read_raster(tmp_path / "two.mat")
    assert read_raster(tmp_path / "two.mat", variable="after").variable == "after"
    with pytest.raises(FileFormatError, match=r"no variable 'later'.*before"):
        read_raster(tmp_path / "two.mat", variable="later")


def test_matrix_that_does_not_fit_its_grid(tmp_path: Path, cube: np.ndarray) -> None:
    savemat(tmp_path / "flat.mat", {"Y": cube.reshape(-1, BANDS)})
    with pytest.raises(FileFormatError, match=r"35 x 4; with 5 rows and 6 columns one side must be 30"):
        read_raster(tmp_path / "flat.mat", rows=5, columns=6)
    with pytest.raises(FileFormatError, match="given together"):
        read_raster(tmp_path / "flat.mat", rows=5)


@pytest.mark.parametrize("name", ["scene.h5", "scene.tif", "scene.npy", "scene"])
@pytest.mark.parametrize("version", ["5", "7.3"])
def test_wrong_names_do_not_matter(tmp_path: Path, cube: np.ndarray, version: str, name: str) -> None:
    path = save(tmp_path / "right.mat", {"data": cube}, version).rename(tmp_path / name)
    np.testing.assert_array_equal(read_raster(path).values.values, cube.transpose(2, 0, 1))


def test_v73_without_matlab_marks_under_mat(tmp_path: Path, cube: np.ndarray) -> None:
    with h5py.File(tmp_path / "plain.mat", "w") as file:
        file["data"] = cube.T
    np.testing.assert_array_equal(read_raster(tmp_path / "plain.mat").values.values, cube.transpose(2, 0, 1))


def test_v73_is_read_by_window(tmp_path: Path, cube: np.ndarray) -> None:
    raster = read_raster(save_v73(tmp_path / "lazy.mat", {"data": cube}))
    assert raster.values.chunks is not None
    np.testing.assert_array_equal(raster.values[:, 1:3, 2:6].values, cube.transpose(2, 0, 1)[:, 1:3, 2:6])


@pytest.mark.parametrize("version", ["5", "7", "7.3"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.98])
def test_truncated(tmp_path: Path, version: str, share: float) -> None:
    noise = np.random.default_rng(0).random((20, 20, 30))
    path = save(tmp_path / "cut.mat", {"data": noise}, version)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(FileFormatError, match=r"cut\.mat") as caught:
        read_raster(path).values.values  # noqa: B018
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"hello, this is no MATLAB file at all" * 30])
def test_no_matlab_file_at_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "text.mat").write_bytes(content)
    with pytest.raises(FileFormatError, match=r"text\.mat"):
        read_raster(tmp_path / "text.mat")


def test_only_text_inside(tmp_path: Path) -> None:
    savemat(tmp_path / "t.mat", {"note": "hello", "answer": 42})
    with pytest.raises(FileFormatError, match="no array of numbers"):
        read_raster(tmp_path / "t.mat")


def test_real_jasper_ridge(shared_data: Path) -> None:
    raster = read_raster(shared_data / "jasper_ridge" / "jasperRidge2_R198.mat")
    assert raster.values.shape == (198, 100, 100)
    assert raster.attributes["maxValue"] == 5000
    abundances = read_raster(raster.path, variable="A")
    assert abundances.class_names == {1: "tree", 2: "water", 3: "dirt", 4: "road"}
    # water is dark in the infrared: image and abundances must be flattened alike
    water = abundances.values[1].values > 0.9
    infrared = raster.values[90].values
    assert infrared[water].mean() < 0.3 * infrared[~water].mean()


def test_real_samson_matches_its_unflattened_abundances(shared_data: Path) -> None:
    image = read_raster(shared_data / "samson" / "Samson.mat")
    assert (image.variable, image.values.shape) == ("Y", (156, 95, 95))
    water = read_raster(image.path, variable="S_GT").values[2].values > 0.9
    infrared = image.values[120].values
    assert infrared[water].mean() < 0.3 * infrared[~water].mean()
