"""The section with the quantities of continuous masks: how their values are distributed, real and synthetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from specdm.report.colour_bars import colour_bars
from specdm.report.figures import amount_histogram
from specdm.report.gallery import stretch_tiles
from specdm.report.pictures import svg

if TYPE_CHECKING:
    from specdm.evaluation.record import QuantityRecord
    from specdm.tiles.tileset import TileSet

MOST_PANELS = 24


def amount_section(quantities: list[QuantityRecord], real: TileSet) -> list[dict[str, Any]]:
    """One panel a quantity: the record, its histograms and its colour bar; empty without quantities.

    Args:
        quantities: the judged ones, in the order of the tile set's.
        real: the real tiles, for the colours of the gallery.
    """
    there = real.quantities
    if there is None:
        return []
    tiles = real.train if len(real.train) else real
    bars = dict(zip(there.names, colour_bars(there, tiles.amounts(stretch_tiles(tiles))), strict=True))
    return [
        {
            "record": record,
            "title": f"{record.name} ({record.unit})" if record.unit else record.name,
            "bar": bars.get(record.name),
            "svg": svg(amount_histogram(record), label=f"Histogram of {record.name}, real and synthetic"),
        }
        for record in quantities[:MOST_PANELS]
    ]
