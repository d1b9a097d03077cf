"""Images and masks in a model's terms: two sensors, units, amounts, several layers, a file a class."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from little_scenes import make_little_scene
from PIL import Image
from scene_files import write_tif

from specdm.errors import MaskError, SceneError
from specdm.scenes.quantities import Quantities
from specdm.scenes.scene import Scene
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.model_images import model_images
from specdm.synthesis.model_masks import read_masks

LITTLE = make_little_scene()


@pytest.fixture
def facts() -> TileFacts:
    return TileFacts.of(LITTLE.tile(size=16, stride=16, split="none"))


def amounts_facts(facts: TileFacts, quantities: Quantities) -> TileFacts:
    return replace(facts, classes=None, layers=[], quantities=quantities)


def test_two_sensors_have_their_own_bands(facts: TileFacts) -> None:
    image = LITTLE.dataset["image"].values[0]
    optical, radar = image[:8].copy(), image[8:].copy()
    two = np.full((2, 12, 48, 40), np.nan, np.float32)
    two[0, :8], two[1, 8:] = optical, radar
    sensors = {"date_sensor": [0, 1], "band_sensor": [0] * 8 + [1] * 4}
    scene = Scene.create(
        image=xr.DataArray(two, dims=("date", "band", "y", "x"), coords={"date": ["a", "b"]}),
        band_name=LITTLE.band_name, name="two", **sensors,
    )  # fmt: skip
    # the model has the sensors' bands mixed along its axis
    order = [8, 0, 1, 2, 9, 3, 4, 5, 10, 6, 7, 11]
    of_bands = [sensors["band_sensor"][i] for i in order]
    model = replace(
        facts, dates=["a", "b"], wavelength=None, fwhm=None, band_name=[LITTLE.band_name[i] for i in order],
        band_sensor=of_bands, date_sensor=[0, 1], image_units=None,
    )  # fmt: skip
    found = model_images(scene, model).window(3, 4, 16, 16)
    for date in (0, 1):
        own = np.asarray(of_bands) == date
        np.testing.assert_array_equal(found[date, own], two[date, np.asarray(order)[own], 3:19, 4:20])
        assert np.isnan(found[date, ~own]).all()


def test_another_unit(facts: TileFacts) -> None:
    other = Scene(LITTLE.dataset.assign(image=LITTLE.dataset["image"].assign_attrs(units="W/m2")))
    with pytest.raises(SceneError, match=r"'W/m2'.*'reflectance x 10000'.*--scale"):
        model_images(other, facts)


def test_bands_by_name_where_there_are_no_wavelengths(facts: TileFacts) -> None:
    bare = replace(facts, wavelength=None)
    mixed = Scene(LITTLE.dataset.isel(band=slice(None, None, -1)))
    image = LITTLE.dataset["image"].values
    np.testing.assert_array_equal(model_images(mixed, bare).window(0, 0, 5, 6), image[..., :5, :6])
    strange = replace(bare, band_name=[f"channel {i}" for i in range(12)])
    with pytest.raises(SceneError, match="lacking are channel 0"):
        model_images(mixed, strange)


def test_abundances_are_matched_by_name(facts: TileFacts, tmp_path: Path) -> None:
    model = amounts_facts(facts, Quantities.create(["tree", "soil"], sum_to_one=True))
    parts = np.stack([np.full((16, 16), 0.75), np.full((16, 16), 0.25)]).astype(np.float32)
    path = write_tif(tmp_path / "a.tif", parts)
    np.testing.assert_allclose(read_masks([path], model, options={}).amounts[:, 0, 0], [0.75, 0.25])
    swapped = {"quantity_names": ["soil", "tree"]}
    np.testing.assert_allclose(read_masks([path], model, options=swapped).amounts[:, 0, 0], [0.25, 0.75])
    with pytest.raises(MaskError, match="does not know: water; it knows tree, soil"):
        read_masks([path], model, options={"quantity_names": ["water", "tree"]})
    with pytest.raises(MaskError, match=r"has 1 bands.*2 quantities: tree, soil"):
        read_masks([write_tif(tmp_path / "b.tif", parts[0])], model, options={})


def test_a_mask_a_date_or_only_one_of_them(facts: TileFacts, tmp_path: Path) -> None:
    model = replace(facts, layers=["2000", "2003"])
    planes = [np.full((16, 16), value, np.uint8) for value in (2, 7)]
    files = [write_tif(tmp_path / f"{i}.tif", plane) for i, plane in enumerate(planes)]
    assert read_masks(files, model, options={}).masks[:, 0, 0].tolist() == [2, 7]
    assert read_masks(files[1:], model, options={}, layers=[1]).masks[:, 0, 0].tolist() == [-1, 7]
    with pytest.raises(MaskError, match=r"1 masks for 2 layers \(2000, 2003\)"):
        read_masks(files[:1], model, options={})
    small = write_tif(tmp_path / "small.tif", planes[0][:8])
    with pytest.raises(MaskError, match=r"small\.tif: has 8 x 16 px"):
        read_masks([files[0], small], model, options={})


def test_a_file_a_class(facts: TileFacts, tmp_path: Path) -> None:
    marks = np.zeros((2, 16, 16), np.uint8)
    marks[0, :4], marks[1, 8:] = 255, 255
    for name, plane in zip("ab", marks, strict=True):
        Image.fromarray(plane).save(tmp_path / f"{name}.png")
    named = {"water": tmp_path / "a.png", "grass": tmp_path / "b.png"}
    found = read_masks(named, facts, options={}).masks[0, :, 0]
    assert found.tolist() == [7] * 4 + [-1] * 4 + [2] * 8
    with pytest.raises(MaskError, match="glacier"):
        read_masks({"glacier": tmp_path / "a.png", "grass": tmp_path / "b.png"}, facts, options={})
