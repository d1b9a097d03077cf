"""What a model says of the masks of tiles when it sees their images alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.errors import TileError
from specdm.tiles.tileset import TileSet

SUM_TOLERANCE = 1e-3


@dataclass(frozen=True)
class Posterior:
    """What a model says of masks when it sees the images alone.

    Attributes:
        probabilities: float32 `(tile, layer, class, y, x)`, summing to one over the classes, which are in the order
            of `TileSet.classes`; `(tile, 0, 0, y, x)` without classes. NaN where an image has no data.
        amounts_mean, amounts_std: float32 `(tile, quantity, y, x)`, in the units of the quantities; None without
            amounts.
    """

    probabilities: np.ndarray
    amounts_mean: np.ndarray | None = None
    amounts_std: np.ndarray | None = None

    def check_fits(self, tiles: TileSet) -> None:
        """Make sure that it is about these tiles.

        Raises:
            TileError: another number of tiles, layers, classes, quantities or pixels, or probabilities that do not
                sum to one.
        """
        n_classes = len(tiles.classes) if tiles.classes is not None and tiles.layers else 0
        n_layers = len(tiles.layers) if n_classes else 0
        expected = (len(tiles), n_layers, n_classes, tiles.size, tiles.size)
        if self.probabilities.shape != expected:
            raise TileError(
                f"the posterior has probabilities of shape {self.probabilities.shape}, but {tiles.where} wants "
                f"{expected} (tile, layer, class, y, x); compute the posterior of these tiles"
            )
        if n_layers and len(tiles):
            total = self.probabilities.sum(axis=2, dtype=np.float64)
            off = np.abs(total - 1.0)
            if np.nanmax(off, initial=0.0) > SUM_TOLERANCE:
                worst = float(total.ravel()[np.nanargmax(off)])
                raise TileError(
                    f"the posterior's probabilities of a pixel sum to {worst:.4g} over the classes; expected 1: divide "
                    "them by their sum"
                )
        n_quantities = len(tiles.quantities) if tiles.quantities is not None else 0
        for name, values in (("amounts_mean", self.amounts_mean), ("amounts_std", self.amounts_std)):
            wanted = (len(tiles), n_quantities, tiles.size, tiles.size)
            if values is not None and values.shape != wanted:
                raise TileError(
                    f"the posterior has {name} of shape {values.shape}, but {tiles.where} wants {wanted} "
                    "(tile, quantity, y, x); compute the posterior of these tiles"
                )
