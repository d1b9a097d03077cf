"""Real labelled ground that the evidences are learnt from: some training windows, each pixel of ground once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from specdm.evaluation.features import SpectralFeatures
from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.reading import some
from specdm.evaluation.reference import fit_features

MOST_PIXELS = 160_000
"""Pixels of the windows that are read."""

LOOKED_THROUGH = 4096
"""Windows whose masks are looked at for the classes that they show."""

READ_AT_ONCE = 64

LEAST_FRESH = 0.1
"""Part of a window that must show ground no window before has shown."""

BLOCKS_A_TILE = 2
"""Blocks along a tile that are held out together, so that what is said of held-out ground is not its neighbour's."""


@dataclass(frozen=True)
class RealGround:
    """Real training windows; `n` looks.

    Attributes:
        features: MNF of the training spectra.
        components: `(n, y, x, component)`, NaN where no data.
        labels: class positions `(n, y, x)`, -1 where unlabelled.
        fresh: pixels that no window before has shown, `(n, y, x)`.
        blocks: number of the block of ground that a pixel lies in, int64 `(n, y, x)`.
        index: positions of the tiles, `(n / kinds,)`.
    """

    features: SpectralFeatures
    components: np.ndarray
    labels: np.ndarray
    fresh: np.ndarray
    blocks: np.ndarray
    index: np.ndarray

    @property
    def noise_scale(self) -> np.ndarray:
        """What makes components noise units, float32 `(component,)`."""
        return np.sqrt(self.features.basis.snr.numpy()).astype(np.float32)

    @classmethod
    def read(cls, looks: Looks, *, seed: int) -> RealGround:
        """Read training windows in a drawn order until they are enough, some of every class first.

        Raises:
            SceneError: fewer than two pixels have data in every band.
        """
        random = np.random.default_rng(seed)
        features = fit_features(looks, random=random)
        tiles = looks.tiles
        ground = FreshLooks(looks)
        most = max(8, MOST_PIXELS // (tiles.size**2 * looks.kinds))
        kept, fresh = [], []
        for at in _every_class_first(looks, random.permutation(len(tiles)), most=most):
            found = ground.fresh(np.array([at]))
            if found.mean() < LEAST_FRESH:
                continue
            kept.append(at)
            fresh.append(found)
            if len(kept) == most:
                break
        index = np.asarray(kept)
        # looks of a kind lie together, as those of `Looks` do
        seen = np.stack(fresh, axis=1).reshape(-1, tiles.size, tiles.size)
        parts = list(looks.batches(index))
        components = [looks.split(features.of_pixels(looks.spectra(part))) for part in parts]
        labels = [looks.split(looks.labels(part)) for part in parts]

        def joined(found: list[list[tuple[np.ndarray, ...]]]) -> np.ndarray:
            return np.concatenate([part[kind][0] for kind in range(looks.kinds) for part in found])

        return cls(features, joined(components), joined(labels), seen, _blocks(looks, index), index)

    def sample(self, *, most: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Components `(m, component)`, class positions and blocks `(m,)` of labelled pixels with data."""
        usable = self.fresh & (self.labels >= 0) & np.isfinite(self.components).all(axis=-1)
        places = np.flatnonzero(usable)
        chosen = places[some(len(places), most, random=np.random.default_rng(seed))]
        flat = self.components.reshape(-1, self.components.shape[-1])
        return flat[chosen], self.labels.ravel()[chosen], self.blocks.ravel()[chosen]


def _every_class_first(looks: Looks, order: np.ndarray, *, most: int) -> np.ndarray:
    """Windows in another order, if more are there than are read: for every class up to its share of them first.

    A class of a few fields would else be missed, and all its labels would count as wrong.

    Args:
        looks: at all of them.
        order: drawn.
        most: windows that are read.
    """
    if len(order) <= most or not looks.n_classes:
        return order
    looked = order[:LOOKED_THROUGH]
    shown = _classes_shown(looks, looked)
    first: list[int] = []
    wanted = np.full(looks.n_classes, max(1, most // (2 * looks.n_classes)))
    for at, there in zip(looked.tolist(), shown, strict=True):
        if (wanted[there] > 0).any():
            first.append(at)
            wanted[there] -= 1
    return np.concatenate([np.array(first, np.int64), order[~np.isin(order, first)]])


def _classes_shown(looks: Looks, index: np.ndarray) -> np.ndarray:
    """Which classes the windows at `index` show in any look, bool `(n, class)`."""
    found = np.zeros((len(index), looks.n_classes), bool)
    # neighbours on disk are read together
    by_place = np.argsort(index)
    for start in range(0, len(index), READ_AT_ONCE):
        places = by_place[start : start + READ_AT_ONCE]
        for (labels,) in looks.split(looks.labels(index[places])):
            rows, _, _ = np.nonzero(labels >= 0)
            found[places[rows], labels[labels >= 0]] = True
    return found


def _blocks(looks: Looks, index: np.ndarray) -> np.ndarray:
    tiles = looks.tiles
    side = max(1, tiles.size // BLOCKS_A_TILE)
    coords = tiles.dataset
    rows, columns = (coords[key].values[index].astype(np.int64) for key in ("window_y", "window_x"))
    _, source = np.unique(coords["source"].values.astype(str)[index], return_inverse=True)
    # a tile without a window is a block of its own
    placed = (rows >= 0) & (columns >= 0)
    wide = int(max(columns.max(initial=0), 0) + tiles.size) // side + 1
    tall = int(max(rows.max(initial=0), 0) + tiles.size) // side + 1
    steps = np.arange(tiles.size)
    down = (np.maximum(rows, 0)[:, None] + steps) // side
    right = (np.maximum(columns, 0)[:, None] + steps) // side
    number = (source[:, None, None] * tall + down[:, :, None]) * wide + right[:, None, :]
    alone = (source.max(initial=0) + 1) * tall * wide + np.arange(len(index))
    number = np.where(placed[:, None, None], number, alone[:, None, None])
    return np.tile(number, (looks.kinds, 1, 1))
