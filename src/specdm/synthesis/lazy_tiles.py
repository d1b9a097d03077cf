"""A tile set of a model's layout whose tiles are made when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from specdm.synthesis.facts import TileFacts
from specdm.tiles.layout import AMOUNT_DIMS, IMAGE_DIMS, MASK_DIMS
from specdm.tiles.tileset import TileSet

Read = Callable[[np.ndarray], np.ndarray]
"""Positions of tiles `(n,)` -> their values `(n, ...)`."""


class TileArray(BackendArray):
    """An array whose first axis is tiles, read by a function; xarray indexes it without loading the rest."""

    def __init__(self, read: Read, *, shape: tuple[int, ...], dtype: Any) -> None:
        self.read = read
        self.shape = shape
        self.dtype = np.dtype(dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._outer)

    def _outer(self, key: tuple[Any, ...]) -> np.ndarray:
        tiles, *others = key
        index = np.arange(self.shape[0])[tiles]
        found = self.read(np.atleast_1d(index)) if np.size(index) else np.zeros((0, *self.shape[1:]), self.dtype)
        found = found.astype(self.dtype, copy=False)
        # from the last axis, since a whole number takes its axis away
        for axis in range(len(others), 0, -1):
            found = found[(slice(None),) * axis + (others[axis - 1],)]
        return found[0] if np.ndim(index) == 0 else found


def lazy_tiles(
    facts: TileFacts,
    coords: Mapping[str, np.ndarray],
    *,
    images: Read,
    masks: Read,
    amounts: Read,
    where: str,
    attrs: Mapping[str, Any] | None = None,
) -> TileSet:
    """A tile set of a model's layout.

    Args:
        facts: of the model.
        coords: of the tiles, as `tile_coords` makes them.
        images: float32 `(n, date, band, y, x)`, NaN where unknown.
        masks: int16 `(n, layer, y, x)`, the model's class values, -1 where unlabelled.
        amounts: float32 `(n, quantity, y, x)`, NaN where unknown.
        where: what messages call the set.
        attrs: further attributes.
    """
    layout = facts.layout(attrs or {})
    n = len(coords["split"])
    parts: dict[str, tuple[tuple[str, ...], Read, tuple[int, ...], type, dict[str, Any]]] = {
        "image": (IMAGE_DIMS, images, layout.image_shape, np.float32, layout.image_attrs),
        "mask": (MASK_DIMS, masks, layout.mask_shape, np.int16, layout.mask_attrs),
        "amount": (AMOUNT_DIMS, amounts, layout.amount_shape, np.float32, layout.amount_attrs),
    }
    variables = {
        name: xr.Variable(dims, indexing.LazilyIndexedArray(TileArray(read, shape=(n, *shape), dtype=dtype)), attrs_)
        for name, (dims, read, shape, dtype, attrs_) in parts.items()
        if shape[0]
    }
    return TileSet(layout.frame(coords).assign(variables), where=where)
