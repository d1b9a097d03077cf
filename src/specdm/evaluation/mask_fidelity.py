"""Judge of the shapes of class masks, over all layers."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.case import Case
from specdm.evaluation.frequencies import shares
from specdm.evaluation.looks import Looks
from specdm.evaluation.mask_statistics import MaskShapes, adjacency_distance, mask_shapes, region_distance
from specdm.evaluation.reading import evenly, some
from specdm.evaluation.real_parts import real_parts
from specdm.evaluation.record import Evaluation
from specdm.evaluation.weighted_tiles import LineDistance, Weighted, interval_about, weighted_ratio

TILES, PIXELS = 2048, 2_097_152
"""Most tiles of a set, and pixels of their masks."""

NO_PAIR = "no two neighbouring pixels are labelled differently in training or in synthetic tiles"
NO_REGION = "no class has labelled pixels in training and in synthetic tiles"
NO_PARTS = "there are no two parts of the real ground with enough labels that share no pixel"


def judge_masks(result: Evaluation, case: Case) -> None:
    """Add how masks are shaped and how much of them is labelled."""
    train, synthetic, weights = case.train, case.synthetic, shares(case.reference.ground_counts)
    real = _read(train, some(len(train.tiles), _most(train), random=np.random.default_rng(case.seed)))
    drawn = _read(synthetic, evenly(len(synthetic.tiles), _most(synthetic)))
    n_tiles = len(drawn.labelled) // synthetic.kinds
    floor = _floor(result, case, weights)
    for key, value, statistic, why_not, least in (
        (
            "region_size",
            region_distance(real, drawn, weights),
            _resampled_regions(real, drawn, weights, n_tiles),
            NO_REGION,
            floor[0],
        ),
        (
            "adjacency",
            adjacency_distance(real.pairs.sum(axis=0), drawn.pairs.sum(axis=0)),
            _resampled_pairs(real, drawn, n_tiles),
            NO_PAIR,
            floor[1],
        ),
    ):
        interval = interval_about(
            value, statistic, n_tiles, seed=case.seed, most=np.inf if key == "region_size" else 1.0
        )
        result.add(f"synthetic.{key}_distance", value, interval=interval, why_not=why_not)
        result.add(f"real.{key}_floor", least, why_not=NO_PARTS)
    _add_boundaries(result, real, drawn, n_tiles, seed=case.seed)
    _add_labelled(result, case)
    result.settings["masks for regions and neighbours"] = f"{len(real.labelled)} real, {len(drawn.labelled)} synthetic"


def _read(looks: Looks, index: np.ndarray) -> MaskShapes:
    return mask_shapes(looks.labels(index), n_classes=looks.n_classes)


def _most(looks: Looks) -> int:
    return max(1, min(TILES, PIXELS // looks.tiles.size**2) // looks.kinds)


def _floor(result: Evaluation, case: Case, weights: np.ndarray) -> tuple[float | None, float | None]:
    """The two distances between two parts of the real ground."""
    parts = real_parts(case.real.tiles, seed=case.seed)
    if parts is None:
        return None, None
    random = np.random.default_rng(case.seed)
    one, other = (_read(case.real, part[some(len(part), _most(case.real), random=random)]) for part in parts[:2])
    result.settings["floor of the mask distances"] = parts[2]
    return (
        region_distance(other, one, weights),
        adjacency_distance(other.pairs.sum(axis=0), one.pairs.sum(axis=0)),
    )


def _add_boundaries(result: Evaluation, real: MaskShapes, drawn: MaskShapes, n_tiles: int, *, seed: int) -> None:
    labelled = float(real.labelled.sum())
    wanted = float(real.unequal.sum()) / labelled if labelled else 0.0
    value, interval = None, None
    if wanted and drawn.labelled.sum():
        value = float(drawn.unequal.sum() / drawn.labelled.sum()) / wanted
        unequal, both = (_by_tile(values, n_tiles) for values in (drawn.unequal, drawn.labelled))
        interval = interval_about(value, weighted_ratio(unequal / wanted, both), n_tiles, seed=seed)
    result.add("synthetic.boundary_share_ratio", value, interval=interval, why_not=NO_PAIR)


def _add_labelled(result: Evaluation, case: Case) -> None:
    real, drawn = (
        float(looks.label_counts().sum() / (len(looks) * looks.tiles.size**2)) for looks in (case.train, case.synthetic)
    )
    result.add("real.labelled_share", real)
    result.add(
        "synthetic.labelled_share_ratio", drawn / real if real else None, why_not="no training pixel is labelled"
    )


def _resampled_regions(real: MaskShapes, drawn: MaskShapes, weights: np.ndarray, n_tiles: int) -> Weighted:
    lines: list[tuple[float, LineDistance]] = []
    for position in np.flatnonzero(weights):
        own = drawn.region_class == position
        if own.any() and (real.region_class == position).any():
            tile = drawn.region_tile[own] % n_tiles
            line = LineDistance(real.log_sizes(int(position)), drawn.log_sizes(int(position)), tile)
            lines.append((float(weights[position]), line))

    def statistic(counts: np.ndarray) -> float:
        found = np.array([(share, line.distance(counts)) for share, line in lines]).reshape(-1, 2)
        known = np.isfinite(found[:, 1])
        return float(np.average(found[known, 1], weights=found[known, 0])) if known.any() else float("nan")

    return statistic


def _resampled_pairs(real: MaskShapes, drawn: MaskShapes, n_tiles: int) -> Weighted:
    looks = range(0, drawn.pairs.shape[0], n_tiles)
    wanted, by_tile = real.pairs.sum(axis=0), sum(drawn.pairs[start : start + n_tiles] for start in looks)
    return lambda counts: adjacency_distance(wanted, counts @ by_tile)


def _by_tile(values: np.ndarray, n_tiles: int) -> np.ndarray:
    """Sums over all looks at a tile, `(n_tiles, ...)`."""
    return values.reshape(-1, n_tiles, *values.shape[1:]).sum(axis=0)
