"""Planned windows to tiles: read one after the other, drop those without data, hand on in batches."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import NamedTuple, Protocol

import numpy as np

from specdm.errors import TileError
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.scene import Scene
from specdm.tiles.layout import TileLayout, tile_coords
from specdm.tiles.scene_ground import TEST_GROUND, TRAIN_GROUND
from specdm.tiles.splits import TilePlan
from specdm.tiles.tally import Tally
from specdm.tiles.writer import batch_tiles

WHOLE_SCENE_BYTES = 256_000_000
"""Scenes up to this size are read as a whole: windows overlap, and files decode in large pieces."""


class TileWriter(Protocol):
    """Where tiles go: `TileStoreWriter` or `MemoryWriter`."""

    layout: TileLayout

    def write(
        self,
        start: int,
        images: np.ndarray,
        masks: np.ndarray | None,
        tiles: Mapping[str, np.ndarray],
        amounts: np.ndarray | None = None,
    ) -> None: ...

    def shorten(self, n_tiles: int) -> None: ...


class _Window(NamedTuple):
    """Number in the plan, image `(date, band, y, x)`, mask `(layer, y, x)`, amounts `(quantity, y, x)`."""

    number: int
    image: np.ndarray
    mask: np.ndarray
    amounts: np.ndarray


def cut(
    writer: TileWriter, scenes: Sequence[Scene], plan: TilePlan, *, max_nodata: float, mapped: bool
) -> None:
    """Read all planned windows and write those with enough data; memory holds one batch.

    A pixel with a value that is missing or infinite in any band that a date has is no data: unlabelled in the
    mask, and its amounts unknown.
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
    tally = Tally(layout)
    own = layout.own_bands[..., None, None]
    waiting: list[_Window] = []
    done = 0

    def flush() -> int:
        numbers = np.array([window.number for window in waiting], np.int64)
        if len(numbers):
            images, masks, amounts = (
                np.stack([getattr(window, name) for window in waiting]) for name in ("image", "mask", "amounts")
            )
            tiles = tile_coords(
                len(numbers),
                split=plan.split[numbers],
                source=[scenes[i].name for i in plan.scene[numbers]],
                window_y=plan.yx[numbers, 0],
                window_x=plan.yx[numbers, 1],
            )
            writer.write(done, images, masks, tiles, amounts)
            tally.add(plan.split[numbers], masks, amounts)
            waiting.clear()
        return len(numbers)

    for number, image, mask, amounts in _windows(scenes, plan, layout, mapped=mapped):
        valid = np.isfinite(image)
        gaps = (own & ~valid).any(axis=(0, 1))
        if gaps.all() or gaps.mean() > max_nodata:
            continue
        kept[number] = True
        nothing = np.float32(np.nan)
        waiting.append(
            _Window(
                number,
                np.where(valid & own, image, nothing),
                np.where(gaps, np.int16(UNLABELLED), mask),
                np.where(gaps | ~np.isfinite(amounts), nothing, amounts),
            )
        )
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


def _dropped(plan: TilePlan, kept: np.ndarray) -> list[str]:
    lines = [f"{int((~kept).sum())} of {len(kept)} windows have too few data and were left out"]
    for split in ("val", "test"):
        planned = plan.split == split
        if planned.any() and not kept[planned].any():
            lines.append(f"no {split} tiles: the ground reserved for them has too few data")
    return lines if not kept.all() else []


def _windows(
    scenes: Sequence[Scene], plan: TilePlan, layout: TileLayout, *, mapped: bool
) -> Iterator[_Window]:
    """Every planned window, scene by scene; unlabelled and unknown where the scene, or its side of the map, is."""
    size = layout.size
    # a plan of many small scenes must not be searched through for every one of them
    ends = np.searchsorted(plan.scene, np.arange(len(scenes)), side="right")
    for i, scene in enumerate(scenes):
        numbers = range(int(ends[i - 1]) if i else 0, int(ends[i]))
        if not numbers:
            continue
        whole = None
        if 4 * prod(scene.dataset["image"].shape) <= WHOLE_SCENE_BYTES:
            whole = _read(scene, layout, 0, 0, scene.height, scene.width)
        ground_map = scene.split_map if mapped else None
        for number in numbers:
            y, x = (int(v) for v in plan.yx[number])
            part = (slice(y, y + size), slice(x, x + size))
            if whole is None:
                image, mask, amounts = _read(scene, layout, y, x, size, size)
            else:
                image, mask, amounts = (values[..., *part] for values in whole)
            if ground_map is not None:
                own = ground_map[part] == (TEST_GROUND if plan.split[number] == "test" else TRAIN_GROUND)
                mask = np.where(own, mask, np.int16(UNLABELLED))
                amounts = np.where(own, amounts, np.float32(np.nan))
            yield _Window(number, image, mask, amounts)


def _read(
    scene: Scene, layout: TileLayout, y: int, x: int, height: int, width: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Image, mask and amounts of one window; what the scene has not is unlabelled or unknown."""
    image, mask = scene.window(y, x, height, width)
    amounts = scene.amount_window(y, x, height, width)
    if mask is None:
        mask = np.full((layout.mask_shape[0], height, width), UNLABELLED, np.int16)
    if amounts is None:
        amounts = np.full((layout.amount_shape[0], height, width), np.nan, np.float32)
    return image, mask, amounts
