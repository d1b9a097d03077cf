"""Control sets: tiles with a known fault, which show what the metrics see and what they miss."""

from __future__ import annotations

import numpy as np

from specdm.errors import TileError
from specdm.evaluation.looks import FreshLooks, Looks
from specdm.evaluation.reading import some
from specdm.tiles.tileset import TileSet

FIT_TILES, FIT_PIXELS = 1024, 200_000
"""Most training tiles, and pixels in all, that the Gaussians are fitted on."""


def training_copy(real: TileSet, *, n: int, seed: int = 0) -> TileSet:
    """The training tiles themselves: nothing is wrong with them but that they are copies.

    Args:
        real: tiles with a training split.
        n: tiles; drawn with replacement if there are fewer.
        seed: of the draw.

    Raises:
        TileError: there are no training tiles.
    """
    train, index, _ = _drawn(real, n=n, seed=seed)
    return _control(train, index, "training copy")


def shuffled_masks(real: TileSet, *, n: int, seed: int = 0) -> TileSet:
    """Training images with the masks and amounts of other tiles: each part is as real as can be, the pair is not.

    Args:
        real: tiles with a training split.
        n: tiles; drawn with replacement if there are fewer.
        seed: of the draws.

    Raises:
        TileError: there are fewer than two training tiles.
    """
    train, index, random = _drawn(real, n=n, seed=seed)
    if len(train) < 2:
        raise TileError(f"{real.where} has one training tile, whose mask fits; masks are shuffled among two or more")
    # a shift of a random order never gives a tile its own mask
    order = random.permutation(len(train))
    partner = np.empty_like(order)
    partner[order] = np.roll(order, 1)
    other = partner[index]
    return _control(train, index, "shuffled masks", masks=train.masks(other), amounts=train.amounts(other))


def gaussian_spectra(real: TileSet, *, n: int, seed: int = 0) -> TileSet:
    """Training masks with every spectrum drawn by itself from the Gaussian of its class.

    The class of a pixel is that of the first mask layer, without masks its dominant material; the Gaussian of
    unlabelled pixels, and of classes too rare for one of their own, is that of all pixels. Several dates are drawn
    jointly. Covariances are shrunk as by Ledoit and Wolf (2004), "A well-conditioned estimator for
    large-dimensional covariance matrices", Journal of Multivariate Analysis 88.

    Args:
        real: tiles with a training split.
        n: tiles; drawn with replacement if there are fewer.
        seed: of the draws.

    Raises:
        TileError: there are no training tiles, or no pixel of them has data.
    """
    train, index, random = _drawn(real, n=n, seed=seed)
    looks = Looks(train, ())
    gaussians = _fit(looks, random=random)
    images = np.full((n, *train.dataset["image"].shape[1:]), np.nan, np.float32)
    channels = [(date, train.bands_of(date)) for date in range(train.n_dates)]
    for place, position in enumerate(index):
        groups = _groups(train, np.array([position]))[0]
        spectra = np.empty((*groups.shape, looks.n_channels), np.float32)
        for group in np.unique(groups):
            mean, factor = gaussians.get(int(group), gaussians[-1])
            own = groups == group
            spectra[own] = mean + random.standard_normal((int(own.sum()), factor.shape[1])) @ factor.T
        start = 0
        for date, bands in channels:
            images[place, date, bands] = np.moveaxis(spectra[..., start : start + len(bands)], -1, 0)
            start += len(bands)
    return _control(train, index, "gaussian spectra", images=images)


def _drawn(real: TileSet, *, n: int, seed: int) -> tuple[TileSet, np.ndarray, np.random.Generator]:
    """Training tiles, positions of `n` of them, and the generator."""
    random = np.random.default_rng(seed)
    train = real.of_labelled_scenes().train
    if not len(train):
        raise TileError(f"{real.where} has no training tiles; give the whole real tile set")
    if n <= len(train):
        return train, some(len(train), n, random=random), random
    return train, np.concatenate([np.arange(len(train)), random.integers(0, len(train), n - len(train))]), random


def _control(
    train: TileSet,
    index: np.ndarray,
    name: str,
    *,
    images: np.ndarray | None = None,
    masks: np.ndarray | None = None,
    amounts: np.ndarray | None = None,
) -> TileSet:
    """Synthetic tiles like the training tiles at some positions, but for what is given."""
    dataset = train.select(index).dataset
    given = {
        key: (dataset[key].dims, values, dataset[key].attrs)
        for key, values in (("image", images), ("mask", masks), ("amount", amounts))
        if key in dataset and values is not None
    }
    n = len(index)
    coords = {
        "split": np.full(n, "synthetic"),
        "source": np.full(n, name),
        "window_y": np.full(n, -1),
        "window_x": np.full(n, -1),
        "index": np.arange(n),
        "tile_name": np.array([f"{name} {i}" for i in range(n)]),
    }
    return TileSet(
        dataset.assign(given).assign_coords({key: ("tile", values) for key, values in coords.items()}), where=name
    )


def _groups(tiles: TileSet, index: np.ndarray) -> np.ndarray:
    """Class of the first layer, or else dominant material, of each pixel, int64 `(n, y, x)`; -1 where unknown."""
    if tiles.classes is not None and tiles.layers:
        return tiles.classes.index_of(tiles.masks(index)[:, 0])
    if tiles.quantities is not None and tiles.quantities.sum_to_one:
        amounts = tiles.amounts(index)
        known = np.isfinite(amounts).all(axis=1)
        return np.where(known, np.where(np.isfinite(amounts), amounts, -np.inf).argmax(axis=1), -1)
    return np.full((len(index), tiles.size, tiles.size), -1)


def _fit(looks: Looks, *, random: np.random.Generator) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Mean and a factor of the covariance of each group, and of all pixels under -1."""
    tiles = looks.tiles
    index = some(len(tiles), FIT_TILES, random=random)
    share = min(1.0, FIT_PIXELS / max(1, len(index) * tiles.size**2))
    ground = FreshLooks(looks)
    found, groups = [], []
    for part in looks.batches(index):
        chosen = ground.fresh(part)
        chosen &= random.random(chosen.shape) < share
        spectra = looks.spectra(part)[chosen]
        valid = np.isfinite(spectra).all(axis=1)
        found.append(spectra[valid])
        groups.append(_groups(tiles, part)[chosen][valid])
    spectra, group = np.concatenate(found), np.concatenate(groups)
    if not len(spectra):
        raise TileError(f"no training pixel of {tiles.where} has data in every band; nothing can be fitted")
    gaussians = {-1: _gaussian(spectra)}
    for position in np.unique(group[group >= 0]):
        if (own := group == position).sum() > 1:
            gaussians[int(position)] = _gaussian(spectra[own])
    return gaussians


def _gaussian(spectra: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.covariance import ledoit_wolf

    spectra = spectra.astype(np.float64)
    covariance, _ = ledoit_wolf(spectra)
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    return spectra.mean(axis=0), vectors * np.sqrt(np.maximum(values, 0))
