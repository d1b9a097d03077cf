"""Scores of reliability in tile sets: how they lie in the dataset, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError
from specdm.tiles.layout import AMOUNT_SCORES, MASK_SCORES, SCORE_ATTRS, SCORE_DIMS, TILE_SCORES, TileLayout

if TYPE_CHECKING:
    import xarray as xr

    from specdm.tiles.tileset import TileSet

SCORES = (MASK_SCORES, AMOUNT_SCORES, TILE_SCORES)
"""Of masks `(tile, layer, y, x)`, of amounts `(tile, y, x)`, and of tiles `(tile,)`, which is a coordinate."""


def split_scores(layout: TileLayout, pixel: np.ndarray) -> dict[str, np.ndarray]:
    """Score maps `(n, score layer, y, x)` as the variables of a dataset, by name."""
    n_layers = layout.score_shapes.get(MASK_SCORES, (0,))[0]
    found = {MASK_SCORES: pixel[:, :n_layers]} if n_layers else {}
    return found | ({AMOUNT_SCORES: pixel[:, n_layers]} if AMOUNT_SCORES in layout.score_shapes else {})


def check_scores(layout: TileLayout, pixel: np.ndarray, tile: np.ndarray, *, n: int, where: str) -> None:
    """Raise TileError unless these are scores of `n` tiles: float32 of the right shape, in 0..1 or NaN."""
    layers = sum(shape[0] if len(shape) == 3 else 1 for shape in layout.score_shapes.values())
    for what, values, shape in (
        ("score maps", pixel, (n, layers, layout.size, layout.size)),
        ("tile scores", tile, (n,)),
    ):
        if values.shape != shape or values.dtype != np.float32:
            raise TileError(
                f"{where}: {what} are {values.dtype} of shape {values.shape}; expected float32 of shape {shape}"
            )
        if ((values < 0) | (values > 1)).any() or np.isinf(values).any():
            low, high = np.nanmin(values), np.nanmax(values)
            raise TileError(f"{where}: {what} run from {low:.4g} to {high:.4g}; expected 0 to 1")


def with_scores(tiles: TileSet, pixel: np.ndarray, tile: np.ndarray) -> TileSet:
    """The tile set with scores of reliability; `save` keeps them, and those it had are replaced.

    Args:
        tiles: with masks or amounts.
        pixel: float32 `(tile, layer, y, x)`, 0..1, NaN where there is none: `Reliability.pixel`. Amounts are one more
            layer, after those of the masks.
        tile: float32 `(tile,)`, 0..1 or NaN: `Reliability.tile`.

    Raises:
        TileError: other shapes, types or values.
    """
    from specdm.tiles.tileset import TileSet

    check_scores(tiles.layout, pixel, tile, n=len(tiles), where=tiles.where)
    bare = without_scores(tiles.dataset)
    maps: dict[str, Any] = {
        name: (SCORE_DIMS[name], values, SCORE_ATTRS) for name, values in split_scores(tiles.layout, pixel).items()
    }
    scored = bare.assign(maps).assign_coords({TILE_SCORES: (SCORE_DIMS[TILE_SCORES], tile, SCORE_ATTRS)})
    return TileSet(scored, where=tiles.where)


def without_scores(dataset: xr.Dataset) -> xr.Dataset:
    """A dataset without scores of reliability."""
    return dataset.drop_vars([name for name in SCORES if name in dataset])
