"""What to do with unreliable annotations: mark pixels unlabelled, or leave whole tiles out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import ConfigError, TileError
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet


@dataclass(frozen=True)
class Dropped:
    """What a filter left out.

    Attributes:
        tiles: before.
        kept: after.
        below: threshold of the tile score.
        mean_score_before, mean_score_after: of the tiles, 0..1; NaN without any.
    """

    tiles: int
    kept: int
    below: float
    mean_score_before: float
    mean_score_after: float

    @property
    def dropped(self) -> int:
        return self.tiles - self.kept

    def words(self) -> str:
        """In one line."""
        return f"{self.dropped} of {self.tiles} tiles have a score below {self.below:g} and were left out"


def mark_unreliable(
    tiles: TileSet, scores: np.ndarray, *, below: float | None = None, share: float | None = None
) -> TileSet:
    """Make pixels with low scores unlabelled: -1 in masks, NaN in amounts.

    Args:
        tiles: with masks or amounts.
        scores: `Reliability.pixel` of these tiles, `(tile, layer, y, x)`, NaN where there is none. Amounts are one
            more layer, after those of the masks.
        below: pixels with a score below it are marked, 0 to 1.
        share: instead, the part of the labelled pixels that is marked, those with the lowest scores, 0 to 1; of equal
            scores the first.

    Raises:
        ConfigError: not one of `below` and `share`, or out of range.
        TileError: scores of another shape.
    """
    if (below is None) == (share is None):
        raise ConfigError("give either below= (a score) or share= (of the labelled pixels)")
    for name, value in (("below", below), ("share", share)):
        if value is not None and not 0 <= value <= 1:
            raise ConfigError(f"{name} is {value}; expected 0 to 1")
    n_layers, n_quantities = _layers_of(tiles)
    expected = (len(tiles), n_layers + bool(n_quantities), tiles.size, tiles.size)
    if scores.shape != expected:
        raise TileError(
            f"scores of shape {scores.shape} for {tiles.where}, which wants {expected} (tile, layer, y, x); "
            "compute the reliability of these tiles"
        )
    if below is not None:
        marked = scores < below
    else:
        assert share is not None
        known = np.flatnonzero(np.isfinite(scores))
        order = np.argsort(scores.ravel()[known], kind="stable")
        marked = np.zeros(scores.shape, bool)
        marked.ravel()[known[order[: round(share * len(known))]]] = True
    return without_labels(tiles, marked)


def without_labels(tiles: TileSet, marked: np.ndarray) -> TileSet:
    """Make pixels unlabelled: -1 in masks, NaN in amounts.

    Args:
        tiles: with masks or amounts.
        marked: bool `(tile, layer, y, x)`, as the scores of `mark_unreliable`.
    """
    n_layers, n_quantities = _layers_of(tiles)
    changed = {}
    if n_layers:
        changed["mask"] = np.where(marked[:, :n_layers], UNLABELLED, tiles.masks())
    if n_quantities:
        changed["amount"] = np.where(marked[:, n_layers:], np.float32(np.nan), tiles.amounts())
    return with_values(tiles, changed)


def keep_reliable(tiles: TileSet, scores: np.ndarray, *, below: float) -> tuple[TileSet, Dropped]:
    """Leave tiles with low scores out.

    Args:
        tiles: any.
        scores: `Reliability.tile` of these tiles, `(tile,)`; a tile without a score is kept, as nothing is against it.
        below: tiles with a score below it are left out, 0 to 1.

    Raises:
        ConfigError: `below` is out of range.
        TileError: another number of scores.
    """
    if not 0 <= below <= 1:
        raise ConfigError(f"below is {below}; expected 0 to 1")
    if scores.shape != (len(tiles),):
        raise TileError(
            f"tile scores of shape {scores.shape} for {len(tiles)} tiles; give Reliability.tile of these tiles"
        )
    kept = ~(scores < below)

    def mean(values: np.ndarray) -> float:
        return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")

    report = Dropped(len(tiles), int(kept.sum()), below, mean(scores), mean(scores[kept]))
    return tiles.select(np.flatnonzero(kept)), report


def _layers_of(tiles: TileSet) -> tuple[int, int]:
    """Mask layers that have classes, and quantities."""
    n_layers = len(tiles.layers) if tiles.classes is not None else 0
    return n_layers, len(tiles.quantities) if tiles.quantities is not None else 0
