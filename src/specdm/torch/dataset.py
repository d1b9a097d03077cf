"""A tile set as a map-style dataset of PyTorch, one dict a tile, as the datasets of torchgeo return them."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import Dataset

from specdm.errors import ConfigError, TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.store import open_tiles
from specdm.tiles.tile_coords import SPLITS
from specdm.tiles.tileset import TileSet

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Item = dict[str, Any]
Transform = Callable[[Item], Item]


class TileDataset(Dataset[Item]):
    """Tiles of a tile set; each is read when it is asked for.

    An item is a dict of

    - `image`: float32 `(band, y, x)` in the user's units, NaN where no data; `(date, band, y, x)` for several dates;
    - `mask`: int64 `(y, x)`, or `(layer, y, x)` for several layers: positions of classes (not the values of files),
      `unlabelled` where there is none. Absent if the tiles have no masks;
    - `amount`: float32 `(quantity, y, x)`, NaN where unknown. Absent if the tiles have no amounts;
    - `index`: int, the tile's position in the tile set;
    - `name`: str, the tile's name.

    What torch's default collate makes of a list of them is a batch.

    *Workers.* A dataset made from a path hands its path to the workers of a loader, and each opens the store for
    itself, whether forked or spawned. One made from a `TileSet` hands over what that holds: little if it is lazy, every
    tile if it is in memory; save such a set first if it is large. Stores are compressed in chunks of several tiles, and
    a tile costs the decoding of its chunk: give a loader workers, or a set in memory where that fits.

    Attributes:
        transform: called with each item, last; None for none.
        unlabelled: mask value of pixels without a class.
    """

    def __init__(
        self,
        tiles: TileSet | str | Path,
        *,
        split: str | None = None,
        transform: Transform | None = None,
        unlabelled: int = UNLABELLED,
    ) -> None:
        """Open the tiles; reads none.

        Args:
            tiles: a tile set, or the path of its store.
            split: "train", "val", "test" or "synthetic"; None for the tiles of all splits.
            transform: takes an item and returns one; several go into a `torch.nn.Sequential`.
            unlabelled: any whole number that is no class position, such as -1 or 255; the `ignore_index` of the loss.

        Raises:
            TileError: no tile set, no such split, or no tile (in it).
            ConfigError: `unlabelled` is the position of a class.
        """
        self._path = None if isinstance(tiles, TileSet) else Path(tiles).absolute()
        self._tiles = tiles if isinstance(tiles, TileSet) else None
        self._opened_by = os.getpid()
        self._n_stored = len(self.tiles)
        # rebuilt by a tile set at each question, which would cost more than reading a small tile
        self._layout = self.tiles.layout
        self._positions = _positions(self.tiles, split)
        self.transform = transform
        self.unlabelled = unlabelled
        n_classes = len(self.classes or ())
        if isinstance(unlabelled, bool) or int(unlabelled) != unlabelled or 0 <= unlabelled < n_classes:
            raise ConfigError(
                f"unlabelled is {unlabelled!r}; expected a whole number that is no class position, so not 0 to "
                f"{n_classes - 1} (-1 and 255 are usual)"
            )

    # -- what it holds ---------------------------------------------------------------------------------------

    @property
    def tiles(self) -> TileSet:
        """The whole tile set, all splits, as this process has opened it."""
        if self._path is not None and (self._tiles is None or self._opened_by != os.getpid()):
            # a handle of the parent is not shared by a forked worker
            self._tiles, self._opened_by = open_tiles(self._path), os.getpid()
            if hasattr(self, "_n_stored") and len(self._tiles) != self._n_stored:
                raise TileError(
                    f"{self._path} had {self._n_stored} tiles and now has {len(self._tiles)}: it was replaced while "
                    "in use; make the dataset anew"
                )
        assert self._tiles is not None
        return self._tiles

    @property
    def positions(self) -> np.ndarray:
        """Position of each item in `tiles`, int64 `(n,)`."""
        return self._positions.copy()

    @property
    def classes(self) -> Classes | None:
        """The classes in the order of their positions; None if nothing was ever labelled, or there are no masks."""
        return self._layout.classes

    @property
    def num_classes(self) -> int:
        """Number of classes: the channels of a segmentation network's output.

        Raises:
            TileError: there are no masks with classes.
        """
        if (classes := self.classes) is None:
            quantities = self.tiles.quantities
            there = f"it has the amounts {', '.join(quantities.names)}" if quantities else "all of it is unlabelled"
            raise TileError(
                f"{self.tiles.where} has no masks with classes ({there}); "
                f"{'learn its amounts instead' if quantities else 'give labelled tiles'}"
            )
        return len(classes)

    @property
    def wavelength(self) -> np.ndarray | None:
        """Band centres in nm, float64 `(band,)`, or None if unknown."""
        return self.tiles.wavelength

    @property
    def channels(self) -> int:
        """Dates times bands: the channels of a network that sees all dates at once."""
        return self.tiles.n_dates * self.tiles.n_bands

    # -- items -----------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, i: int) -> Item:
        return self.transformed(self.read(i))

    def __iter__(self) -> Iterator[Item]:
        return (self[i] for i in range(len(self)))

    def read(self, i: int) -> Item:
        """An item before `transform`; its arrays are its own.

        Raises:
            IndexError: there is no such item.
            TileError: the store is damaged, or was replaced.
        """
        position, tiles = self._position(i), self.tiles
        # a position given as such is read as a copy, so no transform can change a set in memory
        image = tiles.images(position)[0]
        item: Item = {"image": torch.from_numpy(image if len(image) > 1 else image[0])}
        if self._layout.layers:
            item["mask"] = torch.from_numpy(self._mask(tiles.masks(position)[0]))
        if self._layout.quantities is not None:
            item["amount"] = torch.from_numpy(tiles.amounts(position)[0])
        return item | {"index": position, "name": str(tiles.dataset["tile_name"].values[position])}

    def transformed(self, item: Item) -> Item:
        """What `transform` makes of an item."""
        return item if self.transform is None else self.transform(item)

    def reliability(self, i: int) -> torch.Tensor:
        """How likely each label is right: float32 of the shape of `mask`, or `(y, x)` without masks; NaN unjudged.

        Raises:
            TileError: the tiles have no scores, or the store is damaged.
        """
        scores = self.tiles.reliability(self._position(i))[0]
        scores = scores[: len(self._layout.layers) or 1]
        return torch.from_numpy(scores if len(scores) > 1 else scores[0])

    def select(self, index: Sequence[int] | np.ndarray) -> TileDataset:
        """The items at these positions of this dataset (integers or booleans), with the same transform.

        Raises:
            TileError: that leaves none.
        """
        chosen = copy.copy(self)
        chosen._positions = self._positions[np.asarray(index)]
        if not len(chosen):
            raise TileError(f"{self.tiles.where}: nothing is selected of {len(self)} tiles; expected at least one")
        return chosen

    def plot(self, i: int) -> Figure:
        """A picture of an item before `transform`: every date above its masks and amounts.

        Raises:
            IndexError: there is no such item.
        """
        return self.tiles.select([self._position(i)]).plot(1)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | ({} if self._path is None else {"_tiles": None})

    def _position(self, i: int) -> int:
        if not -len(self) <= i < len(self):
            raise IndexError(f"item {i} of a dataset of {len(self)} tiles")
        return int(self._positions[i])

    def _mask(self, mask: np.ndarray) -> np.ndarray:
        """Class positions of `(layer, y, x)` values; one layer loses its axis."""
        classes = self.classes
        index = np.full(mask.shape, -1, np.int64) if classes is None else classes.index_of(mask)
        index[index < 0] = self.unlabelled
        return index if len(index) > 1 else index[0]


def _positions(tiles: TileSet, split: str | None) -> np.ndarray:
    if split is not None and split not in SPLITS:
        raise TileError(f"there is no split {split!r}; expected one of {', '.join(SPLITS)}, or None for all tiles")
    if not len(tiles):
        raise TileError(f"{tiles.where} holds no tile; expected at least one")
    if split is None:
        return np.arange(len(tiles))
    positions = np.flatnonzero(tiles.split == split)
    if not len(positions):
        there = ", ".join(f"{n} {name}" for name, n in zip(*np.unique(tiles.split, return_counts=True), strict=True))
        raise TileError(f"{tiles.where} has no tile of the split {split!r}; it has {there}")
    return positions
