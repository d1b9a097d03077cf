"""Judge of whole tiles: do synthetic ones lie where real ones lie, and do they leave none of these out?"""

from __future__ import annotations

import numpy as np

from specdm.evaluation.case import Case
from specdm.evaluation.looks import Looks
from specdm.evaluation.manifold import NEIGHBOURS, memberships, prdc
from specdm.evaluation.reading import evenly, some
from specdm.evaluation.real_parts import real_parts, same_ground
from specdm.evaluation.record import Evaluation
from specdm.evaluation.tile_descriptors import COARSE, filled, tile_descriptors
from specdm.evaluation.weighted_tiles import Weighted, interval_about

TILES = 512
"""Most tiles of a set."""

FLOOR = "real.coverage_spectral_floor"


def judge_manifold(result: Evaluation, case: Case) -> None:
    """Add precision, recall, density and coverage of tiles, and how much real ground covers other real ground."""
    random = np.random.default_rng(case.seed)
    n = min(TILES, len(case.train.tiles), len(case.synthetic.tiles))
    # these figures hang on the number of tiles: as many as the floor has
    if (parts := real_parts(case.real.tiles, seed=case.seed)) is not None:
        n = min(n, len(parts[0]))
    real, same = _points(case, case.train, some(len(case.train.tiles), n, random=random))
    drawn, _ = _points(case, case.synthetic, evenly(len(case.synthetic.tiles), n))
    found = prdc(real, drawn, same_ground=same)
    for key in ("precision", "recall", "density", "coverage"):
        value = getattr(found, key)
        interval = None
        most = np.inf if key == "density" else 1.0
        if np.isfinite(value):
            interval = interval_about(value, _resampled(real, drawn, same, key), len(drawn), seed=case.seed, most=most)
        why_not = f"fewer than {NEIGHBOURS + 1} tiles that share no ground"
        result.add(f"synthetic.{key}_spectral", value, interval=interval, why_not=why_not)
    result.settings["tiles for precision, recall, density and coverage"] = (
        f"{len(real)} real and {len(drawn)} synthetic, each as means of components over {COARSE} x {COARSE} blocks"
    )
    _add_floor(result, case, most=n)


def _points(case: Case, looks: Looks, index: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors `(n, d)` of the tiles that have data, and which of them show the same ground, `(n, n)`."""
    points = filled(tile_descriptors(looks, index, features=case.reference.features, grid=COARSE))
    known = np.isfinite(points).all(axis=1)
    return points[known], same_ground(looks.tiles, index)[np.ix_(known, known)]


def _resampled(real: np.ndarray, drawn: np.ndarray, same: np.ndarray, key: str) -> Weighted:
    """One of the four with tiles that count so many times; the balls stay as they are."""
    in_real, in_drawn = memberships(real, drawn, same_ground=same)
    inside = in_drawn if key == "recall" else in_real
    balls = inside.sum(axis=1)
    density = inside @ (1 - (same.sum(axis=1) - 1) / len(real)) / NEIGHBOURS if key == "density" else balls

    def statistic(weights: np.ndarray) -> float:
        if key in ("recall", "coverage"):
            return float(inside[weights > 0].any(axis=0).mean())
        values = balls > 0 if key == "precision" else density
        return float(weights @ values / weights.sum())

    return statistic


def _add_floor(result: Evaluation, case: Case, *, most: int) -> None:
    parts = real_parts(case.real.tiles, seed=case.seed)
    value = None
    if parts is not None:
        random = np.random.default_rng(case.seed)
        (one, _), (other, same) = (
            _points(case, case.real, part[some(len(part), most, random=random)]) for part in parts[:2]
        )
        value = prdc(other, one, same_ground=same).coverage
        result.settings["floor of the coverage"] = f"{parts[2]}, {len(one)} tiles each"
    result.add(FLOOR, value, why_not="there are no two parts of the real ground with enough tiles")
