"""The folders in which change data mostly come: one a date and one of labels, files matched by name.

    A/ B/ label/                        one change mask
    im1/ im2/ label1/ label2/           a class mask a date: semantic change (as SECOND has it)
    train/A/ train/B/ train/label/ ...  the same in parts: the published split (as LEVIR-CD has it)
    list/train.txt, list/test.txt       or by lists of file names

Any case of letters; see `DATE_FOLDERS` and `LABEL_FOLDERS` for the names that are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from specdm.errors import SceneError
from specdm.scenes.opening.plan import OpeningPlan, ScenePlan, one_file
from specdm.scenes.pairs import match_pairs, stem_of

DATE_FOLDERS = (
    ("A", "B"), ("T1", "T2"), ("time1", "time2"), ("date1", "date2"), ("before", "after"), ("pre", "post"),
    ("im1", "im2"), ("img1", "img2"), ("image1", "image2"), ("imgs_1", "imgs_2"), ("images1", "images2"),
)  # fmt: skip
"""Names of the folders of the first and the second date."""

LABEL_FOLDERS = (
    "label", "labels", "mask", "masks", "gt", "change", "changes", "change_map", "cm", "reference", "out",
)  # fmt: skip
"""Names of the folder of change masks; with 1 and 2, or the date folders' names, behind them: of class masks."""

PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
"""Folder or list of a part -> the split it stands for."""


def plan(folder: Path, given: Mapping[str, Any]) -> OpeningPlan | None:
    """The scenes of a folder that has a folder a date, or parts that have.

    Raises:
        SceneError: an image or mask missing, or a scene that a list names.
    """
    there = _folders(folder)
    parts = [(split, there[name]) for name, split in PARTS.items() if name in there]
    splits = [(split, part) for split, part in parts if _date_folders(part) is not None]
    if splits:
        scenes = [
            replace(scene, split=split, name=f"{split}_{scene.name}")
            for split, part in splits
            for scene in _scenes(part, given)
        ]
        pair = _date_folders(splits[0][1])
    else:
        pair = _date_folders(folder)
        if pair is None:
            return None
        scenes = _listed(folder, _scenes(folder, given))
    labels = None if pair is None else tuple(path.name for path in pair)
    return OpeningPlan(scenes=tuple(scenes), name=folder.resolve().name, dates=labels)


def _scenes(folder: Path, given: Mapping[str, Any]) -> list[ScenePlan]:
    dates = _date_folders(folder)
    if dates is None:
        return []
    first, second = dates
    columns = [match_pairs(first, second, what=f"image of date {second.name}")]
    columns += [match_pairs(first, labels) for labels in _label_folders(folder, dates, given)]
    variable, mask_variable = given.get("variable"), given.get("mask_variable")
    rows = list(zip(*columns, strict=True))
    return [
        ScenePlan(
            name=row[0].name,
            images=tuple(one_file(file, variable=variable) for file in (row[0].image, row[0].partner)),
            masks=tuple(one_file(pair.partner, variable=mask_variable) for pair in row[1:]),
        )
        for row in rows
    ]


def _date_folders(folder: Path) -> tuple[Path, Path] | None:
    there = _folders(folder)
    for first, second in DATE_FOLDERS:
        if first.lower() in there and second.lower() in there:
            return there[first.lower()], there[second.lower()]
    return None


def _label_folders(folder: Path, dates: tuple[Path, Path], given: Mapping[str, Any]) -> list[Path]:
    """One folder a date, or one of change, or none. The user's own goes first."""
    mask = given.get("mask")
    if mask is not None:
        masks: Sequence[Any] = mask if isinstance(mask, (list, tuple)) else [mask]
        if len(masks) > 2 or not all(isinstance(one, (str, Path)) and Path(one).is_dir() for one in masks):
            raise SceneError(f"{folder}: holds a folder a date, so mask= should be a folder of masks, or one a date")
        return [Path(one) for one in masks]
    there = _folders(folder)
    numbered = [("1", "2"), (dates[0].name.lower(), dates[1].name.lower())]
    for word, (one, two), joint in product(LABEL_FOLDERS, numbered, ("", "_")):
        names = (f"{word}{joint}{one}", f"{word}{joint}{two}")
        if all(name in there for name in names):
            return [there[name] for name in names]
        if any(name in there for name in names):
            found, lacks = names if names[0] in there else names[::-1]
            raise SceneError(f"{folder}: has {there[found].name} but no {lacks}; expected a folder of masks a date")
    return next(([there[word]] for word in LABEL_FOLDERS if word in there), [])


def _listed(folder: Path, scenes: list[ScenePlan]) -> list[ScenePlan]:
    """The scenes with the parts that lists beside them, or in `list/`, give them."""
    lists = {
        path: PARTS[path.stem.lower()]
        for place in (folder, *(part for name, part in _folders(folder).items() if name in ("list", "lists")))
        for path in sorted(place.glob("*.txt"))
        if path.stem.lower() in PARTS
    }
    split: dict[str, str] = {}
    names = {scene.name for scene in scenes}
    for path, part in lists.items():
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            name = stem_of(line.strip().split()[0]) if line.strip() else ""
            if name and name not in names:
                raise SceneError(f"{path}: names {name}, but there is no image of that name in {folder}; correct one")
            if name and split.setdefault(name, part) != part:
                raise SceneError(f"{path}: names {name}, which is in the {split[name]} list too; keep it in one")
    return [replace(scene, split=split.get(scene.name)) for scene in scenes]


def _folders(folder: Path) -> dict[str, Path]:
    return {item.name.lower(): item for item in sorted(folder.iterdir()) if item.is_dir()}
