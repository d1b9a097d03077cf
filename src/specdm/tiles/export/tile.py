"""One tile as the writers of files take it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from specdm.tiles.georeference import Place, TilePlaces
from specdm.tiles.layout import TILE_SCORES
from specdm.tiles.tile_coords import NUMBER_COORDS, coords_of
from specdm.tiles.tileset import TileSet
from specdm.tiles.writer import batch_tiles


@dataclass(frozen=True)
class Tile:
    """A tile with all that is known of it.

    Attributes:
        position: in the tile set, from 0.
        image: float32 `(date, band, y, x)`, NaN where no data.
        mask: int16 `(layer, y, x)`, class values, -1 where unlabelled; None if the set has no masks.
        amount: float32 `(quantity, y, x)`, NaN where unknown; None if the set has none.
        reliability: float32 `(score layer, y, x)`, 0..1 or NaN: of the masks, then of the amounts; None if the set
            was not judged.
        facts: JSON-ready: `tile_name`, `split`, `source`, `window_y`, `window_x`, `seed`, `index` (-1 where there is
            none), `scene` if the set says of which scene the windows of drawn tiles are, and `tile_reliability` (None
            where there is none) if the set was judged.
        place: where it lies; None if nowhere, or if that is not known.
    """

    position: int
    image: np.ndarray
    mask: np.ndarray | None
    amount: np.ndarray | None
    reliability: np.ndarray | None
    facts: dict[str, Any]
    place: Place | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Its arrays by name, without an axis of a single date or a single mask layer.

        Returns:
            `image` `(band, y, x)` or `(date, band, y, x)`, and what there is of `mask` `(y, x)` or `(layer, y, x)`,
            `amount` `(quantity, y, x)` and `reliability` `(y, x)` or `(score layer, y, x)`.
        """
        found = {"image": _bare(self.image)}
        if self.mask is not None:
            found["mask"] = _bare(self.mask)
        if self.amount is not None:
            found["amount"] = self.amount
        if self.reliability is not None:
            found["reliability"] = _bare(self.reliability)
        return found


def each_tile(tiles: TileSet) -> Iterator[Tile]:
    """All tiles in order, read batch by batch.

    Raises:
        TileError: the store is damaged.
    """
    layout, places = tiles.layout, TilePlaces(tiles.dataset)
    known: dict[str, list[Any]] = {
        key: [int(value) if key in NUMBER_COORDS else str(value) for value in values]
        for key, values in coords_of(tiles.dataset).items()
    }
    scores = tiles.dataset[TILE_SCORES].values if tiles.scored else None
    batch = batch_tiles(layout)
    for start in range(0, len(tiles), batch):
        part = slice(start, start + batch)
        images, masks, amounts = tiles.images(part), tiles.masks(part), tiles.amounts(part)
        maps = tiles.reliability(part) if tiles.scored else None
        for i in range(len(images)):
            position = start + i
            facts = {key: values[position] for key, values in known.items()}
            if scores is not None:
                facts[TILE_SCORES] = float(scores[position]) if np.isfinite(scores[position]) else None
            yield Tile(
                position=position,
                image=images[i],
                mask=masks[i] if layout.layers else None,
                amount=amounts[i] if layout.quantities is not None else None,
                reliability=None if maps is None else maps[i],
                facts=facts,
                place=places[position],
            )


def _bare(array: np.ndarray) -> np.ndarray:
    return array[0] if len(array) == 1 else array
