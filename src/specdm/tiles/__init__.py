"""Scenes to tile sets: windows, spatially disjoint splits and the store."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from specdm.tiles.layout import TileLayout, tile_coords
    from specdm.tiles.store import TileStoreWriter, open_tiles
    from specdm.tiles.tileset import TileSet
    from specdm.tiles.tiling import tile_scenes

__all__ = ["TileLayout", "TileSet", "TileStoreWriter", "open_tiles", "tile_coords", "tile_scenes"]

_HOMES = {
    "TileLayout": "layout",
    "TileSet": "tileset",
    "TileStoreWriter": "store",
    "open_tiles": "store",
    "tile_coords": "layout",
    "tile_scenes": "tiling",
}


def __getattr__(name: str) -> Any:
    # loaded on first use (PEP 562), so that `import specdm` needs neither xarray nor zarr
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
