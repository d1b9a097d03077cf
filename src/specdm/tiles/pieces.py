"""How many tiles a file of a large tile set holds."""

from __future__ import annotations

from math import ceil, prod

from specdm.tiles.layout import TileLayout
from specdm.tiles.writer import chunk_tiles

MOST_FILES = 4096
"""Files of an array; a set that would have more has several chunks in a file (a shard)."""

SHARD_BYTES = 64_000_000
"""Of images in a file, before compression, at the most: it is held in memory, and drawn again after a kill."""


def piece_tiles(layout: TileLayout, n_tiles: int) -> int:
    """Tiles of a file: a chunk, or a shard of several chunks where there would be very many files."""
    chunk = chunk_tiles(layout)
    most = max(1, SHARD_BYTES // (4 * prod(layout.image_shape) * chunk))
    return chunk * min(ceil(n_tiles / chunk / MOST_FILES) or 1, most)
