"""Two parts of the real tiles that share no ground: how much one piece of ground differs from the next."""

from __future__ import annotations

import numpy as np

from specdm.tiles.tileset import TileSet

LEAST_HELDOUT = 48
"""Held-out tiles from which on they are the other part; fewer are too few to compare distributions."""

LEAST = 8
"""Tiles of a part below which nothing is compared."""

HELDOUT = "validation and test tiles against training tiles"
HALVES = "one half of the training ground against the other"


def real_parts(tiles: TileSet, *, seed: int) -> tuple[np.ndarray, np.ndarray, str] | None:
    """Positions of real tiles in two parts of equal count that share no pixel of ground.

    Held-out tiles against training tiles if there are enough of them; otherwise training windows of each scene on
    either side of the median of its longer window axis, those across it left out.

    Args:
        tiles: the whole real tile set.
        seed: of the draw that makes the counts equal.

    Returns:
        Positions in `tiles`, int64 `(n,)` each and rising, and what is held against what in words (first against
        second); None if there are too few tiles that share no ground.
    """
    random = np.random.default_rng(seed)
    train, held = np.flatnonzero(tiles.split == "train"), heldout_apart(tiles)
    if min(len(held), len(train)) >= LEAST_HELDOUT:
        return (*_equal(held, train, random), HELDOUT)
    first, second = _halves(tiles, train)
    if min(len(first), len(second)) < LEAST:
        return None
    return (*_equal(first, second, random), HALVES)


def heldout_apart(tiles: TileSet) -> np.ndarray:
    """Positions of the validation and test tiles that show no pixel of ground of a training tile.

    Where a scene has a train/test map of its own, test tiles pave it and may show training ground without labels.
    """
    held = np.flatnonzero(np.isin(tiles.split, ("val", "test")))
    return held[~shares_ground(tiles, held, np.flatnonzero(tiles.split == "train"))]


def shares_ground(tiles: TileSet, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which tiles at positions `one` show a pixel that a tile at positions `other` shows, bool `(one,)`."""
    from scipy.spatial import cKDTree

    sources, windows = _windows(tiles)
    _, number = np.unique(sources, return_inverse=True)
    placed = np.asarray((windows >= 0).all(axis=1))
    # windows overlap where rows and columns begin less than a window apart; those of two sources never do
    points = np.column_stack([windows, number * tiles.size])
    shares = np.zeros(len(one), bool)
    ground, asked = other[placed[other]], np.flatnonzero(placed[one])
    if len(ground) and len(asked):
        apart, _ = cKDTree(points[ground]).query(points[one[asked]], p=np.inf)
        shares[asked] = apart < tiles.size
    return shares


def same_ground(tiles: TileSet, index: np.ndarray) -> np.ndarray:
    """Which two tiles at these positions show a pixel of the same ground, bool `(n, n)`; none of those without windows.

    A few thousand tiles at the most: every pair is held.
    """
    sources, windows = (values[index] for values in _windows(tiles))
    _, source = np.unique(sources, return_inverse=True)
    placed = (windows >= 0).all(axis=1)
    near = np.abs(windows[:, None] - windows[None]).max(axis=-1) < tiles.size
    found = near & (source[:, None] == source[None]) & placed[:, None] & placed[None]
    return np.asarray(found)


def _halves(tiles: TileSet, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Training tiles on either side of the middle of each scene; of every other scene if that leaves too few."""
    sources, windows = _windows(tiles)
    names, number = np.unique(sources[train], return_inverse=True)
    placed = (windows[train] >= 0).all(axis=1)
    first, second = [], []
    order = np.argsort(number[placed], kind="stable")
    starts = np.flatnonzero(np.diff(number[placed][order], prepend=-1))
    for own in np.split(train[placed][order], starts[1:]):
        if not len(own):
            continue
        along = windows[own][:, np.argmax(np.ptp(windows[own], axis=0))]
        middle = np.median(along)
        # windows half a size or more before the middle end where those half a size behind it begin
        first.append(own[along <= middle - tiles.size / 2])
        second.append(own[along >= middle + tiles.size / 2])
    none = np.zeros(0, np.int64)
    halves = np.concatenate([none, *first]), np.concatenate([none, *second])
    if min(map(len, halves)) < LEAST and len(names) > 1:
        even = number % 2 == 0
        return train[even], train[~even]
    return halves


def _windows(tiles: TileSet) -> tuple[np.ndarray, np.ndarray]:
    """Source `(n,)` and first row and column `(n, 2)` of each tile."""
    sources = tiles.dataset["source"].values.astype(str)
    return sources, np.stack([tiles.dataset[key].values for key in ("window_y", "window_x")], axis=1).astype(np.int64)


def _equal(one: np.ndarray, other: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """As many of the one as of the other, drawn."""
    n = min(len(one), len(other))
    first, second = (
        part if len(part) == n else np.sort(random.choice(part, n, replace=False)) for part in (one, other)
    )
    return first, second
