"""The section about reliability: the best, the median and the worst tiles with score maps, and what scores say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import RunError
from specdm.report.colour_bars import ColourBar
from specdm.report.figures import reliability_diagram_figure, score_histogram
from specdm.report.gallery import LARGEST, Picture, Shown, look_of, shown_tiles
from specdm.report.pictures import png_data, svg
from specdm.report.reliability_record import ReliabilityRecord
from specdm.report.run_folder import RunFolder
from specdm.tiles.layout import TILE_SCORES

if TYPE_CHECKING:
    from specdm.tiles.tileset import TileSet

EACH = 3
"""Tiles shown of the best, of the median and of the worst ones."""

SCORE_BAR = ColourBar("score", 0.0, 1.0)

KIND_WORDS: dict[str, str] = {
    "shift": "mask shifted by {} px",
    "region_nearest": "region given the most similar other class",
    "region_random": "region given any other class",
    "dilate": "border moved out by {} px",
    "erode": "border moved in by {} px",
    "other_tile": "mask of another tile",
    "salt_and_pepper": "single pixels given any other class",
    "change_missed": "a change left out",
    "change_invented": "a change invented",
    "amounts_shift": "amounts shifted by {} px",
    "amounts_other_tile": "amounts of another tile",
    "amounts_exchanged": "two materials exchanged",
}


def reliability_section(real: TileSet, synthetic: TileSet, run: Path | None) -> dict[str, Any] | None:
    """Scores of the synthetic tiles in pictures and figures; None if they have none.

    Args:
        real: labelled real tiles, from which stretches are taken.
        synthetic: the synthetic tiles.
        run: run folder, whose record of reliability is shown too if it is there.
    """
    if not synthetic.scored:
        return None
    scores = synthetic.dataset[TILE_SCORES].values
    known = np.flatnonzero(np.isfinite(scores))
    if not len(known):
        return None
    record, trouble = _record(run)
    return {
        "mean": float(scores[known].mean()),
        "n_tiles": len(known),
        "n_unjudged": len(synthetic) - len(known),
        "below_half": float((scores[known] < 0.5).mean()),
        "groups": _groups(real, synthetic, scores, known),
        "bar": SCORE_BAR,
        "histogram": svg(score_histogram(scores[known]), label="how many tiles have which score"),
        "evidences": record.evidences if record else [],
        "planted": _planted(record),
        "filtered": record.filtered if record else None,
        "notes": [*trouble, *(record.notes if record else [])],
    }


def _record(run: Path | None) -> tuple[ReliabilityRecord | None, list[str]]:
    path = None if run is None else RunFolder(Path(run)).reliability
    if path is None or not path.is_file():
        return None, []
    try:
        return ReliabilityRecord.read(path), []
    except RunError as error:  # a report is worth having without it
        return None, [str(error)]


def _groups(real: TileSet, synthetic: TileSet, scores: np.ndarray, known: np.ndarray) -> list[dict[str, Any]]:
    """Tiles by rank: the best, those around the median, the worst; none twice."""
    order = known[np.argsort(-scores[known], kind="stable")]
    each = max(1, min(EACH, len(order) // 3))
    middle = (len(order) - each) // 2
    parts = {"Best": order[:each], "Median": order[middle : middle + each], "Worst": order[-each:]}
    look = look_of(real.train if len(real.train) else real)
    seen: set[int] = set()
    groups = []
    for title, picked in parts.items():
        index = np.array([at for at in picked if int(at) not in seen], np.int64)
        seen |= set(index.tolist())
        if len(index):
            tiles = [
                {"score": float(scores[at]), "tile": _with_scores(shown, synthetic, int(at))}
                for at, shown in zip(index, shown_tiles(synthetic, index, look), strict=True)
            ]
            groups.append({"title": title, "tiles": tiles})
    return groups


def _with_scores(shown: Shown, tiles: TileSet, position: int) -> Shown:
    """A tile's pictures, and behind them its score maps."""
    step = max(1, tiles.size // LARGEST)
    maps = tiles.reliability(position)[0, :, ::step, ::step]
    of_masks = tiles.layers if tiles.classes is not None else ()
    names = [f" {layer}" for layer in of_masks] + ([" amounts"] if tiles.quantities is not None else [])
    pictures = [
        Picture(png_data(SCORE_BAR.picture(one)), f"score{name if len(maps) > 1 else ''}", f"score map of {shown.name}")
        for one, name in zip(maps, names, strict=True)
    ]
    return replace(shown, pictures=[*shown.pictures, *pictures])


def _planted(record: ReliabilityRecord | None) -> dict[str, Any] | None:
    if record is None or record.planted is None:
        return None
    planted = record.planted
    hardest_first = sorted(planted.auroc.items(), key=lambda item: item[1])
    figure = reliability_diagram_figure(*(np.array(part) for part in (planted.score, planted.right, planted.share)))
    return {
        "tiles": planted.tiles,
        "ece": planted.ece,
        "auroc_all": planted.auroc_all,
        "auroc": [(kind_words(kind), value) for kind, value in hardest_first],
        "svg": svg(figure, label="score against share of right pixels"),
    }


def kind_words(kind: str) -> str:
    """What was planted, in words; an unknown kind by its name."""
    name, _, number = kind.rpartition("_")
    if number.isdigit() and name in KIND_WORDS:
        return KIND_WORDS[name].format(number)
    return KIND_WORDS.get(kind, kind.replace("_", " "))
