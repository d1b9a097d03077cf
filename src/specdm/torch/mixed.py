"""Real and synthetic tiles in one dataset, in the share asked for."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import Dataset, DistributedSampler

from specdm.errors import ConfigError, TileError
from specdm.torch.alike import check_alike
from specdm.torch.dataset import Item, TileDataset

Weights = Literal["constant", "reliability"]
REAL, SYNTHETIC = 0, 1


class MixedDataset(Dataset[Item]):
    """An epoch of real and synthetic tiles.

    Which tile stands where depends on the seed, the epoch and the position alone. Synthetic tiles are spread evenly
    over the epoch, so batches read in order hold the share asked for, give or take one tile: a loader need not
    shuffle. Of either kind every tile comes once before any comes again, also beyond the end of an epoch.

    An item is that of `TileDataset`, and

    - `weight`: float32, in the loss: 1 for real tiles. A number, or with `weights="reliability"` a map of the shape of
      `mask` (`(y, x)` where there are only amounts);
    - `synthetic`: bool;
    - `draw`: int, the item's number over all epochs.

    The transform of the dataset that a tile comes from is called last, on all of this.

    Attributes:
        real, synthetic: the datasets; `synthetic` is None for real tiles alone.
        epoch: see `set_epoch`.
    """

    def __init__(
        self,
        real: TileDataset,
        synthetic: TileDataset | None,
        *,
        ratio: float,
        length: int | None = None,
        seed: int = 0,
        weight: float = 1.0,
        weights: Weights = "constant",
    ) -> None:
        """Check that the two fit together; reads no tile.

        Args:
            real: training tiles.
            synthetic: tiles of the same bands, size and classes; None only with `ratio` 0.
            ratio: share of synthetic tiles in an epoch, 0 to 1.
            length: items of an epoch; default: so many that every real tile comes once (with `ratio` 1: every
                synthetic one).
            seed: of the order, from 0 up.
            weight: of synthetic tiles in the loss, finite, from 0 up.
            weights: "constant" gives every synthetic tile `weight`; "reliability" gives each of its pixels `weight`
                times the probability that its label is right, 1 where no such probability is known.

        Raises:
            ConfigError: a number out of range, or no such `weights`.
            TileError: the two sets have other bands, sizes, classes or unlabelled values, there are no synthetic
                tiles though some are asked for, or none of them has scores of reliability though these are asked for.
        """
        if not 0 <= ratio <= 1:
            raise ConfigError(f"ratio is {ratio}; expected the share of synthetic tiles, 0 to 1")
        if length is not None and length < 1:
            raise ConfigError(f"length is {length}; expected at least one item an epoch")
        if seed < 0:
            raise ConfigError(f"seed is {seed}; expected a number from 0 up")
        if not (math.isfinite(weight) and weight >= 0):
            raise ConfigError(f"weight is {weight}; expected a finite number from 0 up")
        if weights not in ("constant", "reliability"):
            raise ConfigError(f"weights is {weights!r}; expected 'constant' or 'reliability'")
        if synthetic is None:
            if ratio > 0:
                raise TileError(f"a share of {ratio:g} synthetic tiles is asked for, but none are given; sample some")
        else:
            check_alike(synthetic, real)
            if weights == "reliability" and not synthetic.tiles.scored:
                raise TileError(
                    f"{synthetic.tiles.where} has no scores of reliability to weight by; run: specdm reliability"
                )
        self.real, self.synthetic = real, synthetic
        self.ratio, self.seed, self.weight, self.weights = float(ratio), seed, float(weight), weights
        self.epoch = 0
        self._length = length or self._usual_length()
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def set_epoch(self, epoch: int) -> None:
        """Go on to an epoch, from 0 up, as with torch's `DistributedSampler`: before the loader is iterated over.

        Persistent workers keep the dataset they started with and do not hear of it. Lightning calls this through
        `EpochSampler`.
        """
        self.epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, i: int) -> Item:
        synthetic, place = self.source_of(i)
        dataset = self.synthetic if synthetic else self.real
        assert dataset is not None
        item = dataset.read(place)
        weight = self._weight(dataset, place, item, synthetic)
        return dataset.transformed(item | {"weight": weight, "synthetic": synthetic, "draw": self._draw(i)})

    def source_of(self, i: int) -> tuple[bool, int]:
        """Whether an item of this epoch is synthetic, and its position in `synthetic` or `real`; reads no tile.

        Raises:
            IndexError: there is no such item.
        """
        draw = self._draw(i)
        before = self._synthetic_until(draw)
        if self.synthetic is not None and self._synthetic_until(draw + 1) > before:
            return True, self._place(SYNTHETIC, before, len(self.synthetic))
        return False, self._place(REAL, draw - before, len(self.real))

    def _draw(self, i: int) -> int:
        """Number of an item over all epochs."""
        if not -self._length <= i < self._length:
            raise IndexError(f"item {i} of an epoch of {self._length}")
        return self.epoch * self._length + i % self._length

    def _usual_length(self) -> int:
        if self.ratio == 1:
            assert self.synthetic is not None
            return len(self.synthetic)
        return round(len(self.real) / (1 - self.ratio))

    def _synthetic_until(self, draw: int) -> int:
        """Synthetic tiles among the first `draw` draws."""
        return math.floor(draw * self.ratio + 0.5)

    def _place(self, kind: int, count: int, n: int) -> int:
        """Position of the tile that the draw number `count` of a kind gets."""
        run, place = divmod(count, n)
        if (kind, run) not in self._orders:
            # those of earlier runs are not needed again, and each is as long as the dataset
            self._orders = {key: order for key, order in self._orders.items() if key[0] != kind or key[1] == run - 1}
            self._orders[kind, run] = np.random.default_rng((self.seed, kind, run)).permutation(n)
        return int(self._orders[kind, run][place])

    def _weight(self, dataset: TileDataset, place: int, item: Item, synthetic: bool) -> torch.Tensor:
        given = self.weight if synthetic else 1.0
        if self.weights == "constant":
            return torch.tensor(given, dtype=torch.float32)
        if synthetic:
            return given * dataset.reliability(place).nan_to_num(nan=1.0)
        return torch.ones(item["mask"].shape if "mask" in item else item["image"].shape[-2:])

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_orders": {}}


class EpochSampler(DistributedSampler[Item]):
    """A `MixedDataset` in its own order, a part of it for each process; tells it of the epoch.

    Lightning calls `set_epoch` of a loader's sampler by itself, and leaves a sampler of this kind alone when it trains
    in several processes.
    """

    def __init__(self, dataset: MixedDataset, *, processes: int = 1, rank: int = 0) -> None:
        super().__init__(dataset, num_replicas=processes, rank=rank, shuffle=False)
        self._mixed = dataset

    def set_epoch(self, epoch: int) -> None:
        super().set_epoch(epoch)
        self._mixed.set_epoch(epoch)
