"""Training ground without labels, labelled by the reader where it is sure: what is learnt, and what is drawn then.

Where labels are few (`denoiser.read_masks_below`), most cells of a mask are unknown, and a denoiser that learns from
the others alone has seen each class in a few fields. The reader, which looks at single spectra, knows more than that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.scenes.classes import UNLABELLED
from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet
from specdm.training.class_thresholds import class_thresholds, surer_than
from specdm.training.reading import read_pixels
from specdm.training.tile_tensors import labelled_shares, to_pixels

LEAST_SURE = 0.8
"""Confidence of a reading from which on it is taken for a label."""

SUREST_SHARE = 0.5
"""Of the ground read as a class, the surest that is taken in any case. Else, where labels are few, what is sure is of
one or two easy classes, and whatever learns from it forgets the others."""

VIEWS = 2
"""Orientations in which training tiles are read."""

BATCH = 16


def learnt_tiles(model: JointModel, reader: MaskReader | None, tiles: TileSet, *, below: float) -> TileSet:
    """Training tiles as the denoiser learns them: those of a mask layer with few labels completed.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks; None for a model without one, whose tiles stay as they are.
        tiles: of training.
        below: share of labelled ground that is few, see `DenoiserConfig.read_masks_below`.
    """
    if reader is None:
        return tiles
    scarce = [share < below for share in labelled_shares(tiles)]
    return completed(model, reader, tiles, layers=scarce) if any(scarce) else tiles


def completed(model: JointModel, reader: MaskReader, tiles: TileSet, *, layers: Sequence[bool]) -> TileSet:
    """Tiles with more labels: what somebody has labelled, and beside it what a reader is sure of.

    Tiles of imagery that nobody labelled stay so: where their ground would be labelled, nobody has said.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks.
        tiles: of training.
        layers: for each mask layer, whether it is to be read.
    """
    if tiles.classes is None:
        return tiles
    found, confidence = [], []
    for start in range(0, len(tiles), BATCH):
        pixels = to_pixels(tiles, slice(start, start + BATCH)).apply(lambda values: values.to(model.device))
        chances, _ = read_pixels(model, reader, pixels, views=VIEWS)
        best = torch.nan_to_num(chances).max(dim=2)
        found.append(best.indices.to(torch.int16).cpu().numpy())
        confidence.append(best.values.cpu().numpy())
    read, own = np.concatenate(found), tiles.masks()
    sure = sure_pixels(read, np.concatenate(confidence)) & np.asarray(layers, bool)[:, None, None]
    open_ = (own == UNLABELLED) & tiles.annotated[:, None, None, None]
    mask = np.where(sure & open_, tiles.classes.values_of(read), own)
    return with_values(tiles, {"mask": mask})


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
