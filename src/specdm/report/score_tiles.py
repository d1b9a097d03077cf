"""Judging the annotations of a tile set on disk, part by part in bounded memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import ModelError, TileError
from specdm.evaluation.reliability import EVIDENCES, RealEvidence, Reliability, reliability
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.alike import check_alike
from specdm.tiles.score_writer import ScoreWriter
from specdm.tiles.store import open_tiles
from specdm.tiles.writer import batch_tiles

if TYPE_CHECKING:
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.posterior import Posterior
    from specdm.tiles.tileset import TileSet

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Judge:
    """What labels are judged by.

    Attributes:
        evidence: of real tiles.
        reader: a model that reads masks off images; None to judge without.
    """

    evidence: RealEvidence
    reader: SpecDMPipeline | None

    def posterior(self, tiles: TileSet) -> Posterior | None:
        return None if self.reader is None else self.reader.posterior(tiles)

    def scores(self, tiles: TileSet) -> Reliability:
        return reliability(tiles, real=self.evidence, posterior=self.posterior(tiles))


def check_judgeable(tiles: TileSet, real: TileSet, pipeline: SpecDMPipeline | None) -> None:
    """Make sure that tiles can be judged by real ones, and by a model if there is one.

    Raises:
        TileError: tiles without labels, or with other bands, dates, layers or classes than the real ones.
        ModelError: the model is of other bands or classes.
    """
    if not (tiles.layers and tiles.classes is not None) and tiles.quantities is None:
        raise TileError(f"{tiles.where} has neither classes nor amounts, so there is nothing to judge")
    check_alike(tiles, real, advice="give the real tiles that these were made from")
    if pipeline is not None and (found := pipeline.facts.difference(tiles)) is not None:
        raise ModelError(f"{tiles.where}: {found}; give the model that these tiles were made with, or none")
    batch = batch_tiles(tiles.layout)
    starts = range(0, len(tiles), batch)
    if not any(_has_label(tiles, slice(start, start + batch)) for start in starts):
        raise TileError(f"{tiles.where} has no labelled pixel, so there is nothing to judge")


def score_store(path: Path, judge: Judge, *, callback: Progress | None = None) -> tuple[TileSet, list[str]]:
    """Judge all tiles of a store and put the scores into it.

    Args:
        path: the store.
        judge: that `check_judgeable` has found to be fit.
        callback: called with (tiles done, all).

    Returns:
        The tile set with scores, and the names of the evidences.

    Raises:
        TileError: no label has a score, or the store cannot be written.
    """
    tiles = open_tiles(path)
    batch = batch_tiles(tiles.layout)
    names: set[str] = set()
    any_score = False
    with ScoreWriter(path, tiles.layout, len(tiles)) as writer:
        for start in range(0, len(tiles), batch):
            part = tiles.select(slice(start, start + batch))
            found = judge.scores(part)
            writer.write(start, found.pixel, found.tile)
            any_score |= bool(np.isfinite(found.tile).any())
            names |= {name for rule in found.rules for name in rule.evidences}
            if callback is not None:
                callback(start + len(part), len(tiles))
        if not any_score:
            raise TileError(
                f"{path} has no labelled pixel of a class that the real tiles show, so there is nothing to judge"
            )
    return open_tiles(path), [name for name in EVIDENCES if name in names]


def _has_label(tiles: TileSet, part: slice) -> bool:
    return bool((tiles.masks(part) != UNLABELLED).any() or np.isfinite(tiles.amounts(part)).any())


def mean_score(tiles: TileSet) -> float:
    """Mean score of the pixels that have one; NaN if none has."""
    total, count = 0.0, 0
    batch = batch_tiles(tiles.layout)
    for start in range(0, len(tiles), batch):
        scores = tiles.reliability(slice(start, start + batch))
        known = scores[np.isfinite(scores)]
        total, count = total + float(known.sum(dtype=np.float64)), count + len(known)
    return total / count if count else float("nan")
