"""From drawn latents to finished tiles: decoded, calibrated, gaps filled, noise put back, known pixels pasted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from specdm.errors import ModelError
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.draws import TileDraws
from specdm.synthesis.given import Given, pasted
from specdm.synthesis.reading_masks import read_masks, with_gaps_labelled


@dataclass(frozen=True)
class Finish:
    """What is done to decoded tiles.

    Attributes:
        calibration: of spectra, or None.
        sensor_noise: put it back on the images.
        dense: label all ground.
        reader: of the masks, that labels ground which they say nothing of; None if there is none.
        paste: known pixels as they were given.
    """

    calibration: SpectralCalibration | None
    sensor_noise: bool
    dense: bool
    reader: MaskReader | None
    paste: bool


def finished(
    model: JointModel, latents: torch.Tensor, *, draws: TileDraws, given: Given | None, finish: Finish
) -> Pixels:
    """Tiles on the CPU.

    Args:
        model: whose latents these are.
        latents: `(n, channels, y, x)`.
        draws: what they were drawn from.
        given: what was known of them.
        finish: what to do.

    Raises:
        ModelError: latents that are not finite.
    """
    if not bool(torch.isfinite(latents).all()):
        raise ModelError(
            "the model draws values that are not finite, so no tile was written; draw with less guidance, or train it "
            "anew for longer or with a lower denoiser.rate"
        )
    tiles = bare = decode_calibrated(model, finish.calibration, latents)
    if finish.sensor_noise:
        noise = model.sensor_noise(tiles.images.shape[-1], draws.generators)
        tiles = replace(tiles, images=tiles.images + noise)
    if given is not None and given.with_data is not None:
        empty = ~given.with_data[:, :, None]
        tiles, bare = (replace(drawn, images=drawn.images.masked_fill(empty, float("nan"))) for drawn in (tiles, bare))
    if given is not None:
        # neither calibrated nor noisier, since it was not drawn
        there = given.pixels if finish.paste else model.decode(latents)
        tiles, bare = (pasted(drawn, there, given.streams, streams=model.streams) for drawn in (tiles, bare))
    if finish.dense and bool((tiles.positions < 0).any()):
        if finish.reader is not None:
            tiles = with_gaps_labelled(tiles, read_masks(model, finish.reader, bare).classes)
        else:  # a codec for all knows a class for ground that it leaves unlabelled
            positions = torch.where(tiles.positions < 0, model.decode(latents, dense=True).positions, tiles.positions)
            tiles = replace(tiles, positions=positions)
    return tiles.apply(torch.Tensor.cpu)
