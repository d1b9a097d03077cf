"""Rasters written by windows: found again by the project's own readers, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from specdm.errors import RunError
from specdm.scenes.classes import Classes
from specdm.scenes.raster_writer import RasterFacts, RasterSet, check_output, mask_storage, new_raster
from specdm.scenes.readers import read_raster

CLASSES = Classes.create([2, 5, 7], ["grass", "bare soil", "water"], ["#00ff00", "#aa7700", "#0000ff"])
MASK = np.random.default_rng(0).choice([0, 2, 5, 7], (50, 37)).astype(np.uint8)
PLACE = {"crs": "EPSG:32633", "transform": [30.0, 0.0, 500_000.0, 0.0, -30.0, 4_100_000.0]}


def facts(**changed: object) -> RasterFacts:
    whole = {"shape": (1, 50, 37), "dtype": np.uint8, "nodata": 0, "classes": CLASSES, "georeference": PLACE}
    return RasterFacts(**{**whole, "block": 16, **changed})


def write(path: Path, kind: RasterFacts, values: np.ndarray) -> None:
    with RasterSet({path: kind}) as rasters:
        for y in range(0, values.shape[-2], 16):
            for x in range(0, values.shape[-1], 16):
                part = values[..., y : y + 16, x : x + 16]
                rasters.write(path, y, x, part if part.ndim == 3 else part[None])


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_mask_comes_back_with_its_legend(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mask{suffix}"
    write(path, facts(), MASK)
    found = read_raster(path, role="mask")
    np.testing.assert_array_equal(found.values.values[0], MASK)
    assert {value: found.class_colors[value] for value in CLASSES.values} == dict(
        zip(CLASSES.values, CLASSES.colors, strict=True)
    )
    if suffix == ".tif":
        assert found.class_names == dict(zip(CLASSES.values, CLASSES.names, strict=True))
        assert found.nodata == 0
        assert found.values.rio.crs.to_epsg() == 32633
        assert list(found.values.rio.transform()[:6]) == PLACE["transform"]


def test_numbers_come_back_with_names_and_units(tmp_path: Path) -> None:
    values = np.random.default_rng(1).random((2, 50, 37)).astype(np.float32)
    values[0, :3] = np.nan
    kind = facts(
        shape=(2, 50, 37), dtype=np.float32, nodata=float("nan"), classes=None, band_name=["height", "cover"],
        units=["m", ""],
    )  # fmt: skip
    write(tmp_path / "n.tif", kind, values)
    found = read_raster(tmp_path / "n.tif")
    np.testing.assert_array_equal(found.values.values, values)
    assert found.band_name == ("height", "cover") and found.units == "m"
    write(tmp_path / "n.npy", kind, values)
    np.testing.assert_array_equal(np.load(tmp_path / "n.npy"), np.moveaxis(values, 0, -1))


def test_nothing_is_left_of_what_failed(tmp_path: Path) -> None:
    (tmp_path / "old.tif").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), RasterSet({tmp_path / "old.tif": facts(), tmp_path / "b.npy": facts()}):
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["old.tif"]
    assert (tmp_path / "old.tif").read_bytes() == b"old"


def test_how_masks_are_stored() -> None:
    assert mask_storage(CLASSES) == (np.uint8, 0)
    assert mask_storage(Classes.create([0, 1])) == (np.uint8, 255)
    assert mask_storage(Classes.create([0, 255])) == (np.int16, -1)
    assert mask_storage(Classes.create([1, 300])) == (np.int16, -1)


def test_refusals(tmp_path: Path) -> None:
    (tmp_path / "there.tif").touch()
    with pytest.raises(RunError, match="--overwrite"):
        check_output(tmp_path / "there.tif", overwrite=False)
    check_output(tmp_path / "there.tif", overwrite=True)
    with pytest.raises(RunError, match=r"\.jpg.*expected one of \.tif"):
        check_output(tmp_path / "a.jpg", overwrite=False)
    with pytest.raises(RunError, match="PNG holds one mask"):
        new_raster(tmp_path / "a.png", facts(dtype=np.int16))
