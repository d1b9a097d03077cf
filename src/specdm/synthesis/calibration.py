"""Fits the correction of image latents: draws some tiles, and holds them against the training ground."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from specdm.models.joint_model import JointModel
from specdm.models.latent_calibration import LatentCalibration, LatentMoments, group_shares
from specdm.models.pixels import Pixels
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet
from specdm.training.tile_tensors import to_pixels

BATCH = 64

def calibrate(model: JointModel, calibration: LatentCalibration, latents: torch.Tensor) -> torch.Tensor:
    """Drawn latents `(n, channels, y, x)` with those of images corrected; masks stay as they were drawn."""
    groups = int(calibration.config["groups"])
    shares = stream_shares(model, model.decode(latents), groups=groups)
    channels = image_channels(model)
    corrected = latents.clone()
    corrected[:, channels] = calibration(latents[:, channels], shares)
    return corrected


def fit_calibration(
    model: JointModel, drawn: torch.Tensor, tiles: TileSet
) -> LatentCalibration | None:
    """The correction that turns drawn latents into such as the training ground has.

    Args:
        model: with image streams; None comes back for one without.
        drawn: latents `(n, channels, y, x)` of tiles drawn for this.
        tiles: training tiles.
    """
    channels = tuple(c for c, s in zip(model.stream_channels, model.streams, strict=True) if s.kind == "image")
    if not channels:
        return None
    groups = ground_groups(tiles)
    calibration = LatentCalibration(stream_channels=channels, groups=groups)
    return calibration.fit(
        drawn=drawn_moments(model, drawn, stream_channels=channels, groups=groups),
        real=ground_moments(model, tiles, stream_channels=channels, groups=groups),
    ).eval()


def ground_groups(tiles: TileSet) -> int:
    """Kinds of ground that masks tell apart: classes or materials, and one more for what is not labelled."""
    if tiles.layers:
        return len(tiles.classes or ()) + 1
    return (len(tiles.quantities) if tiles.quantities is not None and tiles.quantities.sum_to_one else 1) + 1


def image_channels(model: JointModel) -> torch.Tensor:
    """Which latent channels are images', int64."""
    kinds = torch.tensor([stream.kind == "image" for stream in model.streams])
    return kinds.repeat_interleave(torch.tensor(model.stream_channels)).nonzero()[:, 0].to(model.device)


def stream_shares(model: JointModel, pixels: Pixels, *, groups: int) -> torch.Tensor:
    """What ground each cell shows, for each image stream, `(n, streams, groups, y, x)`.

    The class of its mask (of its own date's mask where every date has one); without classes its largest abundance.
    """
    images = [stream for stream in model.streams if stream.kind == "image"]
    layers = pixels.positions.shape[1]
    if layers:
        found = [pixels.positions[:, i] for i in range(layers)]
    else:
        known = pixels.amounts.isfinite().all(dim=1)
        # free quantities have no kinds of ground
        largest = pixels.amounts.nan_to_num(nan=0.0).argmax(dim=1) if groups > 2 else torch.zeros_like(known).long()
        found = [torch.where(known, largest, -1)]
    shares = [group_shares(positions, groups=groups, factor=model.factor) for positions in found]
    own = layers == len(images)
    return torch.stack([shares[stream.position if own else 0] for stream in images], dim=1)


def ground_moments(
    model: JointModel, tiles: TileSet, *, stream_channels: tuple[int, ...], groups: int
) -> LatentMoments:
    """Moments of the latents of training ground, each pixel once however many windows show it."""
    moments = LatentMoments(stream_channels, groups)
    ground = GroundSeen(tiles)
    kinds = torch.tensor([stream.kind == "image" for stream in model.streams])
    for start in range(0, len(tiles), BATCH):
        index = np.arange(start, min(start + BATCH, len(tiles)))
        fresh = torch.from_numpy(ground.fresh(index)).float()
        if not fresh.any():
            continue
        pixels = to_pixels(tiles, index)
        encoded = model.encode(pixels.apply(lambda values: values.to(model.device)))
        known = encoded.known[:, kinds].amin(dim=1).cpu()
        weight = F.avg_pool2d(fresh[:, None], model.factor)[:, 0] * known
        shares = stream_shares(model, pixels, groups=groups)
        moments.add(encoded.latents[:, image_channels(model)].cpu(), shares, weight)
    return moments


def drawn_moments(
    model: JointModel, latents: torch.Tensor, *, stream_channels: tuple[int, ...], groups: int
) -> LatentMoments:
    """Moments of drawn latents `(n, channels, y, x)`."""
    moments = LatentMoments(stream_channels, groups)
    for part in latents.split(BATCH):
        shares = stream_shares(model, model.decode(part).apply(torch.Tensor.cpu), groups=groups)
        moments.add(part[:, image_channels(model)].cpu(), shares, torch.ones(len(part), *part.shape[-2:]))
    return moments
