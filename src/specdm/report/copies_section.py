"""The section about copies: synthetic tiles beside the training tiles that are most like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.evaluation.authenticity import LEVEL
from specdm.report.gallery import look_of, shown_tiles

if TYPE_CHECKING:
    from specdm.evaluation.record import Evaluation, NeighbourRecord
    from specdm.tiles.tileset import TileSet

SHARE = "authenticity.flagged_share"


def copies_section(evaluation: Evaluation, real: TileSet, synthetic: TileSet) -> dict[str, Any] | None:
    """How many tiles were called copies, and the most suspicious ones; None if none were looked for.

    Args:
        evaluation: of these tiles; its `neighbours` say which tiles are shown.
        real: the whole real tile set, in which `NeighbourRecord.real` is a position.
        synthetic: the synthetic tiles, in which `NeighbourRecord.synthetic` is one.

    Returns:
        `counts`, `compared`, `pairs` and `left_out` (pairs that are not in these tile sets) for the template.
    """
    if not evaluation.neighbours:
        return None
    there = [record for record in evaluation.neighbours if _is_there(record, real, synthetic)]
    return {
        "counts": copy_counts(evaluation, len(synthetic)),
        "compared": [text for key, text in evaluation.settings.items() if key.startswith("authenticity")],
        "pairs": _pairs(there, real, synthetic) if there else [],
        "left_out": len(evaluation.neighbours) - len(there),
    }


def copy_counts(evaluation: Evaluation, n_tiles: int) -> list[dict[str, Any]]:
    """Flagged tiles in numbers, once or once a sensor.

    Args:
        evaluation: of synthetic tiles.
        n_tiles: how many these are, for records that do not say.

    Returns:
        For each `about` ("" or dates), `flagged` `of` so many, what chance gives (`by_chance`), `copies` (nearer than
        any real tile is) and the probability of so many by chance (`beyond`).
    """
    return [
        _count(evaluation, key.removeprefix(SHARE), n_tiles)
        for key, share in evaluation.metrics.items()
        if key.startswith(SHARE) and share is not None
    ]


def _is_there(record: NeighbourRecord, real: TileSet, synthetic: TileSet) -> bool:
    """Whether the record is of these tiles: one read from a file may be of others."""
    return all(
        0 <= position < len(tiles) and str(tiles.dataset["tile_name"].values[position]) == name
        for tiles, position, name in (
            (synthetic, record.synthetic, record.synthetic_name),
            (real, record.real, record.real_name),
        )
    )


def _count(evaluation: Evaluation, about: str, n_tiles: int) -> dict[str, Any]:
    """Flagged tiles in numbers, and what chance would give; `about` is empty or " [dates]"."""
    keys = [f"authenticity.{name}{about}" for name in ("flagged", "copies", "beyond_chance")]
    flagged, copies, beyond = (evaluation.metrics.get(key) for key in keys)
    # a record of an earlier version has neither of the two
    of = round(evaluation.metrics.get(f"authenticity.tiles{about}") or n_tiles)
    chance = evaluation.metrics.get(f"authenticity.chance_share{about}") or LEVEL
    return {
        "about": about.strip(" []"),
        "flagged": round(flagged or 0),
        "of": of,
        "by_chance": f"{chance * of:.2g}" if chance * of < 10 else f"{chance * of:.0f}",
        "copies": None if copies is None else round(copies),
        "beyond": None if beyond is None else "below 0.01" if beyond < 0.01 else f"{beyond:.2f}",
    }


def _pairs(records: list[NeighbourRecord], real: TileSet, synthetic: TileSet) -> list[dict[str, Any]]:
    labelled = real.of_labelled_scenes()
    look = look_of(labelled.train if len(labelled.train) else real)
    drawn = shown_tiles(synthetic, np.array([record.synthetic for record in records]), look)
    nearest = shown_tiles(real, np.array([record.real for record in records]), look)
    return [
        {"record": record, "synthetic": one, "real": other}
        for record, one, other in zip(records, drawn, nearest, strict=True)
    ]
