"""Whether tiles that are still to come fit on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from specdm.errors import TileError
from specdm.tiles.writer import COMPRESSION_LEVEL


def check_room(path: Path, folder: Path, tiles: Sequence[np.ndarray], n: int) -> None:
    """Estimate what tiles take, compressed as some of them are, before anything of them is written.

    Args:
        path: tile set, for the message.
        folder: where it is written.
        tiles: arrays of some tiles, `(some, ...)`.
        n: tiles to come.

    Raises:
        TileError: they take more than is free.
    """
    from numcodecs import Zstd

    from specdm.tiles.export.sizes import readable

    packed = sum(len(Zstd(level=COMPRESSION_LEVEL).encode(np.ascontiguousarray(part))) for part in tiles)
    needed = packed / max(len(tiles[0]), 1) * n
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise TileError(
            f"{path}: {n:,} more tiles take about {readable(needed)}, but {readable(free)} are free there; make room, "
            "choose another place, or fewer tiles"
        )
