"""How much a tile takes, for an estimate before anything is written."""

from __future__ import annotations

from math import prod

from specdm.tiles.export.protocol import Source

DISK_BLOCK = 4096
"""A file takes whole blocks of a disk."""


def array_bytes(source: Source) -> dict[str, int]:
    """Bytes of a tile's arrays by name."""
    layout = source.layout
    found = {"image": 4 * prod(layout.image_shape)}
    if layout.layers:
        found["mask"] = 2 * prod(layout.mask_shape)
    if layout.quantities is not None:
        found["amount"] = 4 * prod(layout.amount_shape)
    if source.scored:
        found["reliability"] = 4 * sum(prod(shape) for shape in layout.score_shapes.values())
    return found


def on_disk(n_bytes: int) -> int:
    """Bytes that a file of this size takes on a disk."""
    return -(-n_bytes // DISK_BLOCK) * DISK_BLOCK


def readable(n_bytes: float) -> str:
    """ "3.4 GB", "12 MB", "5 kB"."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{max(n_bytes, 0) / 1e3:.0f} kB"
