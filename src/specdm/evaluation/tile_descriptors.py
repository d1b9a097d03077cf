"""What a tile looks like to the judges without a network: its spectral components, block by block."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.features import SpectralFeatures
from specdm.evaluation.looks import Looks

COMPONENTS = 6
"""Only the components of the best signal-to-noise: in the others tiles differ by noise."""

FINE, COARSE = 8, 4
"""Blocks along a side: fine ones tell a copy from what is alike, coarse ones compare distributions."""

LEAST_BLOCK = 4
"""Pixels along a fine block: in smaller ones, what a codec smooths away would tell a copy from its original."""


def fine_grid(size: int) -> int:
    """Fine blocks along a tile of so many pixels."""
    return max(1, min(FINE, size // LEAST_BLOCK))


def tile_descriptors(looks: Looks, index: np.ndarray, *, features: SpectralFeatures, grid: int) -> np.ndarray:
    """Means of the first components over a grid of blocks; where a tile is several looks, those after each other.

    Args:
        looks: at a tile set.
        index: positions of tiles.
        features: MNF of the real training spectra, of unit variance.
        grid: blocks along a side; never more than the tile has pixels.

    Returns:
        float32 `(n, component, grid, grid)`, components of all looks of a tile; NaN in blocks without data.
    """
    grid = min(grid, looks.tiles.size)
    kept = min(COMPONENTS, features.components)
    analysis = features.basis.analysis.numpy()[:kept].astype(np.float32)
    mean = features.basis.mean.numpy().astype(np.float32)[:, None]
    found = []
    for part in looks.batches(index):
        spectra = np.moveaxis(looks.spectra(part), -1, 1)
        n, channels, height, width = spectra.shape
        components = analysis @ (spectra.reshape(n, channels, -1) - mean)
        blocks = block_means(components.reshape(n, kept, height, width), grid)
        found.append(np.concatenate(np.split(blocks, looks.kinds), axis=1))
    return np.concatenate(found) if found else np.zeros((0, kept * looks.kinds, grid, grid), np.float32)


def block_means(images: np.ndarray, grid: int) -> np.ndarray:
    """Means over equal blocks, `(n, component, y, x)` to float32 `(n, component, grid, grid)`.

    Where blocks end within a pixel, it counts in both by its share, so that a turned image has turned means.
    NaN in a block less than half of which has data.
    """
    size = images.shape[-1]
    edges = np.linspace(0, size, grid + 1)
    pixel = np.arange(size)
    shares = np.clip(np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel), 0, 1)
    shares = (shares * grid / size).astype(np.float32)
    known = np.isfinite(images).all(axis=1, keepdims=True)
    total = shares @ np.where(known, images, 0).astype(np.float32) @ shares.T
    if known.all():
        return total
    weight = shares @ known.astype(np.float32) @ shares.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(weight >= 0.5, total / weight, np.float32(np.nan))


def filled(descriptors: np.ndarray) -> np.ndarray:
    """Descriptors as points `(n, d)`: a block without data is as the tile's others; NaN for a tile without any."""
    known = np.isfinite(descriptors)
    count = known.sum(axis=(2, 3), keepdims=True)
    mean = np.where(known, descriptors, 0).sum(axis=(2, 3), keepdims=True) / np.where(count, count, np.nan)
    return np.where(known, descriptors, mean).reshape(len(descriptors), -1)
