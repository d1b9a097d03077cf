"""Tiles with other values in the same places."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from specdm.tiles.tileset import TileSet


def with_values(tiles: TileSet, values: Mapping[str, np.ndarray], *, where: str | None = None) -> TileSet:
    """The same tiles with other images, masks or amounts; the rest, places and scores too, stays.

    Args:
        tiles: any.
        values: by the name of a variable that the tiles have, "image", "mask" or "amount", each of the same shape.
        where: what messages call the new ones; default: as the old ones.
    """
    there = tiles.dataset
    changed = {name: (there[name].dims, new, there[name].attrs) for name, new in values.items()}
    return TileSet(there.assign(changed), where=tiles.where if where is None else where)
