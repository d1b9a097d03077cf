"""How near the spectra of classes are to each other."""

from __future__ import annotations

import numpy as np

from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.spectra import SpectraStatistics
from specdm.tiles.tileset import TileSet


def class_distances(tiles: TileSet, layer: int) -> np.ndarray:
    """Distance between the mean spectra of classes, each band in units of the spread within classes.

    Args:
        tiles: with labelled pixels.
        layer: position of the mask layer whose classes are meant; its own dates' spectra count.

    Returns:
        float64 `(class, class)`, symmetric, 0 on the diagonal; NaN for classes without a labelled pixel.
    """
    looks = Looks(tiles, (layer,))
    ground = FreshLooks(looks)
    statistics = SpectraStatistics(looks.n_classes, looks.n_channels)
    for part in looks.batches(np.arange(len(tiles))):
        chosen = ground.fresh(part) & (looks.labels(part) >= 0)
        statistics.add(looks.spectra(part)[chosen], looks.labels(part)[chosen])
    count, mean, std = statistics.count[:-1], statistics.mean[:-1], statistics.std[:-1]
    seen = count > 0
    if not seen.any():
        return np.full((len(count), len(count)), np.nan)
    within = np.sqrt((count[seen, None] * np.square(std[seen])).sum(axis=0) / count[seen].sum())
    scaled = mean / np.where(within > 0, within, 1.0)
    return np.sqrt(np.square(scaled[:, None] - scaled[None]).mean(axis=-1))
