"""`specdm scene`: a scene from a run, a real one extended, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from file_limits import files_of_at_most
from rasterio.transform import from_origin

import specdm
from specdm.cli import sizes
from specdm.errors import ConfigError
from specdm.scenes.scene import Scene


@pytest.fixture
def run(little_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(little_run, tmp_path / "run", ignore=shutil.ignore_patterns("checkpoints", "log"))


@pytest.fixture
def real(little_scene: Scene, tmp_path: Path) -> Path:
    """24 x 20 px of the little scene as GeoTIFF in UTM, and its mask."""
    image, mask = little_scene.window(0, 0, 24, 20)
    assert mask is not None
    place = {"height": 24, "width": 20, "crs": "EPSG:32632", "transform": from_origin(500000, 5400000, 10, 10)}
    with rasterio.open(tmp_path / "real.tif", "w", driver="GTiff", count=12, dtype="float32", **place) as file:
        file.write(image[0])
        file.descriptions = little_scene.band_name
        for band, centre in enumerate(little_scene.wavelength, start=1):
            file.update_tags(band, wavelength=str(centre), wavelength_units="nm")
    with rasterio.open(tmp_path / "labels.tif", "w", driver="GTiff", count=1, dtype="int16", **place) as file:
        file.write(mask)
        file.update_tags(1, class_2="grass", class_5="bare soil", class_7="water")
    return tmp_path / "real.tif"


def test_a_new_scene(specdm_command, run: Path, tmp_path: Path) -> None:
    path = tmp_path / "scenes" / "new.nc"
    outcome = specdm_command("scene", run, "--size", "34x40", "-o", path, "--seed", 5, "--composition", "water=0.9")
    assert outcome.code == 0, outcome.err
    assert "34 x 40 px" in outcome.out and str(path) in outcome.out
    scene = specdm.open_scene(path, mask_variable="mask")
    assert (scene.height, scene.width, scene.n_bands) == (34, 40, 12) and scene.wavelength[0] == 450
    assert "exists already" in specdm_command("scene", run, "--size", "34x40", "-o", path).err
    again = specdm_command("scene", run / "model", "--size", "20", "-o", path, "--steps", 1, "--overwrite")
    assert again.code == 0, again.err
    assert specdm.open_scene(path, mask_variable="mask").width == 20


def test_a_real_scene_is_extended_where_it_lies(specdm_command, run: Path, real: Path, tmp_path: Path) -> None:
    path = tmp_path / "larger.tif"
    mask = real.with_name("labels.tif")
    given = ("--extend", real, "--mask", mask, "--by", "4,0,0,8")
    outcome = specdm_command("scene", run, *given, "-o", path, "--steps", 2)
    assert outcome.code == 0, outcome.err
    with rasterio.open(path) as larger, rasterio.open(real) as before:
        assert (larger.height, larger.width) == (28, 28) and larger.crs == before.crs
        assert larger.transform == from_origin(500000 - 80, 5400000 + 40, 10, 10)
        window = rasterio.windows.from_bounds(*before.bounds, transform=larger.transform)
        np.testing.assert_array_equal(larger.read(window=window), before.read())
    with rasterio.open(tmp_path / "larger_mask.tif") as larger, rasterio.open(mask) as before:
        wanted = before.read()
        assert (wanted == -1).any() and larger.nodata == 0 and larger.colormap(1)
        np.testing.assert_array_equal(larger.read(window=window), np.where(wanted == -1, 0, wanted))


def test_refusals(refused, specdm_command, run: Path, real: Path, tmp_path: Path) -> None:
    out = tmp_path / "s.nc"
    assert "smaller" in refused("scene", run, "--size", "8x40", "-o", out)
    assert "--size" in refused("scene", run, "--size", "large", "-o", out)
    assert "--size" in refused("scene", run, "-o", out)
    assert "--size" in refused("scene", run, "--size", 40, "--extend", real, "-o", out)
    assert "--extend" in refused("scene", run, "--size", 40, "--by", 4, "-o", out)
    assert "--by" in refused("scene", run, "--extend", real, "--by", "1,2", "-o", out)
    labels = real.with_name("labels.tif")
    assert "nothing to draw" in refused("scene", run, "--extend", real, "--mask", labels, "-o", out)
    assert "lacks" in refused("scene", run, "--extend", real, "--bands", "0,1,2", "--by", 4, "-o", out)
    assert ".nc" in refused("scene", run, "--size", 40, "-o", tmp_path / "s.png")
    assert "nowhere" in refused("scene", tmp_path / "nowhere", "--size", 40, "-o", out)
    assert "rock" in refused("scene", run, "--size", 40, "--composition", "rock=0.5", "-o", out)
    assert "is a file" in refused("scene", run, "--size", 40, "-o", real / "s.nc")


@pytest.mark.parametrize("name", ["s.nc", "s.tif"])
def test_no_room(refused, run: Path, tmp_path: Path, name: str) -> None:
    with files_of_at_most(20_000):
        line = refused("scene", run, "--size", "34x40", "-o", tmp_path / name, "--steps", 1)
    assert f"{name}: cannot be written (" in line


def test_help_has_an_example(specdm_command) -> None:
    assert "Example: specdm scene" in specdm_command("scene", "--help").out


def test_sizes_and_margins() -> None:
    assert sizes.size("512x640") == (512, 640) and sizes.size("64") == (64, 64) and sizes.size(None) is None
    assert sizes.margin("64") == (64, 64, 64, 64) and sizes.margin("1, 2,3,4") == (1, 2, 3, 4)
    assert sizes.margin(None) == (0, 0, 0, 0)
    for text in ("0x4", "-4", "4x", "x"):
        with pytest.raises(ConfigError):
            sizes.size(text)
