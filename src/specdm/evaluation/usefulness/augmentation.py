"""What is done to a batch before a network sees it: the same in every arm, and two rivals of synthetic data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from specdm.evaluation.usefulness.parts import Part
from specdm.training.orientations import ORIENTATIONS, orient

Augmentation = Literal["usual", "mixup", "copy_paste"]

GAIN, OFFSET, BAND_OFFSET, NOISE = 0.1, 0.1, 0.05, 0.1
"""Spreads of the spectral jitter, in standard deviations of a band: the brightness of a tile, its level, the level of
each band, and the noise of each pixel."""

MIXUP_ALPHA = 0.4


@dataclass(frozen=True)
class Batch:
    """What a network is shown, and what of.

    Attributes:
        images: `(n, channels, y, x)`.
        answers: targets and weights with the share of each in the loss, summing to one.
    """

    images: torch.Tensor
    answers: tuple[tuple[float, Part], ...]


def augmented(part: Part, *, kind: Augmentation, generator: torch.Generator) -> Batch:
    """A batch turned, mirrored and jittered, then as the rival augmentation wants it.

    "mixup" mixes every tile with another and asks for both masks, each by its share (Zhang et al. 2018, "mixup: Beyond
    Empirical Risk Minimization", eq. 1; alpha 0.4). "copy_paste" puts the pixels of half of the classes of one tile
    over another, as ClassMix does (Olsson et al. 2021, "ClassMix: Segmentation-Based Data Augmentation for
    Semi-Supervised Learning"; there with predicted masks, here with given ones, as in Ghiasi et al. 2021, "Simple
    Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation").

    Args:
        part: the tiles of the batch.
        kind: "usual" for turns, mirrors and jitter alone.
        generator: on the CPU.
    """
    turn = int(torch.randint(ORIENTATIONS, (), generator=generator))
    part = part.apply(lambda values: orient(values, turn))
    if kind == "copy_paste":
        part = _pasted(part, generator)
    images = _jittered(part.images, generator)
    if kind != "mixup":
        return Batch(images, ((1.0, part),))
    share = _beta(MIXUP_ALPHA, generator)
    other = torch.randperm(len(part), generator=generator).to(images.device)
    mixed = share * images + (1 - share) * images[other]
    return Batch(mixed, ((share, part), (1 - share, part.apply(lambda values: values[other]))))


def _jittered(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    n, channels = images.shape[:2]

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).to(images.device)

    gain, level = 1 + GAIN * drawn(n, 1, 1, 1), OFFSET * drawn(n, 1, 1, 1)
    bands = BAND_OFFSET * drawn(n, channels, 1, 1)
    # noise is drawn where the images are: as many numbers as these have would have to be copied there
    seed = int(torch.randint(2**31 - 1, (), generator=generator))
    there = torch.Generator(images.device).manual_seed(seed)
    noise = NOISE * torch.randn(images.shape, generator=there, device=images.device)
    return images * gain + level + bands + noise


def _pasted(part: Part, generator: torch.Generator) -> Part:
    """Every tile with half of the classes (a window of half a side, for quantities) of another over it."""
    n, device = len(part), part.images.device
    other = torch.randperm(n, generator=generator).to(device)
    source = part.apply(lambda values: values[other])
    if part.targets.dtype == torch.int64:
        chosen = torch.rand(n, int(part.targets.max()) + 2, generator=generator).to(device) < 0.5
        chosen[:, -1] = False  # unlabelled ground is not pasted
        first = source.targets[:, 0]
        over = torch.gather(chosen, 1, torch.where(first >= 0, first, chosen.shape[1] - 1).flatten(1))
        over = over.view_as(first)[:, None]
    else:
        height, width = part.images.shape[-2:]
        top, left = (int(torch.randint(side // 2 + 1, (), generator=generator)) for side in (height, width))
        over = torch.zeros(n, 1, height, width, dtype=torch.bool, device=device)
        over[..., top : top + height // 2, left : left + width // 2] = True
    return Part(
        torch.where(over, source.images, part.images),
        torch.where(over, source.targets, part.targets),
        torch.where(over, source.weights, part.weights),
    )


def _beta(alpha: float, generator: torch.Generator) -> float:
    """A draw of Beta(alpha, alpha), by the method of Jöhnk (1964), which needs no gamma variates."""
    while True:
        first, second = (float(torch.rand((), generator=generator)) ** (1 / alpha) for _ in range(2))
        if 0 < first + second <= 1:
            return first / (first + second)
