"""From drawn latents to finished tiles: decoded, calibrated, gaps filled, noise put back, known pixels pasted."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from specdm.models.drawing import Drawing
from specdm.models.pixels import Pixels
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.draws import TileDraws
from specdm.synthesis.given import Given, pasted


@dataclass(frozen=True)
class Finish:
    """What is done to decoded tiles.

    Attributes:
        calibration: of spectra, or None.
        sensor_noise: put it back on the images.
        dense: label all ground.
        paste: known pixels as they were given.
    """

    calibration: SpectralCalibration | None
    sensor_noise: bool
    dense: bool
    paste: bool


def finished(
    drawing: Drawing, latents: torch.Tensor, *, draws: TileDraws, given: Given | None, finish: Finish
) -> Pixels:
    """Tiles on the CPU.

    Args:
        drawing: that drew them.
        latents: `(n, channels, y, x)`.
        draws: what they were drawn from.
        given: what was known of them.
        finish: what to do.
    """
    model = drawing.model
    tiles = decode_calibrated(model, finish.calibration, latents)
    if finish.sensor_noise:
        noise = model.sensor_noise(tiles.images.shape[-1], draws.generators)
        tiles = replace(tiles, images=tiles.images + noise)
    if given is not None and given.with_data is not None:
        tiles = replace(tiles, images=tiles.images.masked_fill(~given.with_data[:, :, None], float("nan")))
    if given is not None:
        # neither calibrated nor noisier, since it was not drawn
        there = given.pixels if finish.paste else model.decode(latents)
        tiles = pasted(tiles, there, given.streams, streams=model.streams)
    if finish.dense and bool((tiles.positions < 0).any()):
        filled = drawing.without_gaps(latents, draws.white.to(model.device))
        positions = torch.where(tiles.positions < 0, model.decode(filled, dense=True).positions, tiles.positions)
        tiles = replace(tiles, positions=positions)
    return tiles.apply(torch.Tensor.cpu)
