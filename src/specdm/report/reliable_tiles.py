"""A filtered copy of a judged tile set, written part by part in bounded memory; the set itself stays as it is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.reliability.filtering import without_labels
from specdm.evaluation.reliability.lowest_share import lowest_share
from specdm.evaluation.reliability.score import tile_scores
from specdm.report.reliability_filter import ReliabilityFilter
from specdm.report.reliability_record import Filtered
from specdm.report.score_tiles import mean_score
from specdm.tiles.layout import TILE_SCORES, TileLayout
from specdm.tiles.leftovers import partial_folder
from specdm.tiles.scores import with_scores
from specdm.tiles.store import TileStoreWriter, open_tiles
from specdm.tiles.tile_coords import coords_of
from specdm.tiles.writer import batch_tiles

if TYPE_CHECKING:
    from specdm.report.further_tiles import FurtherTiles
    from specdm.tiles.tileset import TileSet

Progress = Callable[[int, int], None]
MOST_DRAWN = 20
"""Tiles drawn at most for each one asked for: a threshold that nothing reaches must not draw for ever."""

DRAWN_AT_A_TIME = 32


@dataclass
class Tally:
    """Tiles dropped and drawn so far; those of the latter that were kept."""

    dropped: int = 0
    drawn: int = 0
    regenerated: int = 0


def write_reliable(
    scored: TileSet,
    output: Path,
    *,
    keep: ReliabilityFilter,
    further: FurtherTiles | None = None,
    overwrite: bool = False,
    callback: Progress | None = None,
) -> Filtered:
    """Write the tiles of a judged set that are reliable, and more in the place of those that are not.

    Args:
        scored: with scores.
        output: another tile set, written whole or not at all.
        keep: what is asked.
        further: where more tiles come from; goes with `keep.n`.
        overwrite: replace a tile set of that name, at the very end.
        callback: called with (tiles written, tiles there will be).

    Returns:
        What was done.

    Raises:
        TileError: no tile or no pixel is left, or the output cannot be written.
    """
    if keep.unlabel_share is None or keep.n is None:
        return _write(scored, output, keep=keep, asked=keep, further=further, overwrite=overwrite, callback=callback)
    # which pixels are the lowest of the set is known when all its tiles are there: written first, then marked
    between = partial_folder(output)
    try:
        all_labelled = replace(keep, unlabel_share=None)
        first = _write(
            scored, between / "tiles.zarr", keep=all_labelled, asked=keep, further=further, callback=callback
        )
        marking = ReliabilityFilter(unlabel_share=keep.unlabel_share)
        second = _write(open_tiles(between / "tiles.zarr"), output, keep=marking, asked=keep, overwrite=overwrite)
    finally:
        shutil.rmtree(between, ignore_errors=True)
    marked, mean = second.marked, second.mean_after
    return replace(
        first, output=second.output, unlabel_share=keep.unlabel_share, marked=marked, mean_after=mean
    )


def _write(
    scored: TileSet,
    output: Path,
    *,
    keep: ReliabilityFilter,
    asked: ReliabilityFilter,
    further: FurtherTiles | None = None,
    overwrite: bool = False,
    callback: Progress | None = None,
) -> Filtered:
    good = np.flatnonzero(_good(scored, keep))
    wanted = keep.n or len(good)
    if not wanted:
        # rounded down, since a score of 0.9998 does not reach 1
        best = np.floor(1000 * np.nanmax(scored.dataset[TILE_SCORES].values)) / 1000
        raise TileError(
            f"{scored.where}: no tile reaches {keep.drop_below:g}, the best has {best:.3f}; lower --drop-below"
        )
    tally = Tally(dropped=len(scored) - len(good))
    marks = _marks(scored, good, keep)
    layout = TileLayout.of(scored.dataset)
    settings = {name: value for name, value in asdict(asked).items() if value is not None}
    layout.attrs["filtered"] = json.dumps({"from": layout.attrs.get("filtered", "all tiles"), **settings})
    at, judged, marked, total = 0, 0, 0, 0.0
    with TileStoreWriter(output, layout, wanted, overwrite=overwrite, scored=True) as writer:
        for part in _parts(scored, good[:wanted], wanted, keep=keep, further=further, tally=tally):
            scores = part.reliability()
            hit = marks(scores)
            left = np.where(hit, np.float32(np.nan), scores)
            judged, marked = judged + int(np.isfinite(scores).sum()), marked + int(hit.sum())
            total += float(np.nansum(left, dtype=np.float64))
            _write_part(writer, at, with_scores(without_labels(part, hit), left, tile_scores(left)))
            at += len(part)
            if callback is not None:
                callback(at, wanted)
        if not at:
            raise TileError(
                f"{scored.where}: none of its tiles and of {tally.drawn} further ones reaches {keep.drop_below:g}; "
                "lower --drop-below, or train longer"
            )
        if not judged:
            raise TileError(
                f"{scored.where}: no tile with a score reaches {keep.drop_below}, only such without a label are left; "
                "lower --drop-below"
            )
        if marked == judged:
            raise TileError(f"{scored.where}: no label would be left, all {judged} are marked unlabelled; mark fewer")
        if at < wanted:
            writer.shorten(at)
    return Filtered(
        output=str(output),
        drop_below=keep.drop_below,
        unlabel_below=keep.unlabel_below,
        unlabel_share=keep.unlabel_share,
        wanted=keep.n,
        tiles_before=len(scored),
        dropped=tally.dropped,
        drawn=tally.drawn,
        regenerated=tally.regenerated,
        tiles_after=at,
        judged=judged,
        marked=marked,
        mean_before=mean_score(scored),
        mean_after=total / (judged - marked),
    )


def _good(tiles: TileSet, keep: ReliabilityFilter) -> np.ndarray:
    """Which tiles stay; one without a score does, as nothing is against it."""
    scores = tiles.dataset[TILE_SCORES].values
    return np.ones(len(tiles), bool) if keep.drop_below is None else ~(scores < keep.drop_below)


def _parts(
    scored: TileSet,
    good: np.ndarray,
    wanted: int,
    *,
    keep: ReliabilityFilter,
    further: FurtherTiles | None,
    tally: Tally,
) -> Iterator[TileSet]:
    batch = batch_tiles(scored.layout)
    for start in range(0, len(good), batch):
        yield scored.select(good[start : start + batch])
    missing, most = wanted - len(good), MOST_DRAWN * wanted
    while missing and further is not None and tally.drawn < most:
        # as many at a time as are held of others
        drawn = further.draw(min(batch, DRAWN_AT_A_TIME, most - tally.drawn))
        tally.drawn += len(drawn)
        # one without a label is none of those asked for
        kept = np.flatnonzero(_good(drawn, keep) & np.isfinite(drawn.dataset[TILE_SCORES].values))[:missing]
        tally.regenerated += len(kept)
        missing -= len(kept)
        if len(kept):
            yield drawn.select(kept)


def _marks(scored: TileSet, good: np.ndarray, keep: ReliabilityFilter) -> Callable[[np.ndarray], np.ndarray]:
    """Tells of the scores of part after part which pixels become unlabelled."""
    if keep.unlabel_share is not None:
        batch = batch_tiles(scored.layout)
        starts = range(0, len(good), batch)
        lowest = lowest_share(
            lambda: (scored.reliability(good[start : start + batch]) for start in starts), keep.unlabel_share
        )
        return lowest.marked
    below = keep.unlabel_below
    return lambda scores: np.zeros(scores.shape, bool) if below is None else scores < below


def _write_part(writer: TileStoreWriter, start: int, part: TileSet) -> None:
    coords = coords_of(part.dataset) | {TILE_SCORES: part.dataset[TILE_SCORES].values}
    amounts = part.amounts() if part.quantities else None
    writer.write(start, part.images(), part.masks(), coords, amounts, part.reliability())
