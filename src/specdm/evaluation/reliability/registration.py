"""Would a mask fit its image better if it were moved by a few pixels, or a border if it lay elsewhere?"""

from __future__ import annotations

import numpy as np

from specdm.evaluation.reliability.mask_shapes import shifted
from specdm.evaluation.reliability.neighbourhood import across_border, group_mean, window_sum

MOST_SHIFT = 4
CLIP = 3.0
"""Most that one pixel says for or against a shift."""

TEMPER = 0.15
"""Weight of a pixel among neighbours that say the same."""

UNSEEN = 0.7
"""Chance that a label stays where the shifted mask says nothing: most labels are right."""

BAND = 2.5
"""Pixels from a border whose evidence is taken together."""

BAND_WINDOW = 3


def shift_log_odds(logits: np.ndarray, labels: np.ndarray, *, most: int = MOST_SHIFT) -> tuple[np.ndarray, np.ndarray]:
    """Weigh all shifts of a mask against each other, and say which labels would stay.

    A shift is as likely as the evidence of the pixels whose label it changes: the sum of log p(new) - log p(old), each
    within `CLIP`. No shift is the likeliest before anything is seen.

    Args:
        logits: logarithms of class probabilities, up to a constant a pixel, `(tile, y, x, class)`.
        labels: class positions `(tile, y, x)`, -1 where unlabelled.
        most: largest shift in px, along rows and columns.

    Returns:
        Log odds that a pixel has the same label after the likely shifts, float32 `(tile, y, x)`, within 8; and the log
        odds of no shift against the best, `(tile,)`, 0 or below.
    """
    steps = [(dy, dx) for dy in range(-most, most + 1) for dx in range(-most, most + 1)]
    kept = np.full(labels.shape, 8.0, np.float32)
    still = np.zeros(len(labels))
    rows, columns = np.mgrid[: labels.shape[1], : labels.shape[2]]
    for at, (evidence, old) in enumerate(zip(logits, labels, strict=True)):
        said = evidence[rows, columns, np.maximum(old, 0)]
        gains, same = np.zeros(len(steps)), []
        for number, (dy, dx) in enumerate(steps):
            new = shifted(old, dy, dx, fill=-1)
            both = (old >= 0) & (new >= 0)
            differs = both & (new != old)
            gain = evidence[rows, columns, np.maximum(new, 0)] - said
            gains[number] = TEMPER * np.clip(gain[differs], -CLIP, CLIP).sum() - (1.0 if dy or dx else 0.0)
            same.append(np.where(both, new == old, UNSEEN))
        weight = np.exp(gains - gains.max())
        stays = np.einsum("s,syx->yx", weight / weight.sum(), np.stack(same))
        kept[at] = np.clip(np.log(stays + 4e-4) - np.log(1 - stays + 4e-4), -8, 8)
        still[at] = gains[most * (2 * most + 1) + most] - gains.max()
    return kept, still


def band_margins(logits: np.ndarray, labels: np.ndarray, regions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Evidence for a pixel's label against that across the nearest border, taken together along the border.

    Args:
        logits: logarithms of class probabilities, up to a constant a pixel, `(tile, y, x, class)`.
        labels: class positions `(tile, y, x)`, -1 where unlabelled.
        regions: see `all_regions`.

    Returns:
        Mean of log p(own) - log p(across) over the pixels of a window that lie on the same side of the same border, and
        over all of the region that do; float32 `(tile, y, x)`, NaN further than `BAND` from a border.
    """
    distance, across = across_border(labels)
    near = (labels >= 0) & (distance <= BAND)
    own = np.take_along_axis(logits, np.maximum(labels, 0)[..., None], axis=-1)[..., 0]
    other = np.take_along_axis(logits, np.maximum(across, 0)[..., None], axis=-1)[..., 0]
    margin = np.where(near, np.clip(own - other, -2 * CLIP, 2 * CLIP), 0.0)
    width = int(labels.max(initial=0)) + 1
    pair = np.where(near, labels * width + across, -1)
    local = np.full(labels.shape, np.nan, np.float32)
    for number in np.unique(pair[near]):
        side = pair == number
        at = np.flatnonzero(side.any(axis=(1, 2)))
        count = window_sum(side[at], radius=BAND_WINDOW)
        total = window_sum(np.where(side[at], margin[at], 0.0), radius=BAND_WINDOW)
        rows = local[at]
        rows[side[at]] = (total / np.maximum(count, 0.5))[side[at]]
        local[at] = rows
    group = np.where(near, regions * width + across, -1)
    return local, group_mean(margin[..., None], group)[..., 0].astype(np.float32)
