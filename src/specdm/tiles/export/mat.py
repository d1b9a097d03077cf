"""MATLAB 5: one `.mat` a tile, everything in it, names as cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.tiles.export.npz import array_layout, fact_arrays
from specdm.tiles.export.placed import place_arrays, place_bytes
from specdm.tiles.export.protocol import ExportFormat, Source, TileFiles
from specdm.tiles.export.set_arrays import set_arrays
from specdm.tiles.export.sizes import array_bytes, on_disk, readable
from specdm.tiles.export.tile import Tile

MOST_BYTES = 2**31 - 1
"""Of one variable of a MATLAB 5 file."""


class MatFiles:
    """`tile_00000.mat` and so on."""

    def __init__(self, folder: Path, source: Source) -> None:
        self._folder, self._digits = folder, source.digits
        self._shared = {name: _cells(array) for name, array in set_arrays(source.layout).items()}

    def write(self, tile: Tile) -> tuple[str, ...]:
        from scipy.io import savemat

        name = f"tile_{tile.position:0{self._digits}d}.mat"
        about = fact_arrays(tile) | place_arrays(tile.place)
        facts: dict[str, Any] = {key: array if array.ndim else array.item() for key, array in about.items()}
        # an open file, so that a full disk is told by the file and not by what savemat makes of it
        with open(self._folder / name, "wb") as file:
            savemat(file, {**tile.arrays(), **self._shared, **facts}, oned_as="row")
        return (name,)

    def close(self) -> None:
        """Nothing is left to do."""


def _cells(array: np.ndarray) -> Any:
    if array.dtype.kind == "U":
        return str(array) if array.ndim == 0 else array.astype(object)
    # MATLAB has no logical scalars that scipy writes alike everywhere
    return int(array) if array.dtype == bool else array


def _check(source: Source) -> list[str]:
    largest = max(array_bytes(source).values())
    if largest > MOST_BYTES:
        raise TileError(
            f"MATLAB 5 files hold variables of up to 2 GB, a tile has {readable(largest)}: the rest would be lost; "
            "export to npz or webdataset"
        )
    return []


def _tile_bytes(source: Source) -> int:
    shared = set_arrays(source.layout)
    items = sum(array.size if array.dtype.kind == "U" else 0 for array in shared.values())
    small = sum(array.nbytes for array in shared.values()) + 128 * (items + len(shared) + 16)
    return on_disk(sum(array_bytes(source).values()) + small + 1024 + place_bytes(source, each=4))


def _layout(source: Source) -> list[str]:
    return [*array_layout(source), "Names are cells. For a cube with bands last: `permute(image, [2 3 1])`."]


def _open(folder: Path, source: Source) -> TileFiles:
    return MatFiles(folder, source)


MAT = ExportFormat("mat", "MATLAB 5 (.mat)", _check, _tile_bytes, _open, _layout)
