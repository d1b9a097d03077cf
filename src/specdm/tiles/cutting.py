"""Planned windows to tiles: read one after the other, drop those without data, hand on in batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Protocol

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.scenes.scene import Scene
from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.splits import TEST_GROUND, TRAIN_GROUND, TilePlan
from specdm.tiles.writer import batch_tiles

WHOLE_SCENE_BYTES = 256_000_000
"""Scenes up to this size are read as a whole: windows overlap, and files decode in large pieces."""


class TileWriter(Protocol):
    """Where tiles go: `TileStoreWriter` or `MemoryWriter`."""

    layout: TileLayout

    def write(
        self, start: int, images: np.ndarray, masks: np.ndarray, tiles: Mapping[str, np.ndarray]
    ) -> None: ...

    def shorten(self, n_tiles: int) -> None: ...


def cut(
    writer: TileWriter, scenes: Sequence[Scene], plan: TilePlan, *, max_nodata: float, mapped: bool
) -> None:
    """Read all planned windows and write those with enough data; memory holds one batch.

    A pixel with a value that is missing or infinite in any band or date is no data: unlabelled in the mask.
    Adds to the layout's attribute `problems` what the user should know.

    Args:
        writer: takes the tiles; its layout's attributes are changed at the end.
        scenes: with the bands and classes of the layout.
        plan: the windows.
        max_nodata: windows with a larger part of no-data pixels are dropped, 0 to 1.
        mapped: tiles carry only the labels of their side of the scenes' train/test map.

    Raises:
        TileError: no training window has enough data.
    """
    layout = writer.layout
    batch = batch_tiles(layout)
    kept = np.zeros(len(plan.scene), bool)
    tally = _Tally(layout.classes)
    waiting: list[tuple[int, np.ndarray, np.ndarray]] = []
    done = 0

    def flush() -> int:
        numbers = np.array([number for number, _, _ in waiting], np.int64)
        if len(numbers):
            masks = np.stack([mask for _, _, mask in waiting])
            tiles = tile_coords(
                len(numbers),
                split=plan.split[numbers],
                source=[scenes[i].name for i in plan.scene[numbers]],
                window_y=plan.yx[numbers, 0],
                window_x=plan.yx[numbers, 1],
            )
            writer.write(done, np.stack([image for _, image, _ in waiting]), masks, tiles)
            tally.add(plan.split[numbers], masks)
            waiting.clear()
        return len(numbers)

    for number, image, mask in _windows(scenes, plan, layout, mapped=mapped):
        valid = np.isfinite(image)
        gaps = ~valid.all(axis=(0, 1))
        if gaps.all() or gaps.mean() > max_nodata:
            continue
        kept[number] = True
        image, mask = np.where(valid, image, np.float32(np.nan)), np.where(gaps, np.int16(UNLABELLED), mask)
        waiting.append((number, image, mask))
        if len(waiting) == batch:
            done += flush()
    done += flush()

    if not (plan.split[kept] == "train").any():
        raise TileError(
            f"no training window has enough data: of {len(kept)} windows {int((~kept).sum())} have more than "
            f"{max_nodata:.0%} pixels without data; check the nodata value, or raise max_nodata"
        )
    if done < len(kept):
        writer.shorten(done)
    notes = [*plan.notes, *_dropped(plan, kept), *tally.notes()]
    layout.attrs["problems"] = json.dumps(notes)


class _Tally:
    """Labelled pixels of each class in each split."""

    def __init__(self, classes: Classes | None) -> None:
        self.classes = classes
        self.counts: dict[str, np.ndarray] = {}

    def add(self, splits: np.ndarray, masks: np.ndarray) -> None:
        if self.classes is None:
            return
        for split in np.unique(splits):
            index = self.classes.index_of(masks[splits == split])
            counts = np.bincount(index[index >= 0], minlength=len(self.classes))
            self.counts[str(split)] = self.counts.get(str(split), 0) + counts

    def notes(self) -> list[str]:
        if self.classes is None:
            return ["no mask: no tile has a labelled pixel"]
        train = self.counts["train"]
        if not train.any():
            return ["no labelled pixel in the training tiles"]
        lines = []
        if (train > 0).sum() == 1:
            lines.append(f"a single class is labelled in the training tiles: {self._names(train > 0)}")
        elsewhere = sum(counts for split, counts in self.counts.items() if split != "train")
        if (lost := (train == 0) & (elsewhere > 0)).any():
            lines.append(f"classes that no training tile has: {self._names(lost)}")
        lines += [
            f"no labelled pixel in the {split} tiles" for split, n in self.counts.items() if not n.any()
        ]
        return lines

    def _names(self, which: np.ndarray) -> str:
        names = self.classes.names if self.classes else ()
        return ", ".join(name for name, shown in zip(names, which, strict=True) if shown)


def _dropped(plan: TilePlan, kept: np.ndarray) -> list[str]:
    lines = [f"{int((~kept).sum())} of {len(kept)} windows have too few data and were left out"]
    for split in ("val", "test"):
        planned = plan.split == split
        if planned.any() and not kept[planned].any():
            lines.append(f"no {split} tiles: the ground reserved for them has too few data")
    return lines if not kept.all() else []


def _windows(
    scenes: Sequence[Scene], plan: TilePlan, layout: TileLayout, *, mapped: bool
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Number, image `(date, band, y, x)` and mask `(layer, y, x)` of every planned window, scene by scene."""
    size = layout.size
    # a plan of many small scenes must not be searched through for every one of them
    ends = np.searchsorted(plan.scene, np.arange(len(scenes)), side="right")
    for i, scene in enumerate(scenes):
        numbers = range(int(ends[i - 1]) if i else 0, int(ends[i]))
        if not numbers:
            continue
        whole = None
        if 4 * prod(scene.dataset["image"].shape) <= WHOLE_SCENE_BYTES:
            whole = scene.window(0, 0, scene.height, scene.width)
        ground_map = scene.split_map if mapped else None
        for number in numbers:
            y, x = (int(v) for v in plan.yx[number])
            part = (slice(y, y + size), slice(x, x + size))
            if whole is None:
                image, mask = scene.window(y, x, size, size)
            else:
                image, mask = whole[0][..., *part], None if whole[1] is None else whole[1][..., *part]
            if mask is None:
                mask = np.full(layout.mask_shape, UNLABELLED, np.int16)
            if ground_map is not None:
                own = TEST_GROUND if plan.split[number] == "test" else TRAIN_GROUND
                mask = np.where(ground_map[part] == own, mask, np.int16(UNLABELLED))
            yield number, image, mask
