"""ENVI headers and data in every interleave, with units, marks and damage."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from specdm.errors import FileFormatError
from specdm.scenes.readers import read_raster

CUBE = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)  # band, line, sample
_ORDER = {"bsq": (0, 1, 2), "bil": (1, 0, 2), "bip": (1, 2, 0)}


def save(
    folder: Path,
    *,
    interleave: str = "bsq",
    extra: str = "",
    data: str = "scene.img",
    header: str = "scene.hdr",
    kind: str = "ENVI Standard",
) -> Path:
    CUBE.transpose(_ORDER[interleave]).astype("<i2").tofile(folder / data)
    text = (
        f"ENVI\ndescription = {{\n  a test}}\nsamples = 5\nlines   = 4\nbands   = 3\nheader offset = 0\n"
        f"file type = {kind}\ndata type = 2\ninterleave = {interleave}\nbyte order = 0\n{extra}\n"
    )
    (folder / header).write_text(text)
    return folder / header


@pytest.mark.parametrize("interleave", ["bsq", "bil", "bip"])
def test_interleaves_by_header_and_by_data(tmp_path: Path, interleave: str) -> None:
    header = save(tmp_path, interleave=interleave)
    for path in (header, tmp_path / "scene.img"):
        raster = read_raster(path)
        np.testing.assert_array_equal(raster.values.values, CUBE)
        assert raster.values.chunks is not None
        np.testing.assert_array_equal(raster.values[1:, 2:, :2].values, CUBE[1:, 2:, :2])


@pytest.mark.parametrize(
    ("data", "header"),
    [("2000TM", "2000TM.HDR"), ("a.dat", "a.dat.hdr"), ("a.bsq", "a.hdr"), ("a.raw", "a.HDR")],
)
def test_names_of_the_two_files(tmp_path: Path, data: str, header: str) -> None:
    save(tmp_path, data=data, header=header)
    np.testing.assert_array_equal(read_raster(tmp_path / header).values.values, CUBE)
    np.testing.assert_array_equal(read_raster(tmp_path / data).values.values, CUBE)


@pytest.mark.parametrize(
    ("unit", "numbers", "expected"),
    [
        ("Nanometers", "450, 550.5, 660", [450, 550.5, 660]),
        ("Micrometers", "0.45, 0.5505, 0.66", [450, 550.5, 660]),
        ("um", "0.45, 0.5505, 0.66", [450, 550.5, 660]),
        ("Wavenumber", "20000, 16000, 12500", [500, 625, 800]),
        (None, "0.45, 0.5505, 0.66", [450, 550.5, 660]),
        ("Unknown", "450, 550.5, 660", [450, 550.5, 660]),
        (None, "1, 2, 3", None),
        ("Index", "1, 2, 3", None),
        (None, "50, 60, 70", None),
    ],
)
def test_wavelengths_in_nm(
    tmp_path: Path, unit: str | None, numbers: str, expected: list[float] | None
) -> None:
    extra = f"wavelength = {{\n {numbers}}}\n" + (f"wavelength units = {unit}\n" if unit else "")
    raster = read_raster(save(tmp_path, extra=extra))
    if expected is None:
        assert raster.wavelength is None
        assert "not used" in raster.attributes["wavelength_remark"]
    else:
        np.testing.assert_allclose(raster.wavelength, expected)
        assert ("wavelength_remark" in raster.attributes) == (unit in (None, "Unknown"))


def test_everything_else_a_header_says(tmp_path: Path) -> None:
    raster = read_raster(
        save(
            tmp_path,
            extra="wavelength units = Micrometers\nwavelength = {0.45, 0.55, 0.66}\n"
            "fwhm = {0.01, 0.02, 0.03}\n"
            "bbl = {1, 0, 1}\nband names = {blue, green, red}\ndata ignore value = -999\n"
            "reflectance scale factor = 10000\n; a comment = 3",
        )
    )
    np.testing.assert_allclose(raster.fwhm, [10, 20, 30])
    np.testing.assert_array_equal(raster.good, [True, False, True])
    assert raster.band_name == ("blue", "green", "red")
    assert raster.nodata == -999
    assert raster.attributes["reflectance scale factor"] == "10000"
    assert raster.values.max() == CUBE.max()  # the factor is told, not applied


def test_wrong_number_of_wavelengths_is_told_and_not_used(tmp_path: Path) -> None:
    raster = read_raster(save(tmp_path, extra="wavelength = {450, 550}"))
    assert raster.wavelength is None
    assert "2 values for 3 bands" in raster.attributes["wavelength remark"]


def test_classification(tmp_path: Path) -> None:
    np.array([[0, 1], [2, 1]], np.uint8).tofile(tmp_path / "m.img")
    (tmp_path / "m.hdr").write_text(
        "ENVI\nsamples = 2\nlines = 2\nbands = 1\nheader offset = 0\nfile type = ENVI Classification\n"
        "data type = 1\ninterleave = bsq\nbyte order = 0\nclasses = 3\n"
        "class lookup = {0, 0, 0, 255, 0, 0, 0, 0, 255}\nclass names = {Unclassified, roof, water}\n"
    )
    raster = read_raster(tmp_path / "m.hdr")
    assert raster.class_names == {0: "Unclassified", 1: "roof", 2: "water"}
    assert raster.class_colors[2] == "#0000ff"


def test_header_without_data(tmp_path: Path) -> None:
    header = save(tmp_path)
    (tmp_path / "scene.img").unlink()
    with pytest.raises(FileFormatError, match=r"scene\.hdr: has no data file beside it"):
        read_raster(header)


def test_data_without_header(tmp_path: Path) -> None:
    save(tmp_path).unlink()
    with pytest.raises(FileFormatError, match=r"scene\.img"):
        read_raster(tmp_path / "scene.img")


def test_data_shorter_than_the_header_says(tmp_path: Path) -> None:
    header = save(tmp_path)
    data = tmp_path / "scene.img"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(FileFormatError, match=r"scene\.img: has 119 bytes, its header scene\.hdr needs 120"):
        read_raster(header)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("samples = 5", ""), r"samples = \(missing\)"),
        (("bands   = 3", "bands = three"), "bands = three"),
        (("data type = 2", "data type = 6"), "complex"),
        (("data type = 2", "data type = 77"), "data type"),
        (("ENVI Standard", "ENVI Spectral Library"), "spectral library"),
        (("a test}", "a test"), "cut off"),
    ],
)
def test_headers_that_cannot_be_used(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    header = save(tmp_path)
    header.write_text(header.read_text().replace(*change))
    with pytest.raises(FileFormatError, match=message):
        read_raster(header)


def test_real_taizhou(shared_data: Path) -> None:
    for name in ("2000TM", "2000TM.HDR"):
        raster = read_raster(shared_data / "landsat_taizhou" / name)
        assert raster.values.shape == (6, 400, 400)
        np.testing.assert_allclose(raster.wavelength, [482.5, 565, 660, 825, 1650, 2220])
        assert raster.values.rio.crs.to_epsg() == 32651


def pass_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if nobody had touched any folder for a while."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + 3_600_000_000_000)


def test_a_folder_of_many_pairs_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(12):
        save(tmp_path, data=f"a{i}.img", header=f"a{i}.hdr")
    pass_time(monkeypatch)
    listings = []
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listings.append(folder) or listed(folder))
    for i in range(12):
        assert read_raster(tmp_path / f"a{i}.img").n_bands == read_raster(tmp_path / f"a{i}.hdr").n_bands == 3
    assert len(listings) == 1, "opening many pairs must not take as many listings"


@pytest.mark.parametrize("old", [False, True])
def test_files_added_to_a_listed_folder_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: bool
) -> None:
    save(tmp_path, data="a.dat", header="late.txt")
    if old:
        pass_time(monkeypatch)
    with pytest.raises(FileFormatError):
        read_raster(tmp_path / "a.dat")
    time.sleep(0.03)  # more than a step of the clock of files, as anybody takes who comes back after a while
    (tmp_path / "late.txt").rename(tmp_path / "A.HDR")
    assert read_raster(tmp_path / "a.dat").n_bands == 3
    time.sleep(0.03)
    (tmp_path / "a.dat").rename(tmp_path / "a.raw")
    assert read_raster(tmp_path / "A.HDR").path == tmp_path / "a.raw"
