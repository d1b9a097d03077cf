"""Which windows of which scenes become training, validation and test tiles.

No pixel of a validation or test tile lies in a training tile, whatever the stride, because windows that touch
reserved ground are never cut. The one exception is asked for by name: a given train/test map with
`pixel_policy="spectra_seen"`, where training tiles may show test ground without its labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from specdm.errors import TileError
from specdm.scenes.scene import Scene
from specdm.tiles.blocks import Reserved, reserve
from specdm.tiles.scene_ground import TEST_GROUND, map_of, planning_classes, scene_ground
from specdm.tiles.windows import Block, cover, inside, pave, touching

SPLITS = ("train", "val", "test")
TEST_BLOCKS = 8
VAL_BLOCKS = 4


@dataclass
class TilePlan:
    """The windows to cut.

    Attributes:
        scene: number of the scene of each window, int64 `(n,)`.
        yx: first row and column, int64 `(n, 2)`.
        split: "train", "val" or "test", str `(n,)`.
        blocks: reserved ground: split -> `(number of the scene, block)`.
        notes: what the user should know, one line each.
    """

    scene: np.ndarray
    yx: np.ndarray
    split: np.ndarray
    blocks: dict[str, list[tuple[int, Block]]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take(self, keep: np.ndarray) -> TilePlan:
        """The plan with some of its windows only; `keep` is boolean or an index."""
        return TilePlan(self.scene[keep], self.yx[keep], self.split[keep], self.blocks, self.notes)


def plan_none(scenes: Sequence[Scene], *, size: int, stride: int) -> TilePlan:
    """All windows of all scenes for training."""
    return _collect([(i, "train", _cover(scene, size, stride)) for i, scene in enumerate(scenes)])


def plan_named(
    scenes: Sequence[Scene], *, size: int, stride: int, split: Mapping[str, Sequence[str]]
) -> TilePlan:
    """Whole scenes by name: `{"train": [names], "val": [names], "test": [names]}`.

    Raises:
        TileError: a name that no scene has, a scene in no split or in two, a split that does not exist.
    """
    unknown_splits = sorted(set(split) - set(SPLITS))
    if unknown_splits:
        raise TileError(f"split has the key {unknown_splits[0]!r}; expected some of {', '.join(SPLITS)}")
    place: dict[str, str] = {}
    for part, names in split.items():
        for name in [names] if isinstance(names, str) else names:
            if place.setdefault(name, part) != part:
                raise TileError(f"scene {name!r} is in {place[name]!r} and in {part!r}; name it once")
    have = [scene.name for scene in scenes]
    if strange := sorted(set(place) - set(have)):
        raise TileError(f"split names the scene {strange[0]!r}; the scenes are {_few(have)}")
    if missing := sorted(set(have) - set(place)):
        raise TileError(f"split leaves out {_few(missing)}; put every scene into one of {', '.join(SPLITS)}")
    if len(set(have)) < len(have):
        raise TileError("two scenes have the same name, which a split by name cannot tell apart; rename one")
    parts = []
    for i, scene in enumerate(scenes):
        part = place[scene.name]
        whole = Block(0, 0, scene.height, scene.width)
        parts.append((i, part, _cover(scene, size, stride) if part == "train" else pave(whole, size=size)))
    return _collect(parts)


def plan_blocks(
    scenes: Sequence[Scene],
    *,
    size: int,
    stride: int,
    test_share: float,
    val_share: float,
    rng: np.random.Generator,
) -> TilePlan:
    """Blocks of ground reserved for test and validation, paved with tiles; all other windows for training."""
    grounds = [scene_ground(scene, size=size, stride=stride, n_scenes=len(scenes)) for scene in scenes]
    shares = {"test": (test_share, TEST_BLOCKS), "val": (val_share, VAL_BLOCKS)}
    reserved = reserve(grounds, shares, rng=rng)
    return _around(scenes, reserved, _reserve_notes(scenes, reserved, shares), size=size, stride=stride)


def plan_map(
    scenes: Sequence[Scene],
    *,
    size: int,
    stride: int,
    val_share: float,
    spectra_seen: bool,
    rng: np.random.Generator,
) -> TilePlan:
    """The scenes' own train/test map; validation is one reserved block of ground per about `val_share` area.

    Test tiles pave the scenes and carry test labels only, so they may lie on ground that validation or
    training tiles show too; with `spectra_seen=False` no training or validation tile has a test pixel.

    Raises:
        TileError: a scene has no map, or no training window is left.
    """
    windows = {"size": size, "stride": stride}
    grounds = [
        scene_ground(scene, n_scenes=len(scenes), shut_test=not spectra_seen, mapped=True, **windows)
        for scene in scenes
    ]
    total_area = sum(scene.height * scene.width for scene in scenes)
    # one block if it spares all classes, else several small ones, else a single tile
    for share, n_blocks in (
        (val_share, 1),
        (val_share, VAL_BLOCKS),
        (min(val_share, size**2 / total_area), 1),
    ):
        shares = {"val": (share, n_blocks)}
        reserved = reserve(grounds, shares, rng=rng, clean=not spectra_seen)
        if not reserved.short.any():
            break
    plan = _around(scenes, reserved, _reserve_notes(scenes, reserved, shares), size=size, stride=stride)
    if not spectra_seen:
        good = np.ones(len(plan.scene), bool)
        for i, scene in enumerate(scenes):
            here = np.flatnonzero(plan.scene == i)
            good[here] = inside(plan.yx[here], map_of(scene) != TEST_GROUND, size=size)
        plan = plan.take(good)
        if not (plan.split == "train").any():
            raise TileError(
                f"every window of {size} px touches test ground of the train/test map, so none is left for "
                "training; use smaller tiles, or pixel_policy='spectra_seen', which hides test labels only"
            )
    maps = [map_of(scene) == TEST_GROUND for scene in scenes]
    tests = _collect([(i, "test", _pave_labels(wanted, size)) for i, wanted in enumerate(maps)])
    held = sum(
        int(maps[i][y : y + size, x : x + size].sum())
        for i, (y, x) in zip(tests.scene, tests.yx, strict=True)
    )
    there = sum(int(wanted.sum()) for wanted in maps)
    if held < there:
        plan.notes.append(
            f"test tiles hold {held} of {there} test pixels; the others lie in strips narrower than a tile"
        )
    return TilePlan(
        np.concatenate([plan.scene, tests.scene]),
        np.concatenate([plan.yx, tests.yx]),
        np.concatenate([plan.split, tests.split]),
        plan.blocks,
        plan.notes,
    )


def _reserve_notes(
    scenes: Sequence[Scene], reserved: Reserved, shares: Mapping[str, tuple[float, int]]
) -> list[str]:
    notes = [
        f"no {split} tiles: reserving ground for one would leave no training tile"
        for split, (share, _) in shares.items()
        if share > 0 and not reserved.blocks[split]
    ]
    if reserved.short.any():
        names = planning_classes(scenes[0])
        short = [name for name, too_few in zip(names, reserved.short, strict=True) if too_few]
        notes.append(f"less than half of the labelled pixels is left for training of: {_few(short)}")
    return notes


def _around(
    scenes: Sequence[Scene],
    reserved: Reserved,
    notes: list[str],
    *,
    size: int,
    stride: int,
) -> TilePlan:
    """Training windows that touch no block, and the blocks' own tiles."""
    shut: list[list[Block]] = [[] for _ in scenes]
    for chosen in reserved.blocks.values():
        for i, block in chosen:
            shut[i].append(block)
    parts = []
    for i, scene in enumerate(scenes):
        windows = _cover(scene, size, stride)
        parts.append((i, "train", windows[~touching(windows, shut[i], size=size)]))
    for split, chosen in reserved.blocks.items():
        parts += [(i, split, pave(block, size=size)) for i, block in chosen]
    plan = _collect(parts)
    plan.blocks, plan.notes = reserved.blocks, notes
    return plan


def _collect(parts: Sequence[tuple[int, str, np.ndarray]]) -> TilePlan:
    counts = [len(windows) for _, _, windows in parts]
    return TilePlan(
        scene=np.repeat(np.array([i for i, _, _ in parts], np.int64), counts),
        yx=np.concatenate([windows for _, _, windows in parts]).astype(np.int64).reshape(-1, 2),
        split=np.repeat(np.array([split for _, split, _ in parts], dtype="U9"), counts),
    )


def _cover(scene: Scene, size: int, stride: int) -> np.ndarray:
    return cover(scene.height, scene.width, size=size, stride=stride)


def _pave_labels(wanted: np.ndarray, size: int) -> np.ndarray:
    """Side-by-side windows, shifted so that they hold as many wanted pixels as can be; none empty."""
    height, width = wanted.shape
    spare = [sorted({0, (side % size) // 2, side % size}) for side in (height, width)]
    best = np.zeros((0, 2), np.int64)
    most = -1
    for offset in ((dy, dx) for dy in spare[0] for dx in spare[1]):
        windows = pave(Block(0, 0, height, width), size=size, offset=offset)
        counts = np.array([wanted[y : y + size, x : x + size].sum() for y, x in windows])
        if counts.sum() > most:
            best, most = windows[counts > 0], int(counts.sum())
    return best


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
