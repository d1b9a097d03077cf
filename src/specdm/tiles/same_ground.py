"""Training and validation tiles that show the ground of test tiles in another scene: files that overlap on the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.scenes.scene import Scene
from specdm.tiles.splits import TilePlan

TOUCHING = 0.5
"""Pixels that grids of neighbouring files may be off without being taken to overlap."""

KEPT_FROM = {"test": ("train", "val"), "val": ("train",)}
"""Split -> those whose tiles may not show its ground."""

_WORDS = {"train": "training", "val": "validation"}


def apart_on_ground(
    plan: TilePlan, scenes: Sequence[Scene], *, places: Sequence[Mapping[str, Any] | None], size: int
) -> TilePlan:
    """The plan without tiles that show, in another scene, ground of a test tile, or training tiles that of a validation
    tile; with a note of how many.

    Only scenes of one coordinate reference system can be held against each other.

    Args:
        plan: windows of the scenes.
        scenes: all of the plan.
        places: `georeference_of` each.
        size: of the windows, in pixels.

    Raises:
        TileError: no training tile is left.
    """
    keep = np.ones(len(plan.scene), bool)
    transforms: dict[int, np.ndarray] = {}
    systems: dict[str | None, list[int]] = {}
    for i, place in enumerate(places):
        if place is not None:
            transforms[i] = np.array(place["transform"]).reshape(2, 3)
            systems.setdefault(place["crs"], []).append(i)
    pairs = [pair for members in systems.values() for pair in _overlapping(scenes, members, transforms)]
    for held, others in KEPT_FROM.items():
        for i, j in pairs:
            mine = np.flatnonzero((plan.scene == i) & (plan.split == held) & keep)
            theirs = np.flatnonzero((plan.scene == j) & np.isin(plan.split, others) & keep)
            shown = _outlines(plan.yx[theirs], transforms[j], height=size, width=size)
            for box in _outlines(plan.yx[mine], transforms[i], height=size, width=size):
                keep[theirs[_overlap(shown, box, transforms[j])]] = False
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


def _overlapping(
    scenes: Sequence[Scene], members: Sequence[int], transforms: Mapping[int, np.ndarray]
) -> list[tuple[int, int]]:
    """Pairs of scenes that share ground, each both ways round; a collection may have thousands, most of them apart."""
    nothing = np.zeros((1, 2))
    sizes = {i: {"height": scenes[i].height, "width": scenes[i].width} for i in members}
    outlines = np.concatenate([_outlines(nothing, transforms[i], **sizes[i]) for i in members])
    found = []
    for i, own in zip(members, outlines, strict=True):
        near = np.flatnonzero(_overlap(outlines, own, transforms[i]))
        found += [(i, members[at]) for at in near.tolist() if members[at] != i]
    return found


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
