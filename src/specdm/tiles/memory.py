"""Tiles collected in memory, for sets that are not written to a store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import prod

import numpy as np

from specdm.errors import TileError
from specdm.tiles.checks import check_parts
from specdm.tiles.layout import TileLayout
from specdm.tiles.tileset import TileSet


class MemoryWriter:
    """Takes tiles as `TileStoreWriter` does, and keeps them.

    Raises:
        TileError: so many tiles would fill more than half of the machine's memory.
    """

    def __init__(self, layout: TileLayout, n_tiles: int) -> None:
        images, masks, amounts = (prod(s) for s in (layout.image_shape, layout.mask_shape, layout.amount_shape))
        needed = n_tiles * (4 * images + 2 * masks + 4 * amounts)
        there = _machine_memory()
        if there is not None and needed > there / 2:
            raise TileError(
                f"{n_tiles} tiles need {needed / 1e9:.1f} GB, more than half of the memory "
                f"({there / 1e9:.1f} GB); "
                "give path=... to write them to a store, or a larger stride or max_train_tiles"
            )
        self.layout = layout
        self.n_tiles = n_tiles
        self._images = np.empty((n_tiles, *layout.image_shape), np.float32)
        self._masks = np.empty((n_tiles, *layout.mask_shape), np.int16)
        self._amounts = np.empty((n_tiles, *layout.amount_shape), np.float32)
        self._tiles: list[Mapping[str, np.ndarray]] = []

    def write(
        self,
        start: int,
        images: np.ndarray,
        masks: np.ndarray | None,
        tiles: Mapping[str, np.ndarray],
        amounts: np.ndarray | None = None,
    ) -> None:
        """Keep the next tiles; arguments and errors as in `TileStoreWriter.write`, one part after the other."""
        check_parts(self.layout, images, masks, amounts, where="the tiles")
        part = slice(start, start + len(images))
        self._images[part] = images
        if masks is not None:
            self._masks[part] = masks
        if amounts is not None:
            self._amounts[part] = amounts
        self._tiles.append(tiles)

    def shorten(self, n_tiles: int) -> None:
        """Make it a set of the first `n_tiles` tiles only."""
        self.n_tiles = n_tiles

    def tile_set(self) -> TileSet:
        """What was written."""
        tiles = {key: np.concatenate([part[key] for part in self._tiles]) for key in self._tiles[0]}
        n = self.n_tiles
        return TileSet(self.layout.dataset(self._images[:n], self._masks[:n], tiles, self._amounts[:n]))


def _machine_memory() -> int | None:
    """Bytes of memory this machine has, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
