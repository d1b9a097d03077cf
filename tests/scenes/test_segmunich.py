"""SegMunich's folders: tiles, parts, names of the raw values, and the dispute about the bands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio

from specdm.errors import SceneError
from specdm.scenes.layouts.segmunich import CLASS_NAMES, plan
from specdm.scenes.sensors import sensor_bands

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

RAW = (0, 5, 11, 12, 13, 14, 21, 22, 23, 31, 32, 33, 41)
AUTHORS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
CARD = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12")


def write(path: Path, values: np.ndarray, names: tuple[str, ...] = ()) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    count, height, width = values.shape
    with rasterio.open(path, "w", driver="GTiff", dtype=values.dtype, count=count, height=height, width=width) as file:
        file.write(values)
        for band, name in enumerate(names, start=1):
            file.set_band_description(band, name)


def segmunich(root: Path, *, names: tuple[str, ...] = (), n_bands: int = 10) -> Path:
    """Three training tiles and one for validation, all raw values among them."""
    rng = np.random.default_rng(0)
    for part, tiles in (("train", ("100", "101", "102")), ("val", ("200",))):
        for position, tile in enumerate(tiles):
            labels = rng.permutation(np.resize(RAW, 8 * 8)).reshape(1, 8, 8).astype(np.uint8)
            image = (rng.integers(100, 900, (n_bands, 8, 8)) + 1000 * position).astype(np.uint16)
            write(root / part / "img" / f"{tile}.tif", image, names)
            write(root / part / "label" / f"{tile}.tif", labels)
    return root


def test_names_follow_the_authors_own_numbering() -> None:
    # TUM_128.py: raw value -> position in the paper's list of classes; the others stay as they are
    numbering = {21: 1, 22: 2, 23: 3, 31: 4, 32: 6, 33: 7, 41: 8, 13: 9, 14: 10}
    paper = (
        "background", "arable land", "permanent crops", "pastures", "forests", "surface water", "shrub", "open spaces",
        "wetlands", "mine dump", "artificial vegetation", "urban fabric", "buildings",
    )  # fmt: skip
    assert tuple(CLASS_NAMES) == RAW
    assert all(CLASS_NAMES[value] == paper[numbering.get(value, value)] for value in RAW)


def test_tiles_and_parts(tmp_path: Path) -> None:
    found = plan(segmunich(tmp_path), {"sensor": "segmunich-card"})
    assert found is not None and found.many and found.dates is None
    assert [(scene.name, scene.split) for scene in found.scenes] == [
        ("100", "train"), ("101", "train"), ("102", "train"), ("200", "val"),
    ]  # fmt: skip
    for scene in found.scenes:
        (image,), (mask,) = scene.images[0].files, scene.masks[0].files
        assert Path(str(image)).parent.name == "img" and Path(str(mask)).parent.name == "label"
        assert Path(str(image)).stem == Path(str(mask)).stem == scene.name
    assert found.defaults["class_names"] == CLASS_NAMES
    assert "sensor" not in found.defaults


@pytest.mark.parametrize(("names", "sensor"), [(AUTHORS, "segmunich-authors"), (CARD, "segmunich-card")])
def test_bands_are_read_from_the_tags(tmp_path: Path, names: tuple[str, ...], sensor: str) -> None:
    found = plan(segmunich(tmp_path, names=names), {})
    assert found is not None and found.defaults["sensor"] == sensor
    bands = sensor_bands(sensor, n_bands=10, band_name=None, source="x")
    assert tuple(band.name for band in bands) == names


def test_without_tags_the_user_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SceneError) as refusal:
        plan(segmunich(tmp_path), {})
    line = str(refusal.value)
    assert "100.tif" in line and 'sensor="segmunich-card"' in line and 'bands_list="card"' in line
    assert ", ".join(CARD) in line and ", ".join(AUTHORS) in line
    assert plan(tmp_path, {"wavelengths": list(range(400, 1400, 100))}) is not None


def test_the_two_accounts_are_other_wavelengths() -> None:
    card, authors = (
        [band.wavelength for band in sensor_bands(f"segmunich-{name}", n_bands=10, band_name=None, source="x")]
        for name in ("card", "authors")
    )
    assert card[0] == 443 and authors[0] == 490
    assert 842 in authors and 842 not in card


def test_listed_names_decide_and_must_be_there(tmp_path: Path) -> None:
    root = segmunich(tmp_path)
    (root / "dataset").mkdir()
    (root / "dataset" / "train.txt").write_text("102\n100\n\n")
    found = plan(root, {"sensor": "segmunich-card"})
    assert found is not None and [scene.name for scene in found.scenes] == ["102", "100", "200"]
    (root / "dataset" / "train.txt").write_text("102\n777\n")
    with pytest.raises(SceneError, match=r"no image 777\.tif \(named in .*train\.txt"):
        plan(root, {"sensor": "segmunich-card"})


@pytest.mark.parametrize(("gone", "what"), [("label", "label"), ("img", "image")])
def test_a_missing_file_is_named(tmp_path: Path, gone: str, what: str) -> None:
    root = segmunich(tmp_path)
    (root / "train" / gone / "101.tif").unlink()
    with pytest.raises(SceneError, match=rf"train.{gone}: there is no {what} 101\.tif"):
        plan(root, {"sensor": "segmunich-card"})


def test_background_can_be_unlabelled(tmp_path: Path) -> None:
    found = plan(segmunich(tmp_path), {"sensor": "segmunich-card", "unlabelled": 0})
    assert found is not None and 0 not in found.defaults["class_names"] and 5 in found.defaults["class_names"]


@pytest.mark.parametrize("other", ["values", "bands", "empty", "file"])
def test_other_sets_in_such_folders_are_left_alone(tmp_path: Path, other: str) -> None:
    root = segmunich(tmp_path / "set", n_bands=4 if other == "bands" else 10)
    if other == "values":
        write(root / "train" / "label" / "100.tif", np.full((1, 8, 8), 7, np.uint8))
    if other == "empty":
        root = tmp_path / "nothing"
        root.mkdir()
    if other == "file":
        root = root / "train" / "img" / "100.tif"
    assert plan(root, {}) is None


def test_sensor_with_names() -> None:
    def bands(sensor: str, n_bands: int) -> list[str]:
        return [band.name for band in sensor_bands(sensor, n_bands=n_bands, band_name=None, source="x.tif")]

    assert bands("Sentinel-2:B2, b8a,B12", 3) == ["B02", "B8A", "B12"]
    for sensor, words in (("sentinel2:B2,B3", "x.tif: has 3 bands"), ("sentinel2:B2,B3,B99", "no band B99")):
        with pytest.raises(SceneError, match=words):
            bands(sensor, 3)


def test_open_scene_knows_it(tmp_path: Path) -> None:
    from specdm.scenes.open import open_scene

    opened: Any = open_scene(segmunich(tmp_path / "TUM_128", names=AUTHORS))
    assert len(opened) == 4 and opened.task == "segmentation"
    assert opened.classes.values == RAW and opened.classes.names == tuple(CLASS_NAMES.values())
    assert opened.scenes[0].wavelength[0] == 490 and list(opened.scenes[0].band_name) == list(AUTHORS)
