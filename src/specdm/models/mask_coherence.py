"""Drawn masks made as coherent as real ones: among neighbouring pixels, how often do two classes meet?

A denoiser that was trained for minutes draws fields dotted with other classes: on Indian Pines four of ten regions had
less than 8 pixels, one of twenty real ones has. What it says of every pixel is therefore weighed with what it says of
the pixels around, by mean-field rounds of a Potts model (Besag 1986, "On the statistical analysis of dirty pictures",
section 3; the rounds as in Kraehenbuehl & Koltun 2011, "Efficient inference in fully connected CRFs with Gaussian edge
potentials", algorithm 1). A factor a class keeps its share of the tile, as in `composition_tilt`; without it rare
classes would be outvoted. Neighbours are those that say anything: nothing is passed on by ground without labels.
"""

from __future__ import annotations

import torch
from torch.nn.functional import avg_pool2d, interpolate, one_hot

ROUNDS, SCALINGS = 15, 2
"""Of hearing neighbours, and in each of fitting the factors of classes."""

LEAST, LEAST_SHARE = 1e-6, 1e-9
"""Probability of a pixel, and share of a tile, that no class is below."""

MOST_STEP, MOST_FACTOR = 3.0, 60.0
"""Largest change of a class's log factor in a round, and its largest size."""

STRENGTHS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Of which the one is taken that makes drawn masks most like real ones. With 50 rare classes are lost."""


def coherent(
    probabilities: torch.Tensor,
    counts: torch.Tensor,
    *,
    strength: float,
    factor: int,
    composition: torch.Tensor | None = None,
) -> torch.Tensor:
    """Class probabilities weighed with those of their neighbours.

    Neighbours are the eight cells around, of `factor` x `factor` pixels each, as latents have them.

    Args:
        probabilities: `(n, classes, y, x)`, summing to one over classes.
        counts: `(n, y, x)`, 1 for pixels that say something, else 0.
        strength: log odds that agreeing neighbours add; 0 changes nothing.
        factor: pixels of a cell, along a side.
        composition: `(n, classes)`, shares to keep; NaN, and by default: those of the most probable classes.

    Returns:
        `(n, classes, y, x)`; as they were where nothing is said.
    """
    if strength == 0:
        return probabilities
    said = counts[:, None].to(probabilities.dtype)
    weight = avg_pool2d(said, factor)
    logs = probabilities.clamp(min=LEAST).log()
    cells = avg_pool2d(logs * said, factor) / weight.clamp(min=LEAST)
    around = _around(weight).clamp(min=LEAST)
    total = weight.sum(dim=(2, 3)).clamp(min=LEAST)

    def shares(guess: torch.Tensor) -> torch.Tensor:
        return ((guess * weight).sum(dim=(2, 3)) / total).clamp(min=LEAST_SHARE)

    # not those of the mean probabilities: a class that is unlikely everywhere is to stay nowhere
    likeliest = one_hot(probabilities.argmax(dim=1), probabilities.shape[1]).movedim(-1, 1) * said
    wanted = (likeliest.sum(dim=(2, 3)) / said.sum(dim=(2, 3)).clamp(min=LEAST)).clamp(min=LEAST_SHARE)
    if composition is not None:
        wanted = torch.where(composition.isfinite(), composition, wanted).clamp(min=LEAST_SHARE)
    guess = cells.softmax(dim=1)
    logs_of_classes = torch.zeros_like(wanted)
    for _ in range(ROUNDS):
        heard = strength * _around(guess * weight) / around
        for _ in range(SCALINGS):
            guess = (cells + heard + logs_of_classes[:, :, None, None]).softmax(dim=1)
            step = (wanted / shares(guess)).log().clamp(-MOST_STEP, MOST_STEP)
            logs_of_classes = (logs_of_classes + step).clamp(-MOST_FACTOR, MOST_FACTOR)
    heard = interpolate(heard, scale_factor=factor, mode="bilinear", align_corners=False)
    found = (logs + heard + logs_of_classes[:, :, None, None]).softmax(dim=1)
    return torch.where(said > 0, found, probabilities)


def border_share(positions: torch.Tensor) -> float | None:
    """Of neighbouring pixels that are both labelled, the share in which two classes meet.

    Args:
        positions: `(n, y, x)` class positions, -1 where unlabelled.

    Returns:
        0 to 1; None without labelled neighbours.
    """
    meet = pairs = 0
    for first, second in ((positions[:, 1:], positions[:, :-1]), (positions[..., 1:], positions[..., :-1])):
        both = (first >= 0) & (second >= 0)
        pairs += int(both.sum())
        meet += int((both & (first != second)).sum())
    return meet / pairs if pairs else None


def _around(values: torch.Tensor) -> torch.Tensor:
    """Sum over a cell and the eight around it, over nine."""
    return avg_pool2d(values, 3, stride=1, padding=1)
