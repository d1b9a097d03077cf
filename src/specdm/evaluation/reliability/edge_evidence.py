"""Do the borders of a mask lie where the image has them? From the spectra of a tile alone, without knowing classes."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.reliability.neighbourhood import across_border, alike_mean, window_sum

CORE = 3
"""Pixels from a border at which those of a class count as its core: errors of 2 px leave it clean."""

WINDOW = 5
"""Radius of the window in which the two sides of a border are compared (11 px across)."""

LEAST_CORE = 6
NO_SIDE = np.float32(-1e3)


def side_logits(spectra: np.ndarray, labels: np.ndarray, *, scale: float) -> np.ndarray:
    """How like the pixels of each label nearby every pixel is.

    Each label within the window is stood for by the mean spectrum of its core, the pixels away from borders, or of all
    its pixels if it has hardly any core; a pixel's own spectrum, smoothed among pixels alike, is held against them.
    The logit is that of Gaussians around the means, exp(-d^2 / 2 s^2), the variance s^2 that of pixels about the mean
    of their own side in this tile.

    Args:
        spectra: in noise units `(tile, y, x, component)`, NaN where no data.
        labels: class positions `(tile, y, x)`, -1 where unlabelled.
        scale: mean squared difference of neighbours, see `neighbour_scale`.

    Returns:
        float32 `(tile, y, x, label)`, labels up to the largest position; `NO_SIDE` for labels that are not nearby.
    """
    n_labels = int(labels.max(initial=0)) + 1
    found = np.full((*labels.shape, n_labels), NO_SIDE, np.float32)
    finite = np.isfinite(spectra).all(axis=-1)
    filled = np.where(finite[..., None], spectra, 0.0)
    smooth = alike_mean(filled, np.where(finite[..., None], spectra, np.nan), radius=1, scale=2 * scale)
    distance, _ = across_border(labels)
    apart = np.full(found.shape, np.nan)
    for position in np.unique(labels[labels >= 0]):
        at = np.flatnonzero((labels == position).any(axis=(1, 2)))
        own = (labels[at] == position) & finite[at]
        core = own & (distance[at] >= CORE)
        few = window_sum(core, radius=WINDOW) < LEAST_CORE
        means = []
        for chosen in (core, own):
            count = window_sum(chosen, radius=WINDOW)
            total = window_sum(np.where(chosen[..., None], filled[at], 0.0), radius=WINDOW)
            with np.errstate(invalid="ignore", divide="ignore"):
                means.append(np.where(count[..., None] > 0.5, total / np.round(count)[..., None], np.nan))
        mean = np.where(few[..., None], means[1], means[0])
        apart[at, ..., position] = np.square(smooth[at] - mean).mean(axis=-1)
    rows = np.nonzero(labels >= 0)
    own_apart = np.full(labels.shape, np.nan)
    own_apart[rows] = apart[(*rows, labels[rows])]
    # a tile's own spread: fields differ in how even they are
    spread = np.array([np.nanmedian(one) if np.isfinite(one).any() else scale for one in own_apart])
    spread = np.maximum(spread, scale / 4)
    logits = -apart / (2 * spread[:, None, None, None])
    there = np.isfinite(logits)
    found[there] = logits[there]
    return found


def gradient_alignment(spectra: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How much larger spectral gradients are on the borders of a mask than away from them, by tile.

    The gradient is the root mean squared difference of neighbours that share a side; on the border are pairs of
    different labels. 0 if borders lie anywhere, 1 if all of the gradient is there.

    Args:
        spectra: in noise units `(tile, y, x, component)`, NaN where no data.
        labels: class positions `(tile, y, x)`, -1 where unlabelled.

    Returns:
        float64 `(tile,)`, (on - off) / (on + off) of the mean gradients, -1 to 1; NaN where a tile has no border.
    """
    total = np.zeros((2, len(labels)))
    count = np.zeros((2, len(labels)))
    for axis in (1, 2):
        size = labels.shape[axis]
        first, second = (np.take(labels, range(a, size - 1 + a), axis=axis) for a in (0, 1))
        step = np.sqrt(np.square(np.diff(spectra, axis=axis)).mean(axis=-1))
        usable = (first >= 0) & (second >= 0) & np.isfinite(step)
        for row, chosen in enumerate((usable & (first != second), usable & (first == second))):
            total[row] += np.where(chosen, np.nan_to_num(step), 0.0).sum(axis=(1, 2))
            count[row] += chosen.sum(axis=(1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        on, off = total / count
        return (on - off) / (on + off)
