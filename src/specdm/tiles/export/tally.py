"""What was counted while tiles were written, for the data set card."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from specdm.tiles.export.tile import Tile
from specdm.tiles.layout import TileLayout


@dataclass
class Tally:
    """Counts over tiles; overlapping tiles count their common ground twice.

    Attributes:
        classes: labelled pixels of each class, all mask layers together, int64 `(class,)`.
        labelled, mask_pixels: pixels with a class, and all of them.
        values, missing: image values in bands that a date has, and those of them that are no data.
        low, high: least and greatest image value; infinities if there is none.
        amounts: least and greatest value of each quantity, `(2, quantity)`.
    """

    layout: TileLayout
    classes: np.ndarray = field(init=False)
    amounts: np.ndarray = field(init=False)
    labelled: int = 0
    mask_pixels: int = 0
    values: int = 0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf

    def __post_init__(self) -> None:
        self.classes = np.zeros(len(self.layout.classes or ()), np.int64)
        n = len(self.layout.quantities or ())
        self.amounts = np.stack([np.full(n, np.inf), np.full(n, -np.inf)])

    def add(self, tile: Tile) -> None:
        """Count a tile."""
        own = tile.image[self.layout.own_bands]
        finite = own[np.isfinite(own)]
        self.values += own.size
        self.missing += own.size - finite.size
        if finite.size:
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))
        if tile.mask is not None:
            self.mask_pixels += tile.mask.size
            if self.layout.classes is not None:
                index = self.layout.classes.index_of(tile.mask)
                self.classes += np.bincount(index[index >= 0], minlength=len(self.classes))
                self.labelled += int((index >= 0).sum())
        for i, amount in enumerate(tile.amount if tile.amount is not None else ()):
            known = amount[np.isfinite(amount)]
            if known.size:
                self.amounts[0, i] = min(self.amounts[0, i], float(known.min()))
                self.amounts[1, i] = max(self.amounts[1, i], float(known.max()))
