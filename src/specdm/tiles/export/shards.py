"""How many tiles go into one file, where several do."""

from __future__ import annotations

from specdm.tiles.export.protocol import Source
from specdm.tiles.export.sizes import array_bytes


def shard_tiles(source: Source, *, most: int, n_bytes: int) -> int:
    """Tiles of a file of at most so many tiles and about so many bytes; at least one."""
    return max(1, min(most, n_bytes // sum(array_bytes(source).values())))
