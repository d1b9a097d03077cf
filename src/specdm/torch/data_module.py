"""Tiles for Lightning: the loaders of a run folder, or of tile sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from torch import nn
from torch.utils.data import DataLoader

from specdm.errors import ConfigError, TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.tileset import TileSet
from specdm.torch.dataset import TileDataset, Transform
from specdm.torch.mixed import EpochSampler, MixedDataset, Weights
from specdm.torch.transforms import FillNoData, RandomOrientation, Standardize

TILES = Path("tiles") / "tiles.zarr"
SYNTHETIC = Path("synthetic") / "tiles.zarr"
"""Where a run folder has its tile sets."""


class TileDataModule(L.LightningDataModule):
    """Training on real tiles, alone or mixed with synthetic ones; validation and test on real tiles.

    Batches of training are those of `MixedDataset`, also where there are no synthetic tiles: with `weight`. Batches of
    validation and test are those of `TileDataset`. A split without tiles has an empty loader. Training tiles of imagery
    that nobody labelled (`TileSet.annotated`) are left out: they have nothing to train a network on.

    Attributes:
        train: the dataset of training.
        val, test: those of validation and test, or None without tiles.
        standard: how images are standardised, fitted on real training tiles; None if `transform` is given.
    """

    def __init__(
        self,
        tiles: TileSet | str | Path,
        *,
        synthetic: TileSet | str | Path | None = None,
        ratio: float | None = None,
        length: int | None = None,
        weight: float = 1.0,
        weights: Weights = "constant",
        unlabelled: int = UNLABELLED,
        transform: Transform | None = None,
        augmentation: Transform | None = None,
        batch_size: int = 16,
        num_workers: int = 0,
        seed: int = 0,
    ) -> None:
        """Open the tile sets.

        Args:
            tiles: a run folder, a tile set, or the path of its store.
            synthetic: a tile set or the path of its store; default: that of the run folder, if it has one.
            ratio: share of synthetic tiles in an epoch, 0 to 1; default: none, and where `synthetic` is given the share
                has to be said.
            length, weight, weights: of `MixedDataset`.
            unlabelled: mask value of pixels without a class.
            transform: of every item; default: `Standardize` fitted on the real training tiles, then
                `FillNoData(0)`. Images of synthetic tiles get the same.
            augmentation: of training items, after `transform`; default: `RandomOrientation(seed=seed)`. Give
                `torch.nn.Identity()` for none.
            batch_size: items of a batch in each process, at least 1.
            num_workers: processes that read for each loader; 0 reads in the training process.
            seed: of the order and the default augmentation.

        Raises:
            TileError: no tile set, no training tiles, none that is labelled, or synthetic tiles that do not fit.
            ConfigError: a number out of range, or synthetic tiles without a share.
        """
        super().__init__()
        if synthetic is not None and ratio is None:
            raise ConfigError(
                "synthetic tiles are given, but not their share; say ratio=0.3, for instance (0 to train on real tiles)"
            )
        ratio = 0.0 if ratio is None else ratio
        if batch_size < 1 or num_workers < 0:
            raise ConfigError(
                f"batch_size is {batch_size} and num_workers {num_workers}; expected at least 1 and at least 0"
            )
        tiles, synthetic = _found(tiles, synthetic)
        real = TileDataset(tiles, split="train", unlabelled=unlabelled)
        annotated = real.tiles.annotated[real.positions]
        if not annotated.any():
            raise TileError(f"{real.tiles.where}: no training tile is of labelled ground; expected some to learn from")
        real = real.select(np.flatnonzero(annotated))
        self.standard = None
        if transform is None:
            self.standard = Standardize.fit(real)
            transform = nn.Sequential(self.standard, FillNoData(0.0))
        real.transform = _Chain(transform, RandomOrientation(seed=seed) if augmentation is None else augmentation)
        drawn = None
        if synthetic is not None and ratio > 0:
            drawn = TileDataset(synthetic, transform=real.transform, unlabelled=unlabelled)
        self.train = MixedDataset(real, drawn, ratio=ratio, length=length, seed=seed, weight=weight, weights=weights)
        self.val, self.test = (
            TileDataset(tiles, split=split, transform=transform, unlabelled=unlabelled)
            if (real.tiles.split == split).any()
            else None
            for split in ("val", "test")
        )
        self.batch_size, self.num_workers = batch_size, num_workers

    @property
    def classes(self) -> Classes | None:
        """The classes in the order of their positions; None without masks."""
        return self.train.real.classes

    @property
    def num_classes(self) -> int:
        """Number of classes.

        Raises:
            TileError: there are no masks with classes.
        """
        return self.train.real.num_classes

    @property
    def channels(self) -> int:
        """Dates times bands of an image."""
        return self.train.real.channels

    def train_dataloader(self) -> DataLoader[Any]:
        """Batches of the mixture; the last of an epoch is left out if it is short and not the only one."""
        processes, rank = (1, 0) if self.trainer is None else (self.trainer.world_size, self.trainer.global_rank)
        sampler = EpochSampler(self.train, processes=processes, rank=rank)
        return self._loader(self.train, sampler=sampler, drop_last=len(sampler) >= self.batch_size)

    def val_dataloader(self) -> Any:
        return [] if self.val is None else self._loader(self.val)

    def test_dataloader(self) -> Any:
        return [] if self.test is None else self._loader(self.test)

    def _loader(self, dataset: Any, **options: Any) -> DataLoader[Any]:
        return DataLoader(dataset, batch_size=self.batch_size, num_workers=self.num_workers, **options)


def _found(
    tiles: TileSet | str | Path, synthetic: TileSet | str | Path | None
) -> tuple[TileSet | Path, TileSet | str | Path | None]:
    """The tile sets of a run folder, or what is given."""
    if isinstance(tiles, TileSet):
        return tiles, synthetic
    path = Path(tiles)
    if not (path / TILES).is_dir():
        return path, synthetic
    if synthetic is None and (path / SYNTHETIC).is_dir():
        synthetic = path / SYNTHETIC
    return path / TILES, synthetic


class _Chain:
    """Two transforms one after the other, be they modules or not; a lambda inside would not go to workers."""

    def __init__(self, first: Transform, then: Transform) -> None:
        self.first, self.then = first, then

    def __call__(self, item: Any) -> Any:
        return self.then(self.first(item))
