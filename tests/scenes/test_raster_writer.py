"""Rasters written by windows: found again by the project's own readers, whole or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from file_limits import files_of_at_most, names

from specdm.errors import RunError
from specdm.scenes.classes import Classes
from specdm.scenes.raster_files import RasterFacts, new_raster
from specdm.scenes.raster_writer import RasterSet, check_output, mask_storage
from specdm.scenes.readers import read_raster

CLASSES = Classes.create([2, 5, 7], ["grass", "bare soil", "water"], ["#00ff00", "#aa7700", "#0000ff"])
MASK = np.random.default_rng(0).choice([0, 2, 5, 7], (50, 37)).astype(np.uint8)
NOISE = np.random.default_rng(2).integers(1, 200, (50, 37)).astype(np.uint8)
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


def test_what_gdal_drops_when_it_closes_is_found(tmp_path: Path) -> None:
    """Wherever in the file the disk is full, data, tags or directory; GDAL keeps all of it until it closes the file."""
    path = tmp_path / "mask.tif"
    write(path, facts(), NOISE)
    size = path.stat().st_size
    path.unlink()
    for limit in (*range(0, size, 97), size - 1):
        with files_of_at_most(limit), pytest.raises(RunError, match=r"mask\.tif: cannot be written \("):
            write(path, facts(), NOISE)
        assert names(tmp_path) == []
    with files_of_at_most(size):
        write(path, facts(), NOISE)
    np.testing.assert_array_equal(read_raster(path, role="mask").values.values[0], NOISE)


@pytest.mark.parametrize("suffix", [".npy", ".png"])
def test_a_file_that_has_no_room_is_refused(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"mask{suffix}"
    path.write_bytes(b"old")
    with files_of_at_most(1000), pytest.raises(RunError, match=rf"mask\{suffix}: cannot be written \("):
        write(path, facts(), NOISE)
    assert names(tmp_path) == [path.name] and path.read_bytes() == b"old"


def test_an_array_has_its_room_before_it_is_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a write to the map of a file without room would end the process by a signal."""
    with RasterSet({tmp_path / "a.npy": facts(shape=(1, 500, 370))}):
        (partial,) = tmp_path.iterdir()
        if hasattr(partial.stat(), "st_blocks"):
            assert partial.stat().st_blocks * 512 >= 500 * 370

    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    raster = RasterSet({tmp_path / "b.npy": facts()})
    with pytest.raises(RunError, match=r"b\.npy: cannot be written \(No space left on device\); make room"), raster:
        pass
    assert names(tmp_path) == ["a.npy"]


def test_none_has_its_name_if_one_is_not_whole(tmp_path: Path) -> None:
    """The second file is too large: the first is whole, and still gets no name."""
    small, large = tmp_path / "m_1.png", tmp_path / "m_2.png"
    small.write_bytes(b"old")
    noise = np.tile(NOISE, (4, 4)) + np.random.default_rng(3).integers(0, 40, (200, 148)).astype(np.uint8)
    kind = facts(shape=(1, 200, 148))
    with files_of_at_most(10_000), pytest.raises(RunError, match=r"m_2\.png: cannot be written"):  # noqa: SIM117
        with RasterSet({small: kind, large: kind}) as rasters:
            rasters.write(large, 0, 0, noise[None])
    assert names(tmp_path) == ["m_1.png"] and small.read_bytes() == b"old"
