"""Latents of a scene to its pixels, part by part, as decoding all at once would give them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.models.receptive_field import reach
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.calibration import decode_calibrated
from specdm.synthesis.canvas.cells import CellFile
from specdm.synthesis.canvas.draws import BLOCK, sensor_generator
from specdm.synthesis.canvas.ground import KnownGround
from specdm.synthesis.canvas.windows import Area, blocks
from specdm.synthesis.reading_masks import read_masks, with_gaps_labelled


@dataclass(frozen=True)
class SceneFinish:
    """What is done to decoded pixels.

    Attributes:
        calibration: of spectra, or None.
        seed: of the sensor noise; None: no noise.
        known: ground that comes back as it was given, or None.
        reader: that labels ground which masks say nothing of; None: it stays unlabelled.
    """

    calibration: SpectralCalibration | None
    seed: int | None
    known: KnownGround | None
    reader: MaskReader | None


@torch.no_grad()
def finished_parts(
    model: JointModel, latents: CellFile, *, canvas: Area, finish: SceneFinish
) -> Iterator[tuple[Area, Pixels]]:
    """The blocks of a scene with their pixels (one tile each, on the CPU), row by row.

    Args:
        model: whose latents these are.
        latents: of the scene.
        canvas: all cells.
        finish: what to do.
    """
    margin = max(reach(model.codec_of(stream)) for stream in model.streams)  # type: ignore[arg-type]
    if finish.reader is not None:
        margin += -(-finish.reader.reach // model.factor)
    for area in blocks(canvas, BLOCK):
        wide, ground = area.grown(margin, inside=canvas), area.times(model.factor)
        around = wide.times(model.factor)
        kept = ground.within(around)
        drawn = decode_calibrated(model, finish.calibration, latents.read(wide)[None].to(model.device))
        pixels = _cropped(drawn, kept)
        if finish.seed is not None:
            noise = model.sensor_noise(BLOCK * model.factor, [sensor_generator(finish.seed, area)])
            block = Area(area.y // BLOCK, area.x // BLOCK, 1, 1).times(BLOCK * model.factor)
            pixels = replace(pixels, images=pixels.images + noise[..., *ground.within(block)])
        if finish.known is not None:
            pixels = finish.known.pasted(pixels, ground)
        if finish.reader is not None and bool((pixels.positions < 0).any()):
            shown = drawn if finish.known is None else finish.known.pasted(drawn, around)
            read = read_masks(model, finish.reader, shown).classes
            pixels = with_gaps_labelled(pixels, read[..., *kept])
        yield ground, pixels.apply(torch.Tensor.cpu)


def _cropped(pixels: Pixels, kept: tuple[slice, slice]) -> Pixels:
    return pixels.apply(lambda values: values[..., *kept])
