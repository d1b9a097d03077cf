"""Fits the kernel machine that reads classes off spectra: closed form, settings chosen by blocks of ground.

Regularised least squares on one-hot classes with a Gaussian kernel, also called a least-squares support vector machine
(Suykens and Vandewalle 1999, Neural Processing Letters 9). The error of pixels that are left out together with all of
their surroundings has a closed form too: An, Liu and Venkatesh 2007, "Fast cross-validation algorithms for least
squares support vector machine and kernel ridge regression", Pattern Recognition 40, eq. 14.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from specdm.models.spectral_reader import SpectralReader, likeness
from specdm.scenes.task import dates_of_layer
from specdm.tiles.labelled_pixels import LabelledPixels, draw_labelled
from specdm.tiles.tileset import TileSet
from specdm.training.spectral_metrics import Metric

LEAST_PIXELS = 10
"""Labelled pixels of a layer; of fewer nothing is learnt."""

TILES_AT_ONCE = 64

SEARCH_PIXELS = 1500
"""On which settings are chosen; the time grows with the cube."""

BLOCK = 16
"""Pixels across, of the squares of ground that are left out together."""

CHANGE_WEIGHT = 3.0
"""Of changes between dates where a mask layer is about all dates, in units of the components."""

SHARPNESS = 3.0
"""Of the kernel, over the median squared distance of two labelled pixels."""

WORTH = 0.97
"""Of the error of single spectra that theirs with their surroundings must fall below to be preferred."""

METRIC_WORTH = 0.9
"""Of the error by one metric that the error by the next must fall below to be preferred."""

RIDGES = (0.01, 0.1, 0.3, 1.0)
TEMPERATURES = torch.logspace(-1.0, -0.6, 9)
"""Least-squares scores lie near 0 and 1: below 0.1 all would be certain, above 0.25 nothing would ever be sure."""


@dataclass(frozen=True)
class _Candidate:
    """Settings of a machine, and how it did on pixels whose surroundings it had not seen."""

    error: float
    scale: torch.Tensor
    ridge: float
    temperature: float


def fit_spectra(
    spectral: SpectralReader,
    tiles: TileSet,
    *,
    components_at: Callable[[np.ndarray], torch.Tensor],
    metrics: Sequence[Metric],
    seed: int,
) -> None:
    """Let it remember labelled pixels of training tiles, layer by layer.

    Args:
        spectral: with room for them.
        tiles: to learn from.
        components_at: components of all dates, `(n, components, y, x)`, of the tiles at some positions.
        metrics: to choose from, the first unless another is clearly better; at least one.
        seed: of the draw of pixels, where there are more than there is room for.
    """
    n_layers, points = spectral.weights.shape[:2]
    for layer in range(n_layers):
        dates = dates_of_layer(layer, n_dates=tiles.n_dates, n_layers=n_layers)
        pixels = draw_labelled(tiles, layer=layer, most=points, block=BLOCK, seed=seed)
        # what changed is told from the noise of both dates, whatever the bands' spread: Taizhou F1 0.98 and 0.95 by the
        # first metric, 0.98 and 0.93 by the second, which left-out ground would have chosen
        able = metrics if len(dates) == 1 else metrics[:1]
        looks = spectral_rows(
            spectral, pixels, size=tiles.size, components_at=components_at, axes=[metric.axes for metric in able]
        )
        there = looks[0].isfinite().all(dim=1)
        if int(there.sum()) < LEAST_PIXELS:
            continue
        truth, blocks = (torch.from_numpy(values)[there] for values in (pixels.labels, pixels.blocks))
        best: tuple[_Candidate, Metric, torch.Tensor] | None = None
        for metric, rows in zip(able, (rows[there] for rows in looks), strict=True):
            scale = _scale(spectral, metric.weights, dates=dates)
            found = _chosen(rows, truth, blocks, scale=scale, classes=spectral.weights.shape[2], seed=seed)
            if best is None or found.error < METRIC_WORTH * best[0].error:
                best = found, metric, rows
        if best is not None:
            chosen, metric, rows = best
            spectral.axes[layer] = metric.axes
            _remember(spectral, layer, chosen, rows, truth)


def spectral_rows(
    spectral: SpectralReader,
    pixels: LabelledPixels,
    *,
    size: int,
    components_at: Callable[[np.ndarray], torch.Tensor],
    axes: Sequence[torch.Tensor],
) -> list[torch.Tensor]:
    """Features `(m, features)` of pixels of tiles of some size, along each of the axes, NaN without data."""
    tile, place = (torch.from_numpy(values) for values in np.divmod(pixels.places, size * size))
    rows = [[torch.zeros(0, spectral.scale.shape[1])] for _ in axes]
    for at in tile.unique().split(TILES_AT_ONCE) if len(tile) else ():
        components = components_at(at.numpy())
        empty = ~components.isfinite().all(dim=1, keepdim=True)
        mine = (tile >= at[0]) & (tile <= at[-1])
        for parts, along in zip(rows, axes, strict=True):
            features = spectral.features(components, axes=along).masked_fill(empty, float("nan")).flatten(2)
            parts.append(features[torch.searchsorted(at, tile[mine]), :, place[mine]])
    return [torch.cat(parts) for parts in rows]


def _scale(spectral: SpectralReader, weights: torch.Tensor, *, dates: list[int]) -> torch.Tensor:
    """Weight of each feature: what a metric weighs the components by, changes more."""
    by_date = weights.unflatten(0, (spectral.dates, -1)).clone()
    changes = CHANGE_WEIGHT * (by_date[1:] + by_date[:-1]) / 2
    if spectral.dates > 1 and len(dates) < spectral.dates:
        others = [date for date in range(spectral.dates) if date not in dates]
        by_date[others], changes = 0.0, torch.zeros_like(changes)
    both = torch.cat([by_date.flatten(), changes.flatten()]).repeat(2)
    return both / weights.square().mean().sqrt()


def _chosen(
    rows: torch.Tensor,
    truth: torch.Tensor,
    blocks: torch.Tensor,
    *,
    scale: torch.Tensor,
    classes: int,
    seed: int,
) -> _Candidate:
    """The best settings with and without surroundings by some of the pixels, with them only where they are worth it."""
    half = len(scale) // 2
    alone = torch.cat([scale[:half], torch.zeros(half)])
    random = np.random.default_rng(seed)
    few = torch.from_numpy(np.sort(random.permutation(len(truth))[:SEARCH_PIXELS]))
    searched = (rows[few], truth[few], blocks[few])
    best, wider = (
        min(_candidates(*searched, scale=one, classes=classes), key=lambda candidate: candidate.error)
        for one in (alone, scale)
    )
    return wider if wider.error < WORTH * best.error else best


def _remember(
    spectral: SpectralReader, layer: int, chosen: _Candidate, rows: torch.Tensor, truth: torch.Tensor
) -> None:
    shown = (rows * chosen.scale).double()
    sharpness = SHARPNESS / _median_distance(shown)
    factor = torch.linalg.cholesky(_ridged(likeness(shown, shown, sharpness=sharpness), chosen.ridge))
    weights = torch.cholesky_solve(_targets(truth, spectral.weights.shape[2]), factor)
    spectral.scale[layer] = chosen.scale
    spectral.support[layer, : len(truth)], spectral.weights[layer, : len(truth)] = shown.float(), weights.float()
    spectral.sharpness[layer], spectral.temperature[layer] = sharpness, chosen.temperature


def _candidates(
    rows: torch.Tensor, truth: torch.Tensor, blocks: torch.Tensor, *, scale: torch.Tensor, classes: int
) -> list[_Candidate]:
    shown = (rows * scale).double()
    kernel = likeness(shown, shown, sharpness=SHARPNESS / _median_distance(shown))
    wanted = F.one_hot(truth, classes).double()
    found = []
    for ridge in RIDGES:
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(_ridged(kernel, ridge)))
        weights = inverse @ _targets(truth, classes)
        scores = wanted.clone()
        for block in blocks.unique():
            own = torch.nonzero(blocks == block).flatten()
            # An et al. 2007, eq. 14: the error of a block that is left out
            scores[own] -= torch.linalg.solve(inverse[own][:, own], weights[own])
        error = float((scores - wanted).square().sum(dim=1).mean())
        entropies = torch.stack([F.cross_entropy(scores / temperature, truth) for temperature in TEMPERATURES])
        found.append(_Candidate(error, scale, ridge, float(TEMPERATURES[entropies.argmin()])))
    return found


def _targets(truth: torch.Tensor, classes: int) -> torch.Tensor:
    return F.one_hot(truth, classes).double() - 1 / classes


def _ridged(kernel: torch.Tensor, ridge: float) -> torch.Tensor:
    return kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype)


def _median_distance(rows: torch.Tensor) -> float:
    """Median squared distance of two rows, over some hundred evenly spread ones."""
    some = rows[:: max(1, len(rows) // 300)]
    return max(1e-12, float(torch.pdist(some).square().median()))
