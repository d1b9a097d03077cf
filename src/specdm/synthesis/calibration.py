"""Fits the correction of drawn images: draws some tiles, and holds them against the training ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.nn import functional as F

from specdm.models.joint_model import JointModel
from specdm.models.latent_calibration import GroupMeans, LatentCalibration, Moments
from specdm.models.pixels import Pixels
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet
from specdm.training.tile_tensors import to_pixels

BATCH = 64


def decode_calibrated(
    model: JointModel, calibration: LatentCalibration | None, latents: torch.Tensor, *, dense: bool
) -> Pixels:
    """Tiles from drawn latents `(n, channels, y, x)`, images corrected, masks as they were drawn."""
    if calibration is None:
        return model.decode(latents, dense=dense)
    pixels = model.decode(_corrected(model, calibration, latents), dense=dense)
    # what no class describes has a spectrum of its own, whether or not it is shown with a label
    told = model.decode(latents) if dense else pixels
    ground = kinds_of_ground(told, groups=int(calibration.config["groups"]))
    return replace(pixels, images=calibration.of_images(pixels.images, ground))


def fit_calibration(model: JointModel, drawn: torch.Tensor, tiles: TileSet) -> LatentCalibration | None:
    """The correction that turns drawn tiles into such as the training ground has.

    Args:
        model: None comes back for one without image streams.
        drawn: latents `(n, channels, y, x)` of tiles drawn for this.
        tiles: training tiles.
    """
    channels = image_channels(model)
    if not len(channels):
        return None
    shape, groups = model.tile_shape, ground_groups(tiles)
    found = LatentCalibration(channels=len(channels), dates=shape.dates, bands=shape.bands, groups=groups).eval()
    latents, spectra = ground_truth(model, tiles, groups=groups)
    moments = Moments(len(channels))
    moments.add(_rows(drawn[:, channels]), torch.ones(drawn[:, 0].numel()))
    found.fit_latents(drawn=moments, real=latents)
    means = [GroupMeans(groups, shape.bands) for _ in range(shape.dates)]
    for part in drawn.split(BATCH):
        pixels = model.decode(_corrected(model, found, part))
        _add_spectra(means, pixels, torch.ones(len(part), *pixels.images.shape[-2:]), groups=groups)
    for date, (mine, real) in enumerate(zip(means, spectra, strict=True)):
        found.fit_spectra(date, drawn=mine, real=real)
    return found


def ground_truth(model: JointModel, tiles: TileSet, *, groups: int) -> tuple[Moments, list[GroupMeans]]:
    """Moments of the latents of training ground and mean spectra by date, each pixel of ground once."""
    shape, channels = model.tile_shape, image_channels(model)
    moments = Moments(len(channels))
    means = [GroupMeans(groups, shape.bands) for _ in range(shape.dates)]
    kinds = torch.tensor([stream.kind == "image" for stream in model.streams])
    ground = GroundSeen(tiles)
    for start in range(0, len(tiles), BATCH):
        index = np.arange(start, min(start + BATCH, len(tiles)))
        fresh = torch.from_numpy(ground.fresh(index)).float()
        if not fresh.any():
            continue
        pixels = to_pixels(tiles, index)
        _add_spectra(means, pixels, fresh, groups=groups)
        encoded = model.encode(pixels.apply(lambda values: values.to(model.device)))
        known = encoded.known[:, kinds].amin(dim=1).cpu()
        weight = F.avg_pool2d(fresh[:, None], model.factor)[:, 0] * known
        moments.add(_rows(encoded.latents[:, channels].cpu()), weight.flatten())
    return moments, means


def ground_groups(tiles: TileSet) -> int:
    """Kinds of ground that masks tell apart: classes or materials, and one more for what is not labelled."""
    if tiles.layers:
        return len(tiles.classes or ()) + 1
    return (len(tiles.quantities) if tiles.quantities is not None and tiles.quantities.sum_to_one else 1) + 1


def kinds_of_ground(pixels: Pixels, *, groups: int) -> torch.Tensor:
    """Number of each pixel's kind of ground at each date, int64 `(n, date, y, x)`; the last is unlabelled.

    The class of its mask (of its own date's mask where every date has one); without classes its largest abundance.
    """
    dates, layers = pixels.images.shape[1], pixels.positions.shape[1]
    if layers:
        found = pixels.positions if layers == dates else pixels.positions[:, :1].expand(-1, dates, -1, -1)
    else:
        known = pixels.amounts.isfinite().all(dim=1, keepdim=True)
        amounts = pixels.amounts.nan_to_num(nan=0.0)
        # free quantities have no kinds of ground
        largest = amounts.argmax(dim=1, keepdim=True) if groups > 2 else torch.zeros_like(known).long()
        found = torch.where(known, largest, -1).expand(-1, dates, -1, -1)
    return torch.where(found < 0, groups - 1, found)


def image_channels(model: JointModel) -> torch.Tensor:
    """Which latent channels are images', int64."""
    kinds = torch.tensor([stream.kind == "image" for stream in model.streams])
    return kinds.repeat_interleave(torch.tensor(model.stream_channels)).nonzero()[:, 0].to(model.device)


def _corrected(model: JointModel, calibration: LatentCalibration, latents: torch.Tensor) -> torch.Tensor:
    channels = image_channels(model)
    corrected = latents.clone()
    corrected[:, channels] = calibration.of_latents(latents[:, channels])
    return corrected


def _rows(values: torch.Tensor) -> torch.Tensor:
    return values.movedim(1, -1).flatten(0, -2)


def _add_spectra(means: list[GroupMeans], pixels: Pixels, fresh: torch.Tensor, *, groups: int) -> None:
    """Spectra of pixels that are new and have data in every band that the date has."""
    pixels = pixels.apply(torch.Tensor.cpu)
    ground = kinds_of_ground(pixels, groups=groups)
    for date, found in enumerate(means):
        spectra, kind = _rows(pixels.images[:, date]), ground[:, date].flatten()
        own = spectra.isfinite().any(dim=0)
        chosen = (fresh.flatten() > 0) & spectra[:, own].isfinite().all(dim=1)
        # bands of other sensors count nothing and stay NaN in the image
        found.add(spectra[chosen].nan_to_num(nan=0.0), kind[chosen])
