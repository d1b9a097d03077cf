"""Judge of copies: synthetic tiles that are nearer to a training tile than real tiles of other ground would be."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.authenticity import Neighbours, Verdict, Windows, judge_scores, neighbours
from specdm.evaluation.bootstrap import bootstrap_interval
from specdm.evaluation.case import Case
from specdm.evaluation.reading import evenly, some
from specdm.evaluation.real_parts import heldout_apart
from specdm.evaluation.record import Evaluation, NeighbourRecord
from specdm.evaluation.tile_descriptors import fine_grid, tile_descriptors
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet

SYNTHETIC_TILES, TRAINING_TILES, REFERENCE_TILES = 1024, 4096, 1024
"""Most tiles that are compared, compared with, and that say how near tiles of other ground are."""

LEAST_REFERENCE = 50
"""Real tiles that must say what is near before anything is called a copy."""

SHOWN = 12
KEYS = ("flagged", "flagged_share", "chance_share", "tiles", "beyond_chance", "distance_ratio", "copies")


def judge_copies(result: Evaluation, case: Case) -> None:
    """Add `authenticity.*` and the records of the nearest neighbours."""
    random = np.random.default_rng(case.seed)
    # imagery that nobody labelled was trained on too
    real, synthetic = case.everything, case.synthetic
    train = real.of(real.tiles.train)
    index = some(len(train.tiles), TRAINING_TILES, random=random)
    drawn = evenly(len(synthetic.tiles), SYNTHETIC_TILES)
    whole = np.flatnonzero(real.tiles.split == "train")[index]
    ground = windows_of(real.tiles, whole)
    training = tile_descriptors(train, index, features=case.reference.features, grid=fine_grid(case.real.tiles.size))
    reference, independent = _reference(case, training, whole, random=random)
    if len(reference.score) < LEAST_REFERENCE:
        why = (
            f"{len(reference.score)} real tiles can be compared with training tiles of other ground, at least "
            f"{LEAST_REFERENCE} are needed to say how near such tiles are"
        )
        for key in KEYS:
            result.add(f"authenticity.{key}", None, why_not=why)
        return
    tiles = tile_descriptors(synthetic, drawn, features=case.reference.features, grid=fine_grid(case.real.tiles.size))
    nowhere = Windows(np.full(len(drawn), -1), np.zeros((len(drawn), 2), np.int64), synthetic.tiles.size)
    found = neighbours(tiles, nowhere, training, ground)
    judged = np.flatnonzero(np.isfinite(found.score))
    if not judged.size:
        for key in KEYS:
            result.add(f"authenticity.{key}", None, why_not="no synthetic tile has data where training tiles have")
        return
    verdict = judge_scores(found.score[judged], reference.score, independent=independent)
    _add(result, found.distance[judged], verdict, reference, seed=case.seed)
    result.neighbours = _records(case, found, judged, verdict, drawn=drawn, whole=whole)
    result.settings["authenticity"] = (
        f"{len(judged)} synthetic tiles against {len(index)} training tiles in all eight orientations; "
        f"{len(reference.score)} real tiles against training tiles of other ground say what is near (about "
        f"{independent:.0f} of them without overlap); {verdict.chance:.1%} of fresh real tiles would be flagged"
    )
    for n, all_of, what in ((len(judged), synthetic, "synthetic"), (len(index), train, "training")):
        if n < len(all_of.tiles):
            result.note(f"copies were looked for in {n} of {len(all_of.tiles)} {what} tiles")


def windows_of(tiles: TileSet, index: np.ndarray) -> Windows:
    """Where tiles lie; sources are numbered over the whole set, so that any of its tiles can be compared."""
    _, source = np.unique(tiles.dataset["source"].values.astype(str), return_inverse=True)
    yx = np.stack([tiles.dataset[key].values[index] for key in ("window_y", "window_x")], axis=1).astype(np.int64)
    return Windows(np.where((yx < 0).any(axis=1), -1, source[index]), yx, tiles.size)


def _reference(
    case: Case, training: np.ndarray, whole: np.ndarray, *, random: np.random.Generator
) -> tuple[Neighbours, float]:
    """Held-out and training tiles against training tiles of other ground; how many of them do not overlap."""
    looks, real = case.everything, case.everything.tiles
    held = heldout_apart(real)
    held = held[some(len(held), REFERENCE_TILES // 2, random=random)]
    own = some(len(whole), REFERENCE_TILES - len(held), random=random)
    fresh = tile_descriptors(looks, held, features=case.reference.features, grid=fine_grid(real.size))
    positions = np.concatenate([held, whole[own]])
    found = neighbours(
        np.concatenate([fresh, training[own]]), windows_of(real, positions), training, windows_of(real, whole)
    )
    scored = np.flatnonzero(np.isfinite(found.score))
    independent = GroundSeen(real).fresh(positions[scored]).sum() / real.size**2
    return Neighbours(found.nearest[scored], found.distance[scored], found.score[scored]), float(independent)


def _add(result: Evaluation, distance: np.ndarray, verdict: Verdict, reference: Neighbours, *, seed: int) -> None:
    from scipy.stats import binomtest

    flagged, n = verdict.flagged, len(distance)
    usual = float(np.median(reference.distance))
    interval = binomtest(int(flagged.sum()), n).proportion_ci(method="wilson")
    result.add("authenticity.flagged", int(flagged.sum()))
    result.add("authenticity.flagged_share", flagged.mean(), interval=(float(interval.low), float(interval.high)))
    result.add("authenticity.chance_share", verdict.chance)
    result.add("authenticity.tiles", n)
    result.add("authenticity.beyond_chance", verdict.beyond_chance)
    ratio = None if usual <= 0 else float(np.median(distance)) / usual
    result.add(
        "authenticity.distance_ratio",
        ratio,
        interval=bootstrap_interval(lambda chosen: float(np.median(distance[chosen])) / usual, n, seed=seed)
        if ratio is not None
        else None,
        why_not="real tiles do not differ",
    )
    result.add("authenticity.copies", int(verdict.copies.sum()))


def _records(
    case: Case, found: Neighbours, judged: np.ndarray, verdict: Verdict, *, drawn: np.ndarray, whole: np.ndarray
) -> list[NeighbourRecord]:
    """The tiles of the lowest scores, which puts the flagged ones first."""
    names, real_names = (
        one.tiles.dataset["tile_name"].values.astype(str) for one in (case.synthetic, case.everything)
    )
    records = []
    for place in np.argsort(found.score[judged], kind="stable")[:SHOWN]:
        at = judged[place]
        position, nearest = int(drawn[at]), int(whole[found.nearest[at]])
        records.append(
            NeighbourRecord(
                synthetic=position,
                synthetic_name=str(names[position]),
                real=nearest,
                real_name=str(real_names[nearest]),
                distance=float(f"{found.distance[at]:.6g}"),
                score=float(f"{found.score[at]:.6g}"),
                flagged=bool(verdict.flagged[place]),
            )
        )
    return records
