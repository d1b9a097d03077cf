"""A scene's files on a disk that has too little room, and names that neither files nor variables can have."""

from __future__ import annotations

import errno
import os
import shutil
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from file_limits import files_of_at_most, names

import specdm
from specdm.errors import RunError
from specdm.models.pixels import Pixels
from specdm.synthesis.canvas import geotiff
from specdm.synthesis.canvas.cells import CellFile
from specdm.synthesis.canvas.files import SceneHead, file_names, least_bytes, new_files, open_files
from specdm.synthesis.canvas.windows import Area, blocks
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.pipeline import SpecDMPipeline

HEIGHT, WIDTH, BLOCK = 70, 90, 32
WHOLE = Area(0, 0, HEIGHT, WIDTH)


def head(facts: TileFacts) -> SceneHead:
    return SceneHead(facts, HEIGHT, WIDTH, "s", None, None, "synthetic", {"seed": 0})


def pixels(facts: TileFacts) -> Pixels:
    assert facts.classes is not None
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(1, len(facts.dates), len(facts.band_name), HEIGHT, WIDTH, generator=generator)
    positions = torch.randint(0, len(facts.classes), (1, len(facts.layers), HEIGHT, WIDTH), generator=generator)
    return Pixels(images, positions, torch.zeros(1, 0, HEIGHT, WIDTH))


def write(path: Path, facts: TileFacts) -> None:
    whole = pixels(facts)
    writer = new_files(path.parent, path, head(facts), block=BLOCK)
    try:
        for area in blocks(WHOLE, BLOCK):
            writer.write(area, whole.apply(lambda values, area=area: values[..., *area.slices]))
    finally:
        writer.close()


@pytest.mark.parametrize("suffix", [".nc", ".tif"])
def test_wherever_a_file_has_no_room_it_is_an_error_of_the_system(tmp_path: Path, pipeline, suffix: str) -> None:
    """Not HDF5's own, and not none at all, as GDAL's when it closes a file."""
    path = tmp_path / f"s{suffix}"
    write(path, pipeline.facts)
    size = path.stat().st_size
    shutil.rmtree(tmp_path)
    for limit in (0, 100, 2000, 5000, size // 2, size - 5000, size - 100):
        tmp_path.mkdir()
        with files_of_at_most(limit), pytest.raises(OSError) as failed:
            write(path, pipeline.facts)
        assert failed.value.strerror and failed.value.filename == str(path), limit
        shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with files_of_at_most(size):
        write(path, pipeline.facts)
    scene = open_files(path, head(pipeline.facts))
    image, mask = scene.window(0, 0, HEIGHT, WIDTH)
    np.testing.assert_array_equal(image, pixels(pipeline.facts).images[0].numpy())
    np.testing.assert_array_equal(mask, pipeline.facts.masks_of(pixels(pipeline.facts))[0])
    total = sum(file.stat().st_size for file in tmp_path.iterdir())
    # the last blocks of rows and columns are whole
    assert 0.5 * total < least_bytes(path, head(pipeline.facts)) <= total


@pytest.mark.parametrize("mode", ["w", "r+"])
def test_one_of_several_files_is_cut_short_as_it_is_closed(tmp_path: Path, pipeline, monkeypatch, mode: str) -> None:
    """GDAL says nothing; opened next, a file that is no longer one would be a TypeError."""
    opened = geotiff.open_quietly

    @contextmanager
    def full(path: Path, **options):
        with opened(path, **options) as file:
            yield file
        if options.get("mode") == mode and path.name == "s_mask.tif":
            os.truncate(path, 100)

    monkeypatch.setattr(geotiff, "open_quietly", full)
    with pytest.raises(OSError, match="not all of what was written is there") as failed:
        write(tmp_path / "s.tif", pipeline.facts)
    assert failed.value.filename == str(tmp_path / "s_mask.tif")


def test_cells_have_their_room_before_they_are_mapped(tmp_path: Path) -> None:
    """Else a write to the map of a file without room would end the process by a signal."""
    file, path = CellFile(tmp_path / "cells", 14, WHOLE), tmp_path / "cells"
    for _ in range(2):
        assert not file.read(WHOLE).any()
        if hasattr(path.stat(), "st_blocks"):
            assert path.stat().st_blocks * 512 >= 4 * 14 * HEIGHT * WIDTH == path.stat().st_size
        file.write(WHOLE, torch.ones(14, HEIGHT, WIDTH))
        file.clear()


def _nothing_is_written(pipeline: SpecDMPipeline, path: Path, words: str) -> None:
    path.write_bytes(b"old")
    with pytest.raises(RunError, match=rf"s\{path.suffix}: {words}"):
        pipeline.sample_scene(path=path, height=40, width=40, steps=1, overwrite=True)
    assert names(path.parent) == [path.name] and path.read_bytes() == b"old"


@pytest.mark.parametrize("suffix", [".nc", ".tif"])
def test_a_scene_that_has_no_room_is_told_in_a_line(pipeline, tmp_path: Path, suffix: str) -> None:
    with files_of_at_most(40_000):
        _nothing_is_written(pipeline, tmp_path / f"s{suffix}", r"cannot be written \(.*\); choose another place$")


def test_cells_that_have_no_room_are_told_in_a_line(pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    _nothing_is_written(pipeline, tmp_path / "s.nc", r"cannot be written \(No space left on device\); make room, or")


def test_room_is_asked_for_before_anything_is_drawn(pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn(*_: object, **__: object) -> None:
        raise AssertionError("it began to draw")

    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage(10**9, 10**9, 60_000))
    monkeypatch.setattr(CellFile, "__init__", drawn)
    _nothing_is_written(pipeline, tmp_path / "s.nc", r"takes at least 1\d\d kB while it is drawn, but 60 kB are free")


def test_layers_whose_names_no_variable_and_no_file_can_have(pipeline, tmp_path: Path) -> None:
    """Dates with a slash, and a mask a date."""
    dates = ["2000/03/17", "2003/02/06"]
    facts = replace(pipeline.facts, dates=dates, layers=dates)
    path = tmp_path / "s.nc"
    write(path, facts)
    variables = ["mask_2000-03-17", "mask_2003-02-06"]
    with xr.open_dataset(path) as data:
        assert [data[name].attrs["layer"] for name in variables] == dates
    wanted = pixels(facts)
    opened = specdm.open_scene(path, mask_variable=variables, dates=dates)
    for scene in (open_files(path, head(facts)), opened):
        image, mask = scene.window(0, 0, HEIGHT, WIDTH)
        np.testing.assert_array_equal(image, wanted.images[0].numpy())
        np.testing.assert_array_equal(mask, facts.masks_of(wanted)[0])
        assert list(scene.dataset["date"].values) == dates
    assert list(opened.dataset["layer"].values) == dates
    one_date = replace(facts, dates=[0], layers=["land/use", "after rain"])
    assert file_names(tmp_path / "s.tif", one_date) == ["s.tif", "s_mask_land-use.tif", "s_mask_after-rain.tif"]
