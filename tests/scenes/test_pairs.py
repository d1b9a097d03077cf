"""Images find their masks by name, or the missing one is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.scenes.pairs import match_pairs


def folder(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).touch()
    return path


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (["a.tif", "b.tif"], ["b.png", "a.png", "a.png.aux.xml"]),
        (["img_1.tif", "img_2.tif"], ["label_2.png", "label_1.png"]),
        (["x_1_s2.npy", "x_2_s2.npy"], ["x_1_mask.npy", "x_2_mask.npy"]),
        (["one.tif"], ["labels.tif"]),
    ],
)
def test_folders(tmp_path: Path, left: list[str], right: list[str]) -> None:
    pairs = match_pairs(folder(tmp_path / "i", *left), folder(tmp_path / "m", *right))
    assert [Path(str(pair.image)).name for pair in pairs] == left
    masks = [Path(str(pair.partner)).name for pair in pairs]
    assert masks == sorted(name for name in right if not name.endswith("xml"))
    assert [pair.name for pair in pairs] == [Path(name).stem for name in left]


def test_missing_partners_are_named(tmp_path: Path) -> None:
    images = folder(tmp_path / "i", "a.tif", "b.tif", "c.tif")
    masks = folder(tmp_path / "m", "a.tif", "b.tif", "d.tif")
    with pytest.raises(SceneError, match=r"no mask in .*m for c\.tif"):
        match_pairs(images, masks)
    (masks / "c.tif").touch()
    with pytest.raises(SceneError, match=r"no image in .*i for d\.tif"):
        match_pairs(images, masks)


def test_envi_pairs_count_once(tmp_path: Path) -> None:
    images = folder(tmp_path / "i", "a.img", "b.img", "lonely.hdr")
    for name in "ab":
        (images / f"{name}.hdr").write_text("ENVI\n")
    names = [Path(str(pair.image)).name for pair in match_pairs(images, None)]
    assert names == ["a.img", "b.img", "lonely.hdr"]


def test_lists() -> None:
    array = np.zeros((2, 2))
    pairs = match_pairs([("x/a.tif", "m1.tif"), ("y/a.tif", array)], None)
    assert [pair.name for pair in pairs] == ["x_a", "y_a"] and pairs[1].partner is array
    assert [pair.partner for pair in match_pairs(["a", "b"], ["c", "d"])] == ["c", "d"]
    with pytest.raises(SceneError, match="2 images but 1 mask"):
        match_pairs(["a", "b"], ["c"])
    with pytest.raises(SceneError, match="already"):
        match_pairs([("a", "b")], ["c"])
    with pytest.raises(SceneError, match="empty"):
        match_pairs([], None)


def test_one_against_many(tmp_path: Path) -> None:
    many = folder(tmp_path / "m", "a.tif", "b.tif")
    with pytest.raises(SceneError, match="one image"):
        match_pairs("a.tif", many)
    with pytest.raises(SceneError, match="is a folder but"):
        match_pairs(many, tmp_path / "one.tif")
    with pytest.raises(SceneError, match="no file that can be read"):
        match_pairs(folder(tmp_path / "empty", "notes.txt"), None)


def test_same_name_twice(tmp_path: Path) -> None:
    images, masks = folder(tmp_path / "i", "a.tif", "a.npy"), folder(tmp_path / "m", "a.tif")
    with pytest.raises(SceneError, match="same name"):
        match_pairs(images, masks)
