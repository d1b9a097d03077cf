"""How well the score finds errors on a user's own ground: planted in held-out real tiles, then looked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specdm.evaluation.reading import evenly
from specdm.evaluation.reliability.calibration_figures import Diagram, auroc, reliability_diagram
from specdm.evaluation.reliability.features import RealEvidence
from specdm.evaluation.reliability.planted_errors import kinds_for, plant_errors
from specdm.evaluation.reliability.score import reliability
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet

MOST_TILES = 16
MOST_PIXELS = 1 << 18
"""Pixels of all tiles of a trial, so that large tiles do not fill the memory."""

LOOKED_THROUGH = 256
"""Held-out tiles of which those with labels are taken."""


@dataclass(frozen=True)
class Trial:
    """What became of the planted errors.

    Attributes:
        tiles: held-out real tiles they were planted in, each in every way.
        auroc: chance that a wrong pixel scores lower than a right one, by what was planted; kinds without a wrong, or
            a right, pixel are left out.
        auroc_all: the same over all kinds together.
        diagram: the score against the share of right pixels, over all kinds and the tiles as they are.
    """

    tiles: int
    auroc: dict[str, float]
    auroc_all: float
    diagram: Diagram

    @property
    def expected_calibration_error(self) -> float:
        """0 (calibrated) to 1."""
        return self.diagram.expected_calibration_error


def planted_trial(
    real: TileSet,
    *,
    evidence: RealEvidence,
    posterior: Callable[[TileSet], Posterior | None],
    seed: int = 0,
    callback: Callable[[int, int], None] | None = None,
) -> Trial | None:
    """Plant every kind of error in some validation and test tiles, and judge them.

    Args:
        real: with a split; the other tiles were not looked at when `evidence` was fitted.
        evidence: of its training tiles.
        posterior: what a model says of tiles, or None.
        seed: of the planted errors.
        callback: called with (kinds of errors done, all).

    Returns:
        None if there are no held-out tiles with labels.
    """
    tiles = _held_out(real)
    train = real.train.select(evenly(len(real.train), LOOKED_THROUGH))
    if not len(tiles) or not len(train):
        return None
    lenders = None if len(tiles) > 1 else train
    # errors are planted in the masks alone, and a posterior sees the images alone
    said = posterior(tiles)
    untouched = reliability(tiles, real=evidence, posterior=said).pixel
    scores = [untouched[np.isfinite(untouched)]]
    wrongs = [np.zeros(len(scores[0]), bool)]
    by_kind = {}
    kinds = kinds_for(tiles)
    for number, kind in enumerate(kinds, start=1):
        planted = plant_errors(tiles, kind, seed=seed, donors=lenders, real=train)
        score = reliability(planted.tiles, real=evidence, posterior=said).pixel
        judged = planted.judged & np.isfinite(score)
        scores.append(score[judged])
        wrongs.append(planted.wrong[judged])
        if np.isfinite(value := auroc(scores[-1], wrongs[-1])):
            by_kind[kind] = value
        if callback is not None:
            callback(number, len(kinds))
    score, wrong = np.concatenate(scores), np.concatenate(wrongs)
    return Trial(len(tiles), by_kind, auroc(score, wrong), reliability_diagram(score, wrong))


def _held_out(real: TileSet) -> TileSet:
    """Some test and validation tiles with labels, evenly spread."""
    held = np.flatnonzero(np.isin(real.split, ("test", "val")))
    held = held[evenly(len(held), LOOKED_THROUGH)]
    labelled = np.zeros(len(held), bool)
    if real.layers and real.classes is not None:
        labelled |= np.array([(real.masks(at) != UNLABELLED).any() for at in held], bool)
    if real.quantities is not None:
        labelled |= np.array([np.isfinite(real.amounts(at)).any() for at in held], bool)
    held = held[labelled]
    most = int(np.clip(MOST_PIXELS // real.size**2, 1, MOST_TILES))
    return real.select(held[evenly(len(held), most)])
