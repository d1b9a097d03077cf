"""Masks of scenes with dates: of change, one a date, one a class, amounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin
from scipy.io import savemat

from specdm.errors import MaskError, SceneError
from specdm.scenes import open_scene
from specdm.scenes.collection import SceneCollection
from specdm.scenes.scene import Scene

random = np.random.default_rng(3)
FIRST = random.integers(100, 4000, (8, 6, 4)).astype(np.int16)  # y, x, band
SECOND = random.integers(100, 4000, (8, 6, 4)).astype(np.int16)
CHANGE = (random.random((8, 6)) > 0.6).astype(np.uint8)
COVER = [random.integers(1, 4, (8, 6)).astype(np.uint8) for _ in range(2)]
NM = [450.0, 550.0, 660.0, 850.0]
DATES = ["2000-03-17", "2003-02-06"]


def scene(*args: Any, **options: Any) -> Scene:
    found = open_scene(*args, **options)
    assert isinstance(found, Scene)
    return found


def collection(*args: Any, **options: Any) -> SceneCollection:
    found = open_scene(*args, **options)
    assert isinstance(found, SceneCollection)
    return found


def tif(path: Path, cube: np.ndarray, *, west: float = 0, **profile: Any) -> Path:
    array = cube.transpose(2, 0, 1) if cube.ndim == 3 else cube[None]
    count, height, width = array.shape
    place = {"crs": "EPSG:32633", "transform": from_origin(west, 100, 10, 10)}
    with rasterio.open(path, "w", driver="GTiff", count=count, height=height, width=width, dtype=array.dtype,
                       **place, **profile) as file:  # fmt: skip
        file.write(array)
    return path


def bands_first(cube: np.ndarray) -> np.ndarray:
    return cube.transpose(2, 0, 1)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 255), (1, 2), (1, 255)])
def test_pairs_of_values_that_mean_change(low: int, high: int) -> None:
    opened = scene([FIRST, SECOND], dates=DATES, mask=np.where(CHANGE, high, low).astype(np.uint8))
    assert opened.classes is not None
    assert (opened.classes.values, opened.classes.names) == ((low, high), ("unchanged", "changed"))
    assert opened.class_counts.tolist() == [(CHANGE == 0).sum(), CHANGE.sum()]
    assert any("taken as unchanged and changed" in line for line in opened.problems) is ((low, high) == (1, 2))


def test_third_value_in_a_change_mask(tmp_path: Path) -> None:
    mask = CHANGE.copy()
    mask[0, :3] = 2
    with pytest.raises(MaskError, match=r"m\.tif: the change mask holds a third value, 2 \(of 0, 1, 2\).*class_names"):
        scene([FIRST, SECOND], dates=DATES, mask=tif(tmp_path / "m.tif", mask))
    opened = scene([FIRST, SECOND], dates=DATES, mask=mask, unlabelled=2)
    assert opened.class_counts.sum() == 45 and opened.layers == ("change",)
    named = scene([FIRST, SECOND], dates=DATES, mask=mask, class_names={1: "changed", 2: "unchanged"})
    assert named.classes is not None and named.classes.values == (1, 2)  # 0 has no name, so it means no class
    several = scene([FIRST, SECOND], dates=DATES, mask=mask, class_names=["same", "built", "felled"])
    assert several.classes is not None and several.classes.values == (0, 1, 2) and several.task == "change"


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (np.ones_like(CHANGE), "holds 1, which does not tell"),
        (np.where(CHANGE, 7, 3), "holds 3, 7, which does not tell"),
        (CHANGE + 0.25, "continuous"),
        (np.where(CHANGE, 0.5, 1), "continuous|does not tell"),
        (CHANGE * 0 - 1.0, "every pixel is unlabelled"),
    ],
)
def test_change_masks_that_do_not_tell(mask: np.ndarray, message: str) -> None:
    with pytest.raises(MaskError, match=message):
        scene([FIRST, SECOND], dates=DATES, mask=mask)


def test_declared_nodata_that_is_one_of_the_two_values(tmp_path: Path) -> None:
    opened = scene([FIRST, SECOND], dates=DATES, mask=tif(tmp_path / "m.tif", CHANGE, nodata=0))
    assert opened.class_counts.sum() == 48
    third = CHANGE.copy()
    third[0] = 99
    opened = scene([FIRST, SECOND], dates=DATES, mask=tif(tmp_path / "n.tif", third, nodata=99))
    assert opened.class_counts.sum() == 42


def test_one_scene_may_hold_a_single_value() -> None:
    opened = collection([[FIRST, SECOND]] * 2, dates=DATES, mask=[CHANGE * 255, CHANGE * 0])
    assert opened.classes is not None and opened.classes.values == (0, 255)


def test_a_mask_a_date_is_semantic_change() -> None:
    opened = scene([FIRST, SECOND], dates=DATES, mask=COVER, class_names=["field", "wood", "water"])
    assert opened.layers == tuple(DATES) and opened.task == "semantic_change"
    np.testing.assert_array_equal(opened.dataset["mask"].values, np.stack(COVER))
    assert opened.classes is not None and opened.classes.names == ("field", "wood", "water")
    with pytest.raises(MaskError, match="mask values 3 have no class name"):
        scene([FIRST, SECOND], dates=DATES, mask=COVER, class_names={1: "a", 2: "b"})
    with pytest.raises(SceneError, match="3 masks for 2 dates"):
        scene([FIRST, SECOND], dates=DATES, mask=[*COVER, CHANGE])
    with pytest.raises(MaskError, match="one mask for all dates"):
        scene([FIRST, SECOND], dates=DATES, mask=COVER, mask_kind="change")


def test_masks_a_date_in_one_file(tmp_path: Path) -> None:
    savemat(tmp_path / "m.mat", {"first": COVER[0], "second": COVER[1]})
    opened = scene([FIRST, SECOND], dates=DATES, mask=tmp_path / "m.mat", mask_variable=["first", "second"])
    np.testing.assert_array_equal(opened.dataset["mask"].values, np.stack(COVER))


def test_masks_a_date_in_one_array(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.stack(COVER)[..., None])
    for mask in (tmp_path / "m.npy", np.stack(COVER)[..., None]):
        opened = scene([FIRST, SECOND], dates=DATES, mask=mask)
        np.testing.assert_array_equal(opened.dataset["mask"].values, np.stack(COVER))


def test_a_mask_that_one_date_lacks() -> None:
    with pytest.raises(SceneError, match="a date has no mask"):
        scene([FIRST, SECOND], dates=DATES, mask=[CHANGE, None])
    partly = collection([[FIRST, SECOND]] * 2, dates=DATES, mask=[CHANGE, None])
    assert partly[1].class_counts.sum() == 0  # a scene without labels among others that have some


def test_class_values_for_two_dates() -> None:
    opened = scene([FIRST, SECOND], dates=DATES, mask=COVER[0], mask_kind="values")
    assert opened.layers == ("class",) and opened.task == "segmentation"
    with pytest.raises(MaskError, match="needs two dates"):
        scene(FIRST, mask=CHANGE, mask_kind="change")
    with pytest.raises(MaskError, match="mask_kind='colour' is not known"):
        scene(FIRST, mask=CHANGE, mask_kind="colour")


def test_a_file_a_class(tmp_path: Path) -> None:
    changed, unchanged = CHANGE * 255, np.where(random.random((8, 6)) > 0.5, 255, 0).astype(np.uint8) * (1 - CHANGE)
    for name, plane in (("c", changed), ("u", unchanged)):
        Image.fromarray(plane.astype(np.uint8)).save(tmp_path / f"{name}.bmp")
    mask = {"changed": tmp_path / "c.bmp", "unchanged": tmp_path / "u.bmp"}
    opened = scene([FIRST, SECOND], dates=DATES, mask=mask)
    assert opened.layers == ("change",) and opened.task == "change"
    assert opened.classes is not None and dict(zip(opened.classes.names, opened.classes.values, strict=True)) == {
        "changed": 1, "unchanged": 0,
    }  # fmt: skip
    expected = np.where(changed > 0, 1, np.where(unchanged > 0, 0, -1))
    np.testing.assert_array_equal(opened.dataset["mask"].values[0], expected)
    three = {"built": CHANGE, "felled": (1 - CHANGE) * np.eye(8, 6), "flooded": np.zeros((8, 6))}
    named = scene([FIRST, SECOND], dates=DATES, mask=three)
    assert named.classes is not None and named.classes.values == (1, 2, 3)
    assert scene(FIRST, mask=three).layers == ("class",)


def test_files_a_class_that_do_not_fit() -> None:
    with pytest.raises(MaskError, match=r"marks 1 pixels that .* marks too, such as row 2, column 3"):
        overlap = np.zeros((8, 6), np.uint8)
        overlap[2, 3] = 1
        scene([FIRST, SECOND], dates=DATES, mask={"unchanged": overlap, "changed": np.ones((8, 6), np.uint8)})
    with pytest.raises(MaskError, match="no pixel is marked"):
        scene([FIRST, SECOND], dates=DATES, mask={"changed": CHANGE * 0})
    with pytest.raises(MaskError, match="leave class_names="):
        scene([FIRST, SECOND], dates=DATES, mask={"changed": CHANGE}, class_names={1: "x"})
    with pytest.raises(MaskError, match="7 x 6 px"):
        scene([FIRST, SECOND], dates=DATES, mask={"changed": CHANGE[:7]})


def test_abundances_and_free_values() -> None:
    share = random.dirichlet([1, 1, 1], (8, 6)).astype(np.float32)
    opened = scene(FIRST, mask=share, mask_kind="abundances", quantity_names=["tree", "water", "soil"])
    assert opened.task == "regression" and opened.quantities is not None and opened.quantities.sum_to_one
    assert opened.quantities.names == ("tree", "water", "soil") and opened.classes is None
    amounts = opened.amount_window(0, 0, 8, 6)
    assert amounts is not None
    np.testing.assert_allclose(amounts, bands_first(share), atol=1e-6)
    height = np.where(CHANGE, np.nan, 12.5).astype(np.float32)
    free = scene(FIRST, mask=height, mask_kind="continuous", quantity_names=["height"], quantity_units="m")
    assert free.quantities is not None and free.quantities.label(0) == "height (m)"
    with pytest.raises(MaskError, match="do not sum to one"):
        scene(FIRST, mask=share * 2, mask_kind="abundances")
    with pytest.raises(MaskError, match="8 x 5 px"):
        scene(FIRST, mask=share[:, :5], mask_kind="abundances")


def test_split_map_of_a_change_scene() -> None:
    train = np.zeros((8, 6), np.uint8)
    train[:4] = 1
    opened = scene([FIRST, SECOND], dates=DATES, mask=CHANGE, split_map=train, split_map_kind="train")
    np.testing.assert_array_equal(opened.split_map, np.where(train > 0, 1, 2))  # unchanged ground is labelled too
