"""What is known of each single tile: its split, where it was cut or drawn, and its name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from specdm.errors import TileError

if TYPE_CHECKING:
    import xarray as xr

SPLITS = ("train", "val", "test", "synthetic")
TEXT_COORDS = ("split", "source", "tile_name")
NUMBER_COORDS = ("window_y", "window_x", "seed", "index")
SCENE = "scene"
"""Name of the scene whose rows and columns `window_y` and `window_x` of a drawn tile count; "" for none. Only sets of
tiles that complete given ones have this coordinate: of real tiles it is their `source`."""

PerTile = np.ndarray | Sequence[Any] | str | int | None


def tile_coords(
    n: int,
    *,
    split: PerTile,
    source: PerTile,
    window_y: PerTile = None,
    window_x: PerTile = None,
    seed: PerTile = None,
    index: PerTile = None,
    tile_name: PerTile = None,
) -> dict[str, np.ndarray]:
    """Coordinates of `n` tiles; a single value holds for all of them, and numbers not given are -1.

    Raises:
        TileError: a length other than `n`, or a split that does not exist.
    """
    given = {"window_y": window_y, "window_x": window_x, "seed": seed, "index": index}
    coords: dict[str, np.ndarray] = {
        "split": _per_tile("split", split, n, str),
        "source": _per_tile("source", source, n, str),
        **{key: _per_tile(key, -1 if value is None else value, n, np.int64) for key, value in given.items()},
    }
    unknown = sorted(set(coords["split"]) - set(SPLITS))
    if unknown:
        raise TileError(f"a tile has the split {unknown[0]!r}; expected one of {', '.join(SPLITS)}")
    if tile_name is None:
        tile_name = [
            f"{name}_y{y}_x{x}" if y >= 0 else f"{name}_seed{s}_{i}"
            for name, y, x, s, i in zip(*(coords[key] for key in ("source", *given)), strict=True)
        ]
    coords["tile_name"] = _per_tile("tile_name", tile_name, n, str)
    return coords


def coords_of(dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """What `tile_coords` made, of a tile set's dataset, with `SCENE` where it has that."""
    names = (*TEXT_COORDS, *NUMBER_COORDS, *([SCENE] if SCENE in dataset.coords else []))
    return {key: dataset[key].values for key in names}


def as_text(values: np.ndarray) -> np.ndarray:
    """Strings of any kind as numpy's own: stores give objects or `StringDType`, which differs by version."""
    return np.array([str(value) for value in np.ravel(values)], dtype=str).reshape(np.shape(values))


def _per_tile(key: str, given: Any, n: int, dtype: Any) -> np.ndarray:
    values = np.asarray(given).astype(dtype)
    if values.ndim == 0:
        values = np.full(n, values[()])
    if values.shape != (n,):
        raise TileError(f"{key} has the shape {values.shape} for {n} tiles; give one value a tile, or one")
    return values
