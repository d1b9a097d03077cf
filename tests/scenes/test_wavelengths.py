"""Units of wavelengths, tables of them, and what sensors publish."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdm.errors import FileFormatError, SceneError
from specdm.scenes.sensors import SENSORS, sensor_bands
from specdm.scenes.wavelengths import read_wavelengths, to_nanometres


@given(
    nm=st.lists(st.floats(300, 2600), min_size=1, max_size=30),
    unit=st.sampled_from([("nm", 1), ("Micrometers", 1e-3), ("m", 1e-9), ("Angstroms", 10)]),
)
def test_stated_units(nm: list[float], unit: tuple[str, float]) -> None:
    found, remark = to_nanometres(np.array(nm) * unit[1], unit[0])
    np.testing.assert_allclose(found, nm)
    assert remark is None


@pytest.mark.parametrize(("number", "unit"), [(10, "m"), (500, "um"), (5.6, "cm"), (50, "cm-1")])
def test_waves_too_long_for_light_are_not_used(number: float, unit: str) -> None:
    found, remark = to_nanometres(np.array([number, number]), unit)
    assert found is None and remark is not None and "cannot be those of light: not used" in remark


def test_thermal_infrared_is_light() -> None:
    found, remark = to_nanometres(np.array([8.3, 12.0, 20.0]), "um")
    np.testing.assert_allclose(found, [8300, 12_000, 20_000])
    assert remark is None


def test_widths_in_wavenumbers() -> None:
    found, _ = to_nanometres(np.array([100.0]), "cm-1", width_of=np.array([10_000.0]))
    np.testing.assert_allclose(found, 10.0)  # 1000 nm +- half a percent of it


@pytest.mark.parametrize("numbers", [[0, 500, 600], [400, np.nan, 600], [-1, 2, 3]])
def test_gaps_are_not_used(numbers: list[float]) -> None:
    found, remark = to_nanometres(np.array(numbers), "nm")
    assert found is None and remark is not None and "not used" in remark


def test_widths_take_the_unit_of_their_centres() -> None:
    found, _ = to_nanometres(np.array([0.01, 0.02]), None, width_of=np.array([0.4, 0.9]))
    np.testing.assert_allclose(found, [10, 20])


@pytest.mark.parametrize(
    ("text", "centres", "widths"),
    [
        ("wavelength,fwhm\n418.24,7\n423.9,6.7\n", [418.24, 423.9], [7, 6.7]),
        ("400\n500\n600\n", [400, 500, 600], None),
        ("400 10\n500 12\n", [400, 500], [10, 12]),
        ("# comment\nband;center (um);width\n1;0.4;0.01\n2;0.5;0.02\n", [400, 500], [10, 20]),
        ("400, 500, 600, 700\n", [400, 500, 600, 700], None),
        ("wavelength (um);fwhm (nm)\n0.4;10\n0.5;20\n", [400, 500], [10, 20]),
        ("wavelength_nm,fwhm_um\n400,0.01\n500,0.02\n", [400, 500], [10, 20]),
        ("wavelength (um)  fwhm [nm]\n0.4 10\n0.5 20\n", [400, 500], [10, 20]),
        ("wavelength (Å),width\n4000,100\n5000,200\n", [400, 500], [10, 20]),
        ("wavelength (um)\n8.5\n20\n", [8500, 20_000], None),
    ],
)
def test_tables(tmp_path: Path, text: str, centres: list[float], widths: list[float] | None) -> None:
    (tmp_path / "t.csv").write_text(text)
    found, found_widths = read_wavelengths(tmp_path / "t.csv")
    np.testing.assert_allclose(found, centres)
    if widths is None:
        assert found_widths is None
    else:
        np.testing.assert_allclose(found_widths, widths)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no wavelengths"),
        ("1,2,3\n4,5,6\n", "without a heading"),
        ("name,value\na,1\n", "no column is called wavelength"),
        ("wavelength\n400\nred\n", "band 2 has no number"),
        ("wavelength (um)\n400\n500\n", r"t\.csv: states wavelengths of up to 500000 nm .*the right unit"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FileFormatError, match=message):
        read_wavelengths(tmp_path / "t.csv")


def test_real_table(shared_data: Path) -> None:
    centres, widths = read_wavelengths(shared_data / "enmap_potsdam" / "enmap_potsdam_srf.csv")
    assert centres.shape == (224,) and widths is not None and widths[0] == 6.99561


def test_sentinel2_products() -> None:
    l1c = sensor_bands("Sentinel-2", n_bands=13, band_name=None, source="a.tif")
    l2a = sensor_bands("sentinel2", n_bands=12, band_name=None, source="a.tif")
    assert [band.name for band in l1c if band not in l2a] == ["B10"]
    assert (l2a[7].name, l2a[8].name, l2a[9].name) == ("B08", "B8A", "B09")
    assert l2a[-1].wavelength == 2190
    assert len(SENSORS["sentinel2"]) == 13


def test_sentinel2_by_names() -> None:
    bands = sensor_bands("sentinel2", n_bands=3, band_name=["b4", "Band 3", "B8a"], source="a.tif")
    assert [band.wavelength for band in bands] == [665, 560, 865]
    with pytest.raises(SceneError, match=r"a\.tif: has 4 bands"):
        sensor_bands("sentinel2", n_bands=4, band_name=["r", "g", "b", "n"], source="a.tif")
    with pytest.raises(SceneError, match="not known"):
        sensor_bands("landsat99", n_bands=4, band_name=None, source="a.tif")
