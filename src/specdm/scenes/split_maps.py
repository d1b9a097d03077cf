"""A given map of training and test ground: 0 nothing, 1 train, 2 test."""

from __future__ import annotations

from typing import Literal

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.classes import UNLABELLED
from specdm.scenes.raster import Raster

SplitMapKind = Literal["values", "train"]


def interpret_split_map(
    raster: Raster, *, kind: SplitMapKind, mask: np.ndarray | None, grid: tuple[int, int]
) -> np.ndarray:
    """The map as int8 `(y, x)`; nothing where it has no data.

    Args:
        raster: one band.
        kind: "values": 0 nothing, 1 train, 2 test. "train": every value above 0 is training ground, every
            other labelled pixel of the mask is test.
        mask: class values `(y, x)`, -1 where unlabelled; needed for "train".
        grid: rows and columns of the image.

    Raises:
        MaskError: another size than the image, several bands, other values, or no training pixel.
    """
    if kind not in ("values", "train"):
        raise MaskError(f"split_map_kind={kind!r} is not known; expected values or train")
    if raster.n_bands != 1:
        raise MaskError(f"{raster.path}: has {raster.n_bands} bands; a train/test map has one")
    if raster.grid != grid:
        raise MaskError(
            f"{raster.path}: the train/test map has {raster.grid[0]} x {raster.grid[1]} px, the image "
            f"{grid[0]} x {grid[1]} px (rows x columns); expected the same"
        )
    values = np.nan_to_num(np.asarray(raster.values[0].values), nan=0)
    if raster.nodata is not None:
        values = np.where(values == raster.nodata, 0, values)
    if kind == "train":
        if mask is None:
            raise MaskError(
                f"{raster.path}: a map of training ground alone needs a mask to know the test pixels"
            )
        train = values > 0
        split = np.where(train, 1, np.where(mask != UNLABELLED, 2, 0))
    else:
        found = np.unique(values)
        strange = [value for value in found.tolist() if value not in (0, 1, 2)]
        if strange:
            raise MaskError(
                f"{raster.path}: the train/test map holds "
                f"{', '.join(f'{value:g}' for value in strange[:8])}; expected "
                '0 (nothing), 1 (train), 2 (test). If it marks training classes say split_map_kind="train"'
            )
        split = values
    if not (split == 1).any():
        raise MaskError(f"{raster.path}: the train/test map marks no training pixel")
    return split.astype(np.int8)
