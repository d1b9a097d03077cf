"""Real tiles after the codecs: what no drawn tile can be nearer to reality than."""

from __future__ import annotations

import numpy as np
import torch

from specdm.errors import ModelError
from specdm.models.joint_model import JointModel
from specdm.models.pixels import joined
from specdm.synthesis.facts import TileFacts
from specdm.tiles.tileset import TileSet
from specdm.training.tile_tensors import to_pixels


def reconstructed(model: JointModel, facts: TileFacts, tiles: TileSet, *, batch_size: int) -> TileSet:
    """See `SpecDMPipeline.reconstruct`."""
    if (difference := facts.difference(tiles)) is not None:
        raise ModelError(f"{tiles.where}: {difference}")
    if len(tiles) == 0:
        return tiles
    decoded = []
    for start in range(0, len(tiles), batch_size):
        pixels = to_pixels(tiles, slice(start, start + batch_size))
        encoded = model.encode(pixels.apply(lambda values: values.to(model.device)))
        decoded.append(model.decode(encoded.latents, dense=True).apply(torch.Tensor.cpu))
    whole = joined(decoded)
    same = tiles.dataset.copy()
    for name, found in (("image", whole.images.numpy()), ("amount", whole.amounts.numpy())):
        if name in same:
            there = tiles.dataset[name]
            same[name] = there.copy(data=np.where(np.isnan(there.values), np.nan, found).astype(np.float32))
    if "mask" in same:
        mask = tiles.masks()
        same["mask"] = tiles.dataset["mask"].copy(data=np.where(mask < 0, mask, facts.masks_of(whole)))
    return TileSet(same, where=f"{tiles.where} after the codecs")
