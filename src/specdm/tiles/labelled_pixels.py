"""Labelled pixels of a tile set, each of ground once: what classifiers of single spectra learn from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from specdm.tiles.coverage import GroundSeen
from specdm.tiles.tileset import COUNT_BATCH, TileSet

LEAST_OF_A_CLASS = 30
"""Pixels of a rare class that are taken before the others are drawn."""


@dataclass(frozen=True)
class LabelledPixels:
    """Some pixels, in rising order.

    Attributes:
        places: int64 `(m,)` in `(tile, y, x)`.
        labels: class positions, int64 `(m,)`.
        blocks: number of the square of ground that each lies in, int64 `(m,)`.
    """

    places: np.ndarray
    labels: np.ndarray
    blocks: np.ndarray

    def __len__(self) -> int:
        return len(self.places)


def draw_labelled(tiles: TileSet, *, layer: int, most: int, block: int, seed: int) -> LabelledPixels:
    """At most `most` labelled pixels of a mask layer, rare classes first.

    Args:
        tiles: with classes.
        layer: position of the mask layer.
        most: pixels.
        block: pixels across, of the squares of ground.
        seed: of the draw.
    """
    classes = tiles.classes
    if classes is None:
        return LabelledPixels(*(np.zeros(0, np.int64) for _ in range(3)))

    places, labels = labelled_places(tiles, lambda part: classes.index_of(tiles.masks(part)[:, layer]))
    chosen = rare_first(labels, most=most, seed=seed)
    return LabelledPixels(places[chosen], labels[chosen], _blocks(tiles, places[chosen], block))


def labelled_places(tiles: TileSet, labels_of: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Places `(m,)` in `(tile, y, x)` of labelled pixels, each of ground once, and their labels.

    Args:
        tiles: of which some are asked for at a time.
        labels_of: class positions `(n, y, x)` of tiles at some positions, -1 where unlabelled.
    """
    ground = GroundSeen(tiles)
    places, labels = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for start in range(0, len(tiles), COUNT_BATCH):
        part = np.arange(start, min(start + COUNT_BATCH, len(tiles)))
        found = np.where(ground.fresh(part), labels_of(part), -1).ravel()
        own = np.flatnonzero(found >= 0)
        places.append(start * tiles.size**2 + own)
        labels.append(found[own])
    return np.concatenate(places), np.concatenate(labels)


def rare_first(labels: np.ndarray, *, most: int, seed: int) -> np.ndarray:
    """Positions of at most `most` labels, rising; rare classes are taken first, as a draw could lose them."""
    if len(labels) <= most:
        return np.arange(len(labels))
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(labels), bool)
    found = np.unique(labels)
    least = min(LEAST_OF_A_CLASS, most // len(found))
    for label in found:
        own = np.flatnonzero(labels == label)
        chosen[random.choice(own, min(len(own), least), replace=False)] = True
    rest = np.flatnonzero(~chosen)
    chosen[random.choice(rest, most - int(chosen.sum()), replace=False)] = True
    return np.flatnonzero(chosen)


def _blocks(tiles: TileSet, places: np.ndarray, size: int) -> np.ndarray:
    tile, place = np.divmod(places, tiles.size**2)
    y, x = np.divmod(place, tiles.size)
    rows, columns = (tiles.dataset[key].values[tile] for key in ("window_y", "window_x"))
    # tiles without a window, as synthetic ones, are a block each
    whole = rows < 0
    _, source = np.unique(tiles.dataset["source"].values.astype(str)[tile], return_inverse=True)
    at = np.stack([source, np.where(whole, -1 - tile, (rows + y) // size), np.where(whole, 0, (columns + x) // size)])
    return np.unique(at, axis=1, return_inverse=True)[1].ravel().astype(np.int64)
