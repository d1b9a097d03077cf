"""Masks read off images: what the model's reader says of tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from specdm.errors import ModelError
from specdm.models.joint_model import JointModel
from specdm.models.known_latents import KnownLatents
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.models.read_masks import ReadMasks
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.given import Given
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet
from specdm.training.orientations import ORIENTATIONS
from specdm.training.reading import read_pixels
from specdm.training.tile_tensors import to_pixels

GIVEN_VIEWS = 2
"""Views of a given image whose readings masks are pulled to as they are drawn."""


def read_tiles(
    model: JointModel,
    reader: MaskReader,
    facts: TileFacts,
    tiles: TileSet,
    *,
    views: int,
    batch_size: int,
    callback: Callable[[int, int], None] | None,
) -> Posterior:
    """See `SpecDMPipeline.posterior`."""
    if not 1 <= views <= ORIENTATIONS:
        raise ModelError(f"views is {views}, expected 1 to {ORIENTATIONS}")
    if batch_size < 1:
        raise ModelError(f"batch_size is {batch_size}, expected at least 1")
    if (difference := facts.difference(tiles, mask=False)) is not None:
        raise ModelError(f"{tiles.where}: {difference}")
    size = tiles.size
    shape = (len(facts.layers), len(facts.classes or ())) if facts.layers else (0, 0)
    probabilities = np.zeros((len(tiles), *shape, size, size), np.float32)
    quantities = len(facts.quantities or ())
    mean = np.zeros((len(tiles), quantities, size, size), np.float32) if quantities else None
    spread = None if mean is None else np.zeros_like(mean)
    for start in range(0, len(tiles), batch_size):
        part = slice(start, min(start + batch_size, len(tiles)))
        pixels = to_pixels(tiles, part).apply(lambda values: values.to(model.device))
        chances, amounts = read_pixels(model, reader, pixels, views=views)
        if shape[0]:
            probabilities[part] = chances.cpu().numpy()
        if mean is not None and spread is not None:
            mean[part] = amounts.mean(dim=0).cpu().numpy()
            spread[part] = amounts.std(dim=0, correction=0).cpu().numpy()
        if callback is not None:
            callback(part.stop, len(tiles))
    return Posterior(probabilities, mean, spread)


def with_reading(given: Given, *, model: JointModel, reader: MaskReader | None) -> KnownLatents:
    """What is known, with the masks that the reader sees where images of all dates are."""
    return replace(given.latents, read=read_known(model, reader, given.pixels, given.streams))


def read_known(
    model: JointModel, reader: MaskReader | None, pixels: Pixels, known: torch.Tensor
) -> ReadMasks | None:
    """What `read_masks` says where images of all dates are known; None where they are nowhere, or without a reader.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks.
        pixels: with the images.
        known: `(n, streams, y, x)` boolean, pixels that are known.
    """
    dates = [number for number, stream in enumerate(model.streams) if stream.kind == "image"]
    shown = known[:, dates].all(dim=1)
    if reader is None or not bool(shown.any()):
        return None
    return read_masks(model, reader, pixels).where(shown)


def with_gaps_labelled(tiles: Pixels, read: torch.Tensor) -> Pixels:
    """Tiles whose masks say what was read where they said nothing; ground without data stays unlabelled.

    Args:
        tiles: `n` of them.
        read: class probabilities `(n, layer, classes, y, x)`, NaN where nothing could be read.
    """
    open_ = (tiles.positions < 0) & read.isfinite().all(dim=2)
    return replace(tiles, positions=torch.where(open_, torch.nan_to_num(read).argmax(dim=2), tiles.positions))


def read_masks(model: JointModel, reader: MaskReader, pixels: Pixels) -> ReadMasks:
    """What masks are pulled to as they are drawn, and what gaps are labelled by.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks.
        pixels: with the images; masks are not looked at.
    """
    chances, amounts = read_pixels(model, reader, pixels, views=GIVEN_VIEWS)
    return ReadMasks(chances, amounts.mean(dim=0))
