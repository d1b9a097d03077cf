"""A folder a date and one of labels: found in any case of letters, matched by name, or the missing one is named."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from specdm.errors import SceneError
from specdm.scenes import open_scene
from specdm.scenes.collection import SceneCollection
from specdm.scenes.layouts import plan_folder
from specdm.scenes.opening.options import OpenOptions
from specdm.scenes.opening.sources import plan_opening

random = np.random.default_rng(1)
CUBES = random.integers(1, 200, (2, 3, 5, 4, 3)).astype(np.int16)  # date, scene, y, x, band
CHANGE = (random.random((3, 5, 4)) > 0.5).astype(np.uint8)
COVER = random.integers(1, 4, (2, 3, 5, 4)).astype(np.uint8)


def images(folder: Path, cubes: np.ndarray, *, names: str = "tile_{}") -> Path:
    folder.mkdir(parents=True)
    for i, cube in enumerate(cubes):
        np.save(folder / f"{names.format(i)}.npy", cube)
    return folder


def labels(folder: Path, planes: np.ndarray, *, names: str = "tile_{}") -> Path:
    folder.mkdir(parents=True)
    for i, plane in enumerate(planes):
        Image.fromarray(plane).save(folder / f"{names.format(i)}.png")
    return folder


def opened(folder: Path, **options: object) -> SceneCollection:
    found = open_scene(folder, **options)  # type: ignore[arg-type]
    assert isinstance(found, SceneCollection)
    return found


@pytest.mark.parametrize(
    ("first", "second", "label"),
    [("A", "B", "label"), ("a", "b", "OUT"), ("T1", "T2", "GT"), ("Before", "After", "Masks"), ("im1", "im2", "cm")],
)
def test_change_mask(tmp_path: Path, first: str, second: str, label: str) -> None:
    images(tmp_path / first, CUBES[0], names=f"{first}_{{}}")
    images(tmp_path / second, CUBES[1], names=f"{second}_{{}}")
    labels(tmp_path / label, CHANGE * 255)
    found = opened(tmp_path)
    assert found.task == "change" and found.dates == (first, second) and found.name == tmp_path.name
    for i, scene in enumerate(found):
        np.testing.assert_array_equal(scene.dataset["image"].values, CUBES[:, i].transpose(0, 3, 1, 2))
        np.testing.assert_array_equal(scene.dataset["mask"].values[0], CHANGE[i] * 255)
    assert opened(tmp_path, dates=["2010", "2012"]).dates == ("2010", "2012")
    with pytest.raises(SceneError, match="names 3 dates"):
        opened(tmp_path, dates=["a", "b", "c"])


@pytest.mark.parametrize("names", [("label1", "label2"), ("labels_A", "labels_B"), ("mask_1", "mask_2")])
def test_a_class_mask_a_date(tmp_path: Path, names: tuple[str, str]) -> None:
    for position, folder in enumerate("AB"):
        images(tmp_path / folder, CUBES[position])
        labels(tmp_path / names[position], COVER[position])
    found = opened(tmp_path)
    assert found.task == "semantic_change" and found.layers == ("A", "B")
    np.testing.assert_array_equal(found[1].dataset["mask"].values, COVER[:, 1])
    (tmp_path / names[1]).rename(tmp_path / "away")
    with pytest.raises(SceneError, match=f"has {names[0]} but no {names[1].lower()}"):
        opened(tmp_path)


def test_labels_elsewhere_or_nowhere(tmp_path: Path) -> None:
    images(tmp_path / "set" / "A", CUBES[0])
    images(tmp_path / "set" / "B", CUBES[1])
    assert opened(tmp_path / "set").classes is None
    found = opened(tmp_path / "set", mask=labels(tmp_path / "truth", CHANGE))
    np.testing.assert_array_equal(found[2].dataset["mask"].values[0], CHANGE[2])
    with pytest.raises(SceneError, match="mask= should be a folder"):
        opened(tmp_path / "set", mask=CHANGE[0])


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    first, second = images(tmp_path / "A", CUBES[0]), images(tmp_path / "B", CUBES[1])
    truth = labels(tmp_path / "label", CHANGE)
    (truth / "tile_1.png").unlink()
    with pytest.raises(SceneError, match=r"no mask in .*label for tile_1\.npy"):
        opened(tmp_path)
    (second / "tile_2.npy").unlink()
    with pytest.raises(SceneError, match=r"no image of date B in .*B for tile_2\.npy"):
        opened(tmp_path)
    (second / "tile_9.npy").write_bytes((first / "tile_2.npy").read_bytes())
    (first / "tile_2.npy").unlink()
    with pytest.raises(SceneError, match=r"no image in .*A for tile_9\.npy"):
        opened(tmp_path)


def test_parts_are_the_official_split(tmp_path: Path) -> None:
    for part, chosen in (("train", [0, 1]), ("test", [2])):
        images(tmp_path / part / "A", CUBES[0][chosen])
        images(tmp_path / part / "B", CUBES[1][chosen])
        labels(tmp_path / part / "label", CHANGE[chosen])
    found = opened(tmp_path)
    split = {"train": ["train_tile_0", "train_tile_1"], "test": ["test_tile_0"]}
    assert found.official_split == split
    np.testing.assert_array_equal(found[2].dataset["image"].values[0], CUBES[0, 2].transpose(2, 0, 1))
    tiles = found.tile(size=4, split=found.official_split)
    assert set(tiles.dataset["split"].values.tolist()) == {"train", "test"}


def test_lists_are_the_official_split(tmp_path: Path) -> None:
    images(tmp_path / "A", CUBES[0])
    images(tmp_path / "B", CUBES[1])
    (tmp_path / "list").mkdir()
    (tmp_path / "list" / "train.txt").write_text("tile_0.png\ntile_2.png\n\n")
    (tmp_path / "list" / "val.txt").write_text("tile_1\n")
    assert opened(tmp_path).official_split == {"train": ["tile_0", "tile_2"], "val": ["tile_1"]}
    (tmp_path / "list" / "test.txt").write_text("tile_1\n")
    with pytest.raises(SceneError, match="names tile_1, which is in the"):
        opened(tmp_path)
    (tmp_path / "list" / "test.txt").write_text("tile_7\n")
    with pytest.raises(SceneError, match=r"test\.txt: names tile_7, but there is no image"):
        opened(tmp_path)


def test_named_arrays_of_the_files(tmp_path: Path) -> None:
    from scipy.io import savemat

    for position, folder in enumerate("AB"):
        (tmp_path / folder).mkdir()
        savemat(tmp_path / folder / "one.mat", {"cube": CUBES[position, 0], "other": CUBES[position, 1]})
    labels(tmp_path / "label", CHANGE[:1], names="one")
    found = opened(tmp_path, variable="other")
    np.testing.assert_array_equal(found[0].dataset["image"].values, CUBES[:, 1].transpose(0, 3, 1, 2))


def test_a_plain_folder_of_images_is_no_layout(tmp_path: Path) -> None:
    assert plan_folder(images(tmp_path / "images", CUBES[0]), {}) is None
    assert opened(tmp_path / "images").official_split is None


WORD = st.text("abcdefgh", min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(
    stems=st.lists(st.tuples(WORD, st.integers(0, 99)), min_size=1, max_size=6, unique=True),
    prefixes=st.lists(WORD, min_size=3, max_size=3),
    order=st.randoms(use_true_random=False),
)
def test_dates_and_masks_match_whatever_the_folders_call_them(
    stems: list[tuple[str, int]], prefixes: list[str], order: object
) -> None:
    """Files of three folders with a word of the folder's own in front always come together by the rest."""
    with tempfile.TemporaryDirectory() as root:
        folders = [Path(root) / name for name in ("x", "y", "z")]
        for folder, prefix in zip(folders, prefixes, strict=True):
            folder.mkdir()
            shuffled = list(stems)
            order.shuffle(shuffled)  # type: ignore[attr-defined]
            for word, number in shuffled:
                np.save(folder / f"{prefix}_{word}_{number:02d}.npy", CHANGE[0])
        options = OpenOptions(dates=["before", "after"], mask=folders[2])
        plan = plan_opening(folders[:2], options)
        assert len(plan.scenes) == len(stems)
        for scene in plan.scenes:
            files = [Path(str(source.files[0])).stem for source in (*scene.images, *scene.masks)]
            assert len({name.split("_", 1)[1] for name in files}) == 1
            assert [name.split("_", 1)[0] for name in files] == prefixes
        # one file less in any folder is noticed, and named
        folder = folders[len(stems) % 3]
        gone = sorted(folder.iterdir())[0]
        gone.unlink()
        with pytest.raises(SceneError, match=r"no (image|mask)|holds no file|partners need the same name"):
            plan_opening(folders[:2], options)
