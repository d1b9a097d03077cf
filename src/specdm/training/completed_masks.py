"""Training ground without labels, labelled by the reader where it is sure: what the denoiser learns masks from.

Where labels are few (`denoiser.read_masks_below`), most cells of a mask are unknown, and a denoiser that learns from
the others alone has seen each class in a few fields. The reader, which looks at single spectra, knows more than that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.tiles.tileset import TileSet
from specdm.training.class_thresholds import class_thresholds, surer_than
from specdm.training.reading import read_pixels
from specdm.training.tile_tensors import to_pixels

LEAST_SURE = 0.8
"""Confidence of a reading from which on it is taken for a label."""

SUREST_SHARE = 0.5
"""Of the ground read as a class, the surest that is taken in any case. Else, where labels are few, what is sure is of
one or two easy classes, and whatever learns from it forgets the others."""

VIEWS = 2
"""Orientations in which training tiles are read."""

BATCH = 16


@dataclass(frozen=True)
class SureReading:
    """What a reader is sure of in tiles.

    Attributes:
        positions: int16 `(tile, layer, y, x)`, class positions, -1 where it is not sure.
    """

    positions: torch.Tensor

    def complete(self, tiles: Pixels, start: int) -> Pixels:
        """Tiles `start`, `start + 1`, ... with more labels; those that are there stay, and where they are is kept.

        Args:
            tiles: as they are.
            start: position of the first among those that were read.
        """
        read = self.positions[start : start + len(tiles)].long()
        own = tiles.positions
        return tiles.labelled_as(torch.where(own >= 0, own, read))


def read_surely(model: JointModel, reader: MaskReader, tiles: TileSet, *, layers: Sequence[bool]) -> SureReading:
    """What a reader is sure of in training tiles.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks.
        tiles: any; nothing of their masks is looked at.
        layers: for each mask layer, whether it is to be read.
    """
    found, confidence = [], []
    for start in range(0, len(tiles), BATCH):
        pixels = to_pixels(tiles, slice(start, start + BATCH)).apply(lambda values: values.to(model.device))
        chances, _ = read_pixels(model, reader, pixels, views=VIEWS)
        best = torch.nan_to_num(chances).max(dim=2)
        found.append(best.indices.to(torch.int16).cpu())
        confidence.append(best.values.cpu())
    read = torch.cat(found)
    sure = sure_pixels(read.numpy(), torch.cat(confidence).numpy()) & np.asarray(layers, bool)[:, None, None]
    return SureReading(read.masked_fill(~torch.from_numpy(sure), -1))


def sure_pixels(found: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Where a reading is sure: from `LEAST_SURE` on, and the surest `SUREST_SHARE` of what it reads as each class.

    Args:
        found: most likely class `(tile, layer, y, x)`.
        confidence: its probability, 0 where nothing is known.

    Returns:
        bool `(tile, layer, y, x)`.
    """
    positions, confidence = np.where(confidence > 0, found, -1).swapaxes(0, 1), confidence.swapaxes(0, 1)
    least = class_thresholds(
        [(positions, confidence)],
        classes=int(found.max(initial=0)) + 1,
        share=SUREST_SHARE,
        min_confidence=LEAST_SURE,
    )
    return surer_than(least, positions, confidence).swapaxes(0, 1)
