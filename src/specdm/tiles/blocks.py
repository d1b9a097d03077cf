"""Which ground to reserve for testing and validation: blocks chosen one after the other, the cheapest first.

A block is cheap if it takes few windows from training for its area, and better if it brings classes that the
reserved ground does not have yet. No block may take more than half of a class's labelled pixels out of
training, if there is any block that does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from specdm.tiles.ground import Candidates, Ground
from specdm.tiles.windows import Block

CLASS_WEIGHTS = (4.0, 6.0, 8.0)
"""Bringing all classes at once is worth this many times the windows that an average tile of ground costs.
Attempts take turns with them; a higher one finds blocks of more classes farther from the borders."""
UNLABELLED_COST = 100.0
"""A block without any label judges nothing: taken only if there is no other."""
DEFICIT_COST = 1000.0
JITTERS = (0.05, 2.0)
"""Spread of the seeded draw between blocks that are about as good: in the first attempt, in all others."""
ATTEMPTS = 24
ATTEMPT_CELLS = 500_000
"""Cells that all attempts together may plan on: many attempts for small scenes, one for large ones."""
WINDOWS_WANTED = 0.6
"""Part of all windows to leave for training before more classes in the reserved ground count."""
SPLIT_WORTH = {"test": 1.0, "val": 0.4}
EXACT_TRIES = 32
MOST_STEPS = 64


@dataclass(frozen=True)
class Reserved:
    """What was reserved.

    Attributes:
        blocks: split -> `(number of the scene, block)`.
        covered: labelled pixels of each class that training windows still reach, `(classes,)`.
        short: which classes keep less than half of what they had, bool `(classes,)`.
    """

    blocks: dict[str, list[tuple[int, Block]]]
    covered: np.ndarray
    short: np.ndarray


def reserve(
    grounds: Sequence[Ground],
    shares: Mapping[str, tuple[float, int]],
    *,
    rng: np.random.Generator,
    clean: bool = False,
) -> Reserved:
    """Reserve ground for each split: the best of several attempts, or a single one where planning is costly.

    Better is, in this order of weight: no class that loses more than half of its training labels; at least
    `WINDOWS_WANTED` of the training windows left; more classes in the reserved ground, more windows left.

    Args:
        grounds: the scenes.
        shares: split -> part of the whole area (0 to 1) and number of blocks, as in `choose_blocks`.
        rng: decides between choices that are about as good.
        clean: take only blocks without a forbidden cell.
    """
    before = np.sum([ground.covered() for ground in grounds], axis=0)
    labels = np.sum([ground.labels.sum(axis=(0, 1)) for ground in grounds], axis=0)
    keep = before / 2
    windows = sum(ground.windows_left for ground in grounds)
    cells = sum(ground.rows * ground.columns for ground in grounds)
    best: tuple[float, Reserved] | None = None
    for attempt in range(int(np.clip(ATTEMPT_CELLS // cells, 1, ATTEMPTS))):
        tried = [replace(ground, blocks=[]) for ground in grounds]
        blocks: dict[str, list[tuple[int, Block]]] = {}
        worth = 0.0
        for split, (share, n_blocks) in shares.items():
            blocks[split] = choose_blocks(
                tried,
                share=share,
                n_blocks=n_blocks,
                keep=keep,
                class_weight=CLASS_WEIGHTS[attempt % len(CLASS_WEIGHTS)],
                jitter=JITTERS[min(attempt, 1)],
                rng=rng,
                clean=clean,
            )
            within = np.sum([tried[i].labels_of(block) for i, block in blocks[split]], axis=0)
            if share > 0 and blocks[split] and (labels > 0).any():
                got = float(np.minimum(1, within / np.maximum(1, share * labels))[labels > 0].mean())
                # a block with no more than a few stray labels is no use
                worth += SPLIT_WORTH[split] * (got - (0.0 if got > 0.1 else 1.0))
            elif share > 0 and not blocks[split]:
                worth -= 2 * SPLIT_WORTH[split]
        covered = np.sum([ground.covered() for ground in tried], axis=0)
        left = sum(ground.windows_left for ground in tried) / max(windows, 1e-9)
        worth += left - 10 * max(0.0, WINDOWS_WANTED - left) - 100 * float(_deficit(covered, keep))
        if best is None or worth > best[0]:
            best = worth, Reserved(blocks, covered, covered < keep)
    if best is None:
        raise ValueError("no attempt was made")
    return best[1]


def choose_blocks(
    grounds: Sequence[Ground],
    *,
    share: float,
    n_blocks: int,
    keep: np.ndarray,
    class_weight: float,
    jitter: float,
    rng: np.random.Generator,
    clean: bool = False,
) -> list[tuple[int, Block]]:
    """Reserve blocks in the grounds (which remember them) until they hold about `share` of the area.

    Args:
        grounds: the scenes.
        share: part of the whole area, 0 to 1; at least one block is taken if `share` > 0.
        n_blocks: about how many blocks to take in a single large scene; small scenes get as many as their
            tile-sized blocks need.
        keep: labelled pixels of each class that training should still reach, `(classes,)`.
        class_weight: worth of bringing all classes, see `CLASS_WEIGHTS`.
        jitter: spread of the draw that decides between blocks that are about as good.
        rng: makes that draw.
        clean: take only blocks without a forbidden cell.

    Returns:
        `(number of the scene, block)`; empty if any block would leave no training window.
    """
    size = grounds[0].size
    total_area = sum(ground.height * ground.width for ground in grounds)
    wanted = share * total_area
    tiles = max(1, round(np.sqrt(wanted / n_blocks) / size))
    quota = np.maximum(1.0, share * np.sum([ground.labels.sum(axis=(0, 1)) for ground in grounds], axis=0))
    candidates = [ground.candidates(tiles) for ground in grounds]
    covered = np.stack([ground.covered() for ground in grounds])
    have = np.zeros_like(quota)
    taken: list[tuple[int, Block]] = []
    area = 0
    at_once = 1
    while share > 0:
        table = _Table(candidates, grounds)
        if not len(table.scene):
            break
        if not taken:
            at_once = max(1, int(np.ceil(wanted / np.median(table.area) / MOST_STEPS)))
        usable = (table.windows_left - table.lost >= 0.5) & (table.clean | (not clean))
        usable &= (area == 0) | (area + table.area / 2 <= wanted)
        if not usable.any():
            break
        score = _score(
            table,
            total_area=total_area,
            quota=quota,
            have=have,
            covered=covered,
            keep=keep,
            class_weight=class_weight,
        )
        score = np.where(usable, score + rng.random(len(score)) * jitter, np.inf)
        order = np.argsort(score, kind="stable")[: int(usable.sum())]
        if at_once == 1:
            order = order[_most_sparing(order, table, candidates, grounds, covered, keep)][None]
        left = table.windows_left
        chosen: set[int] = set()
        for pick in order:
            scene, place = int(table.scene[pick]), int(table.place[pick])
            # several at once come from different scenes, whose costs do not depend on each other
            if scene in chosen or left - table.lost[pick] < 0.5 or (taken and area >= wanted):
                continue
            block = candidates[scene]
            taken.append(
                (
                    scene,
                    grounds[scene].reserve(int(block.y[place]), int(block.x[place]), block.high, block.wide),
                )
            )
            area += int(table.area[pick])
            left -= table.lost[pick]
            have = have + table.labels[pick]
            chosen.add(scene)
            if len(chosen) == at_once:
                break
        if not chosen:
            break
        for scene in chosen:
            candidates[scene] = grounds[scene].candidates(tiles)
            covered[scene] = grounds[scene].covered()
    return taken


class _Table:
    """The candidates of all scenes side by side."""

    def __init__(self, candidates: Sequence[Candidates], grounds: Sequence[Ground]) -> None:
        counts = [len(c.y) for c in candidates]
        self.scene = np.repeat(np.arange(len(candidates)), counts)
        self.place = np.concatenate([np.arange(n) for n in counts])
        self.lost = np.concatenate([c.lost for c in candidates])
        self.labels = np.concatenate([c.labels for c in candidates])
        self.clean = np.concatenate([c.clean for c in candidates])
        areas = [c.high * c.wide * g.cell**2 for c, g in zip(candidates, grounds, strict=True)]
        self.area = np.repeat(np.asarray(areas, np.float64), counts)
        self.windows_left = float(sum(g.windows_left for g in grounds))
        self.windows = float(sum(g.legal.size * g.weight for g in grounds))


def _score(
    table: _Table,
    *,
    total_area: int,
    quota: np.ndarray,
    have: np.ndarray,
    covered: np.ndarray,
    keep: np.ndarray,
    class_weight: float,
) -> np.ndarray:
    """Cost of each candidate; lower is better."""
    cost = (table.lost / table.windows) / (table.area / total_area)
    present = covered.sum(axis=0) > 0
    if not present.any():
        return cost
    gain = np.minimum(1, (have + table.labels) / quota) - np.minimum(1, have / quota)
    cost = cost - class_weight * gain[:, present].mean(axis=1)
    cost = cost + UNLABELLED_COST * (table.labels.sum(axis=1) == 0)
    return cost + DEFICIT_COST * _deficit(covered.sum(axis=0) - table.labels, keep)


def _deficit(left: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """How far classes fall short of what training should keep, summed, each as a part of it."""
    return (np.maximum(0, keep - left) / np.maximum(1, keep)).sum(axis=-1)


def _most_sparing(
    order: np.ndarray,
    table: _Table,
    candidates: Sequence[Candidates],
    grounds: Sequence[Ground],
    covered: np.ndarray,
    keep: np.ndarray,
) -> int:
    """Position in `order` of the best block that leaves every class enough, or of the least harmful one.

    What training loses is more than the block: ground between block and border that no window fits into.
    """
    if not len(keep):
        return 0
    harms = []
    for position, pick in enumerate(order[:EXACT_TRIES]):
        scene, place = int(table.scene[pick]), int(table.place[pick])
        block = candidates[scene]
        reserved = grounds[scene].reserved.copy()
        y, x = block.y[place], block.x[place]
        reserved[y : y + block.high, x : x + block.wide] = True
        left = covered.sum(axis=0) - covered[scene] + grounds[scene].covered(reserved)
        harms.append(float(_deficit(left, keep)))
        if harms[-1] == 0:
            return position
    return int(np.argmin(harms))
