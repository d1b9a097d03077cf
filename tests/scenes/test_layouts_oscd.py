"""OSCD's official layout on a replica of three cities, and its real change maps."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from specdm.errors import MaskError, SceneError
from specdm.scenes import open_scene
from specdm.scenes.collection import SceneCollection
from specdm.scenes.scene import Scene

BANDS = ["B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"]
CENTRES = [443, 490, 560, 665, 705, 740, 783, 842, 865, 945, 1375, 1610, 2190]
CITIES = {"paris": (9, 7), "beirut": (8, 8), "lasvegas": (6, 10)}
random = np.random.default_rng(5)


def band(path: Path, plane: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(path, "w", driver="GTiff", count=1, height=plane.shape[0], width=plane.shape[1],
                       dtype=plane.dtype) as file:  # fmt: skip
        file.write(plane[None])


def city_images(folder: Path, size: tuple[int, int]) -> np.ndarray:
    """Writes both dates; returns `(date, band, y, x)`."""
    cube = random.integers(1, 4000, (2, 13, *size)).astype(np.uint16)
    for date in range(2):
        for position, name in enumerate(BANDS):
            band(folder / f"imgs_{date + 1}_rect" / f"{name}.tif", cube[date, position])
            small = np.ones((2, 2), np.uint16)  # the original granules, each band on its own grid
            band(folder / f"imgs_{date + 1}" / f"S2A_OPER_20161130_{name}.tif", small)
    (folder / "dates.txt").write_text("date_1: 20161130\ndate_2: 20171107\n")
    return cube


def change_map(folder: Path, size: tuple[int, int]) -> np.ndarray:
    change = np.zeros(size, np.uint8)
    change[: size[0] // 2, 1:4] = 1
    (folder / "cm").mkdir(parents=True, exist_ok=True)
    Image.fromarray(change * 255).save(folder / "cm" / "cm.png")
    return change


@pytest.fixture
def oscd(tmp_path: Path) -> tuple[Path, dict[str, np.ndarray], dict[str, np.ndarray]]:
    root = tmp_path / "oscd"
    cubes, changes = {}, {}
    for name, size in CITIES.items():
        cubes[name] = city_images(root / name, size)
        changes[name] = change_map(root / name, size)
    (root / "train.txt").write_text("paris,beirut\n")
    (root / "test.txt").write_text("lasvegas")
    return root, cubes, changes


def opened(folder: Path, **options: object) -> SceneCollection:
    found = open_scene(folder, **options)  # type: ignore[arg-type]
    assert isinstance(found, SceneCollection)
    return found


Replica = tuple[Path, dict[str, np.ndarray], dict[str, np.ndarray]]


def test_all_cities(oscd: Replica) -> None:
    root, cubes, changes = oscd
    found = opened(root)
    assert [scene.name for scene in found] == ["beirut", "lasvegas", "paris"]
    assert found.band_name == tuple(BANDS) and found.task == "change"
    assert found.wavelength is not None and found.wavelength.tolist() == CENTRES
    assert found.classes is not None and found.classes.names == ("unchanged", "changed")
    for scene in found:
        np.testing.assert_array_equal(scene.dataset["image"].values, cubes[scene.name])
        np.testing.assert_array_equal(scene.dataset["mask"].values[0] == 255, changes[scene.name] == 1)
        assert scene.dates == ("2016-11-30", "2017-11-07")
    assert found.official_split == {"train": ["beirut", "paris"], "test": ["lasvegas"]}
    tiles = found.tile(size=4, split=found.official_split)
    names = {"train": {"beirut", "paris"}, "test": {"lasvegas"}}
    for part, cities in names.items():
        chosen = tiles.dataset["split"].values == part
        assert chosen.any() and set(tiles.dataset["source"].values[chosen].tolist()) == cities


def test_bands_chosen_by_name(oscd: Replica) -> None:
    root, cubes, _ = oscd
    (root / "paris" / "imgs_2_rect" / "B10.tif").unlink()  # not needed for these
    found = opened(root, bands=["B08", "B04", "B8A"])
    assert found.band_name == ("B04", "B08", "B8A") and found.wavelength is not None
    assert found.wavelength.tolist() == [665, 842, 865]
    np.testing.assert_array_equal(found[0].dataset["image"].values, cubes["beirut"][:, [3, 7, 8]])


def test_one_city(oscd: Replica) -> None:
    root, cubes, _ = oscd
    found = open_scene(root / "paris")
    assert isinstance(found, Scene) and found.name == "paris" and found.dates == ("2016-11-30", "2017-11-07")
    np.testing.assert_array_equal(found.dataset["image"].values, cubes["paris"])
    assert found.classes is not None
    renamed = open_scene(root / "paris", dates=["before", "after"], name="Paris")
    assert isinstance(renamed, Scene) and renamed.dates == ("before", "after") and renamed.name == "Paris"


def test_downloads_side_by_side(oscd: Replica, tmp_path: Path) -> None:
    root, _, changes = oscd
    whole, images = tmp_path / "all", tmp_path / "all" / "Onera Satellite Change Detection dataset - Images"
    root.rename(tmp_path / "x")
    whole.mkdir()
    (tmp_path / "x").rename(images)
    for name in CITIES:
        kind = "Test" if name == "lasvegas" else "Train"
        shutil.move(images / name / "cm", whole / f"{kind} Labels" / name / "cm")
    found = opened(whole)
    assert len(found) == 3
    assert found.class_counts[1] == sum(int(change.sum()) for change in changes.values())
    assert found.official_split == {"train": ["beirut", "paris"], "test": ["lasvegas"]}
    # without the third download the test cities have no labels, which is no mistake
    shutil.rmtree(whole / "Test Labels")
    found = opened(whole)
    assert any("no change maps for the test cities (lasvegas" in line for line in found.problems)
    assert found[1].class_counts.sum() == 0 and found[0].class_counts.sum() == 64


def test_flat_change_maps(oscd: Replica, tmp_path: Path) -> None:
    root, _, changes = oscd
    (tmp_path / "maps").mkdir()
    for name, change in changes.items():
        shutil.rmtree(root / name / "cm")
        (root / name / "dates.txt").rename(tmp_path / "maps" / f"{name}-dates.txt")
        band(tmp_path / "maps" / f"{name}-cm.tif", change + 1)
    found = opened(root, mask=tmp_path / "maps")
    assert found.classes is not None and found.classes.values == (1, 2)
    np.testing.assert_array_equal(found[2].dataset["mask"].values[0] == 2, changes["paris"] == 1)
    assert found[2].dates == ("2016-11-30", "2017-11-07")


def test_what_is_missing_is_named(oscd: Replica) -> None:
    root, _, _ = oscd
    file = root / "beirut" / "imgs_2_rect" / "B8A.tif"
    data = file.read_bytes()
    file.unlink()
    with pytest.raises(SceneError, match=r"beirut/imgs_2_rect: the city beirut lacks B8A\.tif"):
        opened(root)
    file.write_bytes(data)
    (root / "beirut" / "cm" / "cm.png").unlink()
    with pytest.raises(SceneError, match=r"beirut: the city beirut has no change map; expected cm/cm\.png or"):
        opened(root)
    change_map(root / "beirut", (8, 7))
    with pytest.raises(MaskError, match=r"beirut/cm/cm\.png: the mask has 8 x 7 px"):
        opened(root)
    change_map(root / "beirut", CITIES["beirut"])
    (root / "train.txt").write_text("paris,beirut,pisa")
    with pytest.raises(SceneError, match=r"train\.txt: names the city pisa, but there is no folder"):
        opened(root)
    (root / "train.txt").write_text("paris,beirut,lasvegas")
    with pytest.raises(SceneError, match="names lasvegas, which is in train"):
        opened(root)
    (root / "train.txt").unlink()
    shutil.rmtree(root / "paris" / "imgs_2_rect")
    with pytest.raises(SceneError, match=r"paris: there is no folder imgs_2_rect, so the city paris lacks a date"):
        opened(root)


def test_bands_of_different_size(oscd: Replica) -> None:
    root, _, _ = oscd
    band(root / "paris" / "imgs_1_rect" / "B05.tif", np.ones((5, 4), np.uint16))
    with pytest.raises(SceneError, match=r"B05\.tif: has 5 x 4 px, B01\.tif beside it 9 x 7 px"):
        opened(root)


def test_third_value_in_one_city(oscd: Replica) -> None:
    root, _, changes = oscd
    broken = changes["paris"] * 255
    broken[0, 0] = 128
    Image.fromarray(broken).save(root / "paris" / "cm" / "cm.png")
    with pytest.raises(MaskError, match=r"paris/cm/cm\.png: the change mask holds a third value, 128"):
        opened(root)


def test_real_change_maps(shared_data: Path, tmp_path: Path) -> None:
    maps = shared_data / "oscd_change_maps"
    cities = sorted(path.name.removesuffix("-cm.tif") for path in maps.glob("*-cm.tif"))
    assert len(cities) == 14
    changed = {}
    for name in cities:
        with rasterio.open(maps / f"{name}-cm.tif") as file:
            corner = file.read(1)[-64:, -48:]  # corners, so that the made-up images stay small
        band(tmp_path / "maps" / f"{name}-cm.tif", corner)
        shutil.copy(maps / f"{name}-dates.txt", tmp_path / "maps")
        changed[name] = int((corner == 2).sum())
        for date in (1, 2):
            for position in ("B03", "B8A"):
                plane = random.integers(0, 99, corner.shape).astype(np.uint16)
                band(tmp_path / "images" / name / f"imgs_{date}_rect" / f"{position}.tif", plane)
    found = opened(tmp_path / "images", mask=tmp_path / "maps")
    assert len(found) == 14 and found.band_name == ("B03", "B8A")
    assert {scene.name: int(scene.class_counts[1]) for scene in found} == changed
    assert next(scene for scene in found if scene.name == "paris").dates == ("2016-11-30", "2017-11-07")
    assert all(len(str(scene.dates[0])) == 10 for scene in found)


def test_real_change_map_of_full_size(shared_data: Path) -> None:
    made_up = [np.arange(408 * 390, dtype=np.float32).reshape(408, 390, 1) + i for i in range(2)]
    found = open_scene(made_up, dates=["a", "b"], mask=shared_data / "oscd_change_maps" / "paris-cm.tif")
    assert isinstance(found, Scene) and found.task == "change"
    assert found.class_counts.sum() == 408 * 390 and 0 < found.class_counts[1] < found.class_counts[0]
