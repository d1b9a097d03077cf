"""Scenes to a tile set: plan the split, read window by window, write as it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from specdm.errors import TileError
from specdm.scenes.collection import SceneCollection
from specdm.scenes.dates import shared_date_labels
from specdm.scenes.georeference import georeference_of
from specdm.scenes.imagery import file_of
from specdm.scenes.scene import Scene
from specdm.tiles.cutting import cut
from specdm.tiles.georeference import georeference_attrs
from specdm.tiles.imagery import told_apart, with_imagery, without
from specdm.tiles.layout import TileLayout, new_attrs
from specdm.tiles.memory import MemoryWriter
from specdm.tiles.options import TilingOptions
from specdm.tiles.said import said_of
from specdm.tiles.same_ground import apart_on_ground
from specdm.tiles.splits import TilePlan, plan_blocks, plan_map, plan_named, plan_none
from specdm.tiles.store import open_tiles
from specdm.tiles.tileset import TileSet
from specdm.tiles.windows import count_cover
from specdm.tiles.writer import TileStoreWriter

USUAL_TRAIN_TILES = 1000
"""The default stride is the smallest, from an eighth of a tile up, that gives at most this many windows."""


def tile_scenes(
    scenes: Scene | SceneCollection | Sequence[Scene],
    *,
    size: int = 32,
    stride: int | None = None,
    split: Literal["blocks", "map", "none"] | Mapping[str, Sequence[str]] = "blocks",
    test_share: float = 0.15,
    val_share: float = 0.05,
    pixel_policy: Literal["left_out", "spectra_seen"] | None = None,
    seed: int = 0,
    path: str | Path | None = None,
    overwrite: bool = False,
    max_nodata: float = 0.5,
    max_train_tiles: int | None = None,
    unlabelled: Scene | SceneCollection | Sequence[Scene] = (),
) -> TileSet:
    """Cut scenes into tiles for training, validation and testing.

    Scenes without a mask of any kind, beside others that have one, are imagery that nobody labelled: they become
    training tiles with nothing known in their masks (`TileSet.annotated` tells them apart), and the others are split
    as if they were not there.

    Args:
        scenes: one or several scenes; several are brought to common bands and classes.
            Of files that overlap on the map, tiles that show ground of another file's test tiles are left out.
        size: pixels along a tile.
        stride: pixels between training windows, 1 to `size`; by default an eighth of a tile, more in large
            scenes. Validation and test tiles never overlap each other.
        split: "blocks" reserves blocks of ground for test and validation; "map" honours the scenes' own
            train/test map; "none" makes all tiles training tiles; a mapping names the scenes of each split.
        test_share, val_share: parts of the area to reserve, 0 to 1; at least one tile each if above 0
            ("map": the map says what is test).
        pixel_policy: for "map" only. "spectra_seen" (default): training tiles may show test ground, without
            its labels; "left_out": windows that touch a test pixel are not used for training. All other
            splits leave test ground out.
        seed: decides between blocks that are about as good, and which tiles `max_train_tiles` keeps.
        path: Zarr store to write to, tile by tile in bounded memory; the result is then lazy.
        overwrite: replace a tile set at `path`.
        max_nodata: windows with a larger part of no-data pixels are left out, 0 to 1.
        max_train_tiles: keep a random choice of this many training tiles of labelled scenes, and of at most as many
            of imagery that nobody labelled.
        unlabelled: further such imagery, with the bands and the number of dates of the scenes; if it has a mask,
            that is not looked at. If it is not georeferenced it should not show the scenes' own ground: test ground
            would then be trained on.

    Returns:
        The tile set; `TileSet.problems` says what to know before training.

    Raises:
        TileError: an option out of range, a scene smaller than a tile, no training window, tiles too
            many for memory without a `path`, or a path that cannot be written.
        SceneError, MaskError: scenes that do not go together.
    """
    options = TilingOptions(
        size=size,
        stride=stride,
        split=split,
        test_share=test_share,
        val_share=val_share,
        pixel_policy=pixel_policy,
        max_nodata=max_nodata,
        max_train_tiles=max_train_tiles,
        seed=seed,
    )
    labelled, imagery = told_apart(scenes, unlabelled, split=split)
    together = [*labelled, *imagery]
    places = [georeference_of(scene.dataset["image"]) for scene in together]
    _check_sizes(together, size)
    usual, given_stride = max_train_tiles or USUAL_TRAIN_TILES, stride
    if stride is None:
        stride = default_stride(labelled, size=size, most=usual)
    rng = np.random.default_rng(seed)
    plan = _plan(labelled, options, without(split, imagery), stride, rng)
    apart = options.policy != "spectra_seen"
    if apart:
        plan = apart_on_ground(plan, labelled, places=places[: len(labelled)], size=size)
    planned = int((plan.split == "train").sum())
    if max_train_tiles is not None and planned > max_train_tiles:
        chosen = rng.choice(np.flatnonzero(plan.split == "train"), max_train_tiles, replace=False)
        plan = plan.take(np.sort(np.concatenate([chosen, np.flatnonzero(plan.split != "train")])))
    if imagery:
        own_stride = given_stride or default_stride(imagery, size=size, most=usual)
        plan = with_imagery(
            plan, imagery, first=len(labelled), size=size, stride=own_stride, most=max_train_tiles, rng=rng
        )
        if apart:
            plan = apart_on_ground(plan, together, places=places, size=size)
    plan = plan.take(np.argsort(plan.scene, kind="stable"))

    possible = sum(count_cover(s.height, s.width, size=size, stride=stride) for s in labelled)
    provenance = {
        "scenes": [
            {"name": s.name, "sources": list(s.sources), "height": s.height, "width": s.width}
            | ({} if i < len(labelled) else {"labelled": False})
            | ({"facts": list(s.facts)} if s.facts else {})
            for i, s in enumerate(together)
        ],
        "tiling": {**options.recorded(), "stride": stride} | ({"imagery_stride": own_stride} if imagery else {}),
        "blocks": {
            part: [[together[i].name, b.y, b.x, b.height, b.width] for i, b in blocks]
            for part, blocks in plan.blocks.items()
        },
        "training_windows": {"possible": possible, "used": planned},
    }
    attrs = new_attrs(
        pixel_policy=options.policy,
        attrs={"provenance": provenance, "problems": plan.notes, **said_of(together)}
        | georeference_attrs({scene.name: place for scene, place in zip(together, places, strict=True)})
        | ({"unlabelled_sources": [scene.name for scene in imagery]} if imagery else {}),
    )
    first, dates = together[0], shared_date_labels([scene.dates for scene in together])
    layout = TileLayout(
        size=size,
        n_bands=first.n_bands,
        classes=first.classes,
        wavelength=first.wavelength,
        fwhm=first.fwhm,
        band_name=first.band_name,
        dates=dates,
        layers=_layers(together, dates),
        quantities=next((s.quantities for s in together if s.quantities), None),
        date_sensor=first.date_sensor,
        band_sensor=first.band_sensor,
        image_units=next((s.units for s in together if s.units), None),
        attrs=attrs,
    )
    mapped = split == "map"
    if path is not None:
        with TileStoreWriter(path, layout, len(plan.scene), overwrite=overwrite) as writer:
            cut(writer, together, plan, max_nodata=max_nodata, mapped=mapped)
        return open_tiles(path)
    memory = MemoryWriter(layout, len(plan.scene))
    cut(memory, together, plan, max_nodata=max_nodata, mapped=mapped)
    return memory.tile_set()


def default_stride(scenes: Sequence[Scene], *, size: int, most: int) -> int:
    """The smallest stride from an eighth of a tile up that gives at most `most` windows, else a tile."""
    for stride in range(max(1, size // 8), size):
        if sum(count_cover(s.height, s.width, size=size, stride=stride) for s in scenes) <= most:
            return stride
    return size


def _check_sizes(scenes: Sequence[Scene], size: int) -> None:
    for scene in scenes:
        if min(scene.height, scene.width) < size:
            raise TileError(
                f"{file_of(scene)} has {scene.height} x {scene.width} px, less than a tile of {size} x {size}; "
                f"use tiles of at most {min(scene.height, scene.width)} px or leave the scene out"
            )


def _plan(
    scenes: Sequence[Scene],
    options: TilingOptions,
    split: str | Mapping[str, Sequence[str]],
    stride: int,
    rng: np.random.Generator,
) -> TilePlan:
    size = options.size
    if isinstance(split, Mapping):
        return plan_named(scenes, size=size, stride=stride, split=split)
    if split == "map":
        seen = options.policy == "spectra_seen"
        return plan_map(
            scenes, size=size, stride=stride, val_share=options.val_share, spectra_seen=seen, rng=rng
        )
    if split == "none":
        return plan_none(scenes, size=size, stride=stride)
    shares = {"test_share": options.test_share, "val_share": options.val_share}
    return plan_blocks(scenes, size=size, stride=stride, rng=rng, **shares)


def _layers(scenes: Sequence[Scene], dates: Sequence[int | str]) -> list[str]:
    """Names of the mask's layers; none if there are only amounts, one if there is nothing at all."""
    first = next((scene for scene in scenes if scene.layers), scenes[0])
    if first.layers == tuple(str(date) for date in first.dates):
        # a mask a date: it goes by the date's name, which need not be that of the first scene
        return [str(date) for date in dates]
    if first.layers:
        return list(first.layers)
    return [] if any(scene.quantities for scene in scenes) else ["class"]
