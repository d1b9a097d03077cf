"""Latents of a whole scene in a file, read and written area by area."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from specdm.scenes.disk_room import reserve
from specdm.synthesis.canvas.windows import Area


class CellFile:
    """An array `(channels, y, x)` of zeros in a new file.

    The file is mapped for each access only: pages that stay mapped would count as memory of the process, and peak
    memory would grow with the scene. A cell's channels lie side by side, so that an area touches few pages.

    Args:
        path: of a file that is not there yet.
        channels: values a cell.
        canvas: whose cells these are.
        dtype: of the values.

    Raises:
        OSError: the disk has no room for it.
    """

    def __init__(self, path: Path, channels: int, canvas: Area, *, dtype: type = np.float32):
        self._path = path
        self._shape = (canvas.height, canvas.width, channels)
        self._dtype = np.dtype(dtype)
        self.clear()

    def clear(self) -> None:
        """All zeros again."""
        self._path.write_bytes(b"")
        reserve(self._path, 0, int(np.prod(self._shape)) * self._dtype.itemsize)

    def read(self, area: Area) -> torch.Tensor:
        """Values of an area, `(channels, y, x)`."""
        return torch.from_numpy(np.moveaxis(np.array(self._map("r")[area.slices]), -1, 0))

    def write(self, area: Area, values: torch.Tensor) -> None:
        """Set the values of an area, `(channels, y, x)`."""
        self._map("r+")[area.slices] = _rows(values)

    def add(self, area: Area, values: torch.Tensor) -> None:
        """Add to the values of an area, `(channels, y, x)`."""
        self._map("r+")[area.slices] += _rows(values)

    def _map(self, mode: str) -> np.memmap:
        return np.memmap(self._path, self._dtype, mode, shape=self._shape)  # type: ignore[call-overload]


def _rows(values: torch.Tensor) -> np.ndarray:
    return np.moveaxis(values.detach().cpu().numpy(), 0, -1)
