"""Fits the correction of drawn spectra: draws some tiles, and holds them against the training ground."""

from __future__ import annotations

import numpy as np
import torch

from specdm.models.joint_model import JointModel
from specdm.models.pixels import Pixels
from specdm.models.spectral_calibration import GroundMoments, SpectralCalibration
from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import TileSet
from specdm.training.tile_tensors import to_pixels

BATCH = 64


def decode_calibrated(model: JointModel, calibration: SpectralCalibration | None, latents: torch.Tensor) -> Pixels:
    """Tiles from drawn latents `(n, channels, y, x)`, images corrected, masks as they were drawn."""
    if calibration is None:
        return model.decode(latents)
    own, groups = calibration, int(calibration.config["groups"])
    return model.decode(
        latents, correct=lambda components, tiles: own(components, kinds_of_ground(tiles, groups=groups))
    )


def fit_calibration(model: JointModel, drawn: torch.Tensor, tiles: TileSet) -> SpectralCalibration | None:
    """The correction that turns drawn tiles into such as the training ground has.

    Args:
        model: None comes back for one without image streams.
        drawn: latents `(n, channels, y, x)` of tiles drawn for this.
        tiles: training tiles.
    """
    parts, groups = model.component_counts, ground_groups(tiles)
    if not parts:
        return None
    real, decoded = ground_moments(model, tiles, groups=groups)
    found = SpectralCalibration(parts=parts, groups=groups, own_spread=True).to(model.device).eval()
    found.fit_kinds(drawn=drawn_moments(model, found, drawn), real=real, decoded=decoded)
    return found.fit_spread(drawn=drawn_moments(model, found, drawn), decoded=decoded)


def drawn_moments(model: JointModel, calibration: SpectralCalibration, drawn: torch.Tensor) -> GroundMoments:
    """Of drawn latents `(n, channels, y, x)`, as far as they are corrected."""
    moments = GroundMoments(model.component_counts, int(calibration.config["groups"]))
    for part in drawn.split(BATCH):
        pixels = decode_calibrated(model, calibration, part)
        _add(moments, model, pixels, pixels, torch.ones(len(part), *pixels.images.shape[-2:]))
    return moments


def ground_moments(model: JointModel, tiles: TileSet, *, groups: int) -> tuple[GroundMoments, GroundMoments]:
    """Of training ground as it is and after the codec, each pixel once however many windows show it."""
    real, decoded = (GroundMoments(model.component_counts, groups) for _ in range(2))
    ground = GroundSeen(tiles)
    for start in range(0, len(tiles), BATCH):
        index = np.arange(start, min(start + BATCH, len(tiles)))
        fresh = torch.from_numpy(ground.fresh(index)).float()
        shown = np.flatnonzero(fresh.any(dim=(1, 2)).numpy())
        if not len(shown):
            continue
        pixels = to_pixels(tiles, index[shown]).apply(lambda values: values.to(model.device))
        _add(real, model, pixels, pixels, fresh[shown])
        _add(decoded, model, model.decode(model.encode(pixels).latents), pixels, fresh[shown])
    return real, decoded


def ground_groups(tiles: TileSet) -> int:
    """Kinds of ground that masks tell apart: classes or materials, and one more for what is not labelled.

    One in all for free quantities, such as heights: they tell no kinds apart, and may be known on some ground only.
    """
    if tiles.layers:
        return len(tiles.classes or ()) + 1
    return len(tiles.quantities) + 1 if tiles.quantities is not None and tiles.quantities.sum_to_one else 1


def kinds_of_ground(pixels: Pixels, *, groups: int) -> torch.Tensor:
    """Number of each pixel's kind of ground at each date, int64 `(n, date, y, x)`; the last is unlabelled.

    The class of its mask (of its own date's mask where every date has one); without classes its largest abundance.
    """
    dates, layers = pixels.images.shape[1], pixels.positions.shape[1]
    if layers:
        found = pixels.positions if layers == dates else pixels.positions[:, :1].expand(-1, dates, -1, -1)
    elif groups > 1:
        known = pixels.amounts.isfinite().all(dim=1, keepdim=True)
        largest = pixels.amounts.nan_to_num(nan=0.0).argmax(dim=1, keepdim=True)
        found = torch.where(known, largest, -1).expand(-1, dates, -1, -1)
    else:
        shape = (len(pixels), dates, *pixels.images.shape[-2:])
        found = torch.zeros(shape, dtype=torch.int64, device=pixels.images.device)
    return torch.where(found < 0, groups - 1, found)


def _add(moments: GroundMoments, model: JointModel, shown: Pixels, labelled: Pixels, fresh: torch.Tensor) -> None:
    """Add spectra of one with the ground of the other: pixels that are new and whose spectra are known."""
    ground = kinds_of_ground(labelled, groups=moments.groups).cpu().movedim(1, -1)
    rows = model.image_components(shown).cpu().movedim(1, -1)
    chosen = (fresh > 0) & model.image_components(labelled).cpu().isfinite().all(dim=1)
    for tile, kinds, kept in zip(rows, ground, chosen, strict=True):
        moments.add(tile[kept], kinds[kept])
