"""Training and validation tiles that show the ground of test tiles in another scene: files that overlap on the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from specdm.errors import TileError
from specdm.scenes.georeference import georeference_of
from specdm.scenes.scene import Scene
from specdm.tiles.splits import TilePlan

TOUCHING = 0.5
"""Pixels that grids of neighbouring files may be off without being taken to overlap."""

KEPT_FROM = {"test": ("train", "val"), "val": ("train",)}
"""Split -> those whose tiles may not show its ground."""

_WORDS = {"train": "training", "val": "validation"}


def apart_on_ground(plan: TilePlan, scenes: Sequence[Scene], *, size: int) -> TilePlan:
    """The plan without tiles that show, in another scene, ground of a test tile, or training tiles that of a validation
    tile; with a note of how many.

    Only scenes of one coordinate reference system can be held against each other.

    Args:
        plan: windows of the scenes.
        scenes: all of the plan.
        size: of the windows, in pixels.

    Raises:
        TileError: no training tile is left.
    """
    places = [georeference_of(scene.dataset["image"]) for scene in scenes]
    keep = np.ones(len(plan.scene), bool)
    for crs in {place["crs"] for place in places if place is not None}:
        members = [i for i, place in enumerate(places) if place is not None and place["crs"] == crs]
        transforms = {i: np.array(places[i]["transform"]).reshape(2, 3) for i in members}  # type: ignore[index]
        outlines = {
            i: _outlines(np.zeros((1, 2)), transforms[i], height=scenes[i].height, width=scenes[i].width)[0]
            for i in members
        }
        for held, others in KEPT_FROM.items():
            for i in members:
                boxes = np.flatnonzero((plan.scene == i) & (plan.split == held) & keep)
                if not len(boxes):
                    continue
                taken = _outlines(plan.yx[boxes], transforms[i], height=size, width=size)
                for j in (j for j in members if j != i and _overlap(outlines[i][None], outlines[j], transforms[j])[0]):
                    mine = np.flatnonzero((plan.scene == j) & np.isin(plan.split, others) & keep)
                    shown = _outlines(plan.yx[mine], transforms[j], height=size, width=size)
                    for box in taken:
                        keep[mine[_overlap(shown, box, transforms[j])]] = False
    if keep.all():
        return plan
    lost = {part: int((plan.split[~keep] == part).sum()) for part in ("train", "val")}
    named = [f"{count} {_WORDS[part]} tiles" for part, count in lost.items() if count]
    note = (
        f"{' and '.join(named)} are left out: the files overlap on the map, and these show ground that another file's "
        "test or validation tiles show"
    )
    plan = plan.take(keep)
    if not (plan.split == "train").any():
        raise TileError(
            f"{note}, so none is left for training; name the files of each split (split={{'train': [...], 'test': "
            "[...]}), or leave out files of the same ground"
        )
    return TilePlan(plan.scene, plan.yx, plan.split, plan.blocks, [*plan.notes, note])


def _outlines(yx: np.ndarray, transform: np.ndarray, *, height: int, width: int) -> np.ndarray:
    """Least and greatest coordinates of windows, `(n, 2, 2)`: (low, high), (x, y); of turned grids what is around them.
    """
    rows = yx[:, :1] + np.array([0, 0, height, height])
    columns = yx[:, 1:] + np.array([0, width, 0, width])
    corners = np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ transform.T
    return np.stack([corners.min(axis=1), corners.max(axis=1)], axis=1)


def _overlap(outlines: np.ndarray, box: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Which outlines share more than `TOUCHING` pixels with a box along both axes, boolean `(n,)`."""
    pixel = np.abs(transform[:, :2]).sum(axis=1)
    shared = np.minimum(outlines[:, 1], box[1]) - np.maximum(outlines[:, 0], box[0])
    return (shared > TOUCHING * pixel).all(axis=1)
