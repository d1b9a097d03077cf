"""What is done to an item (or a batch) of `TileDataset`: modules from dict to dict, for a `torch.nn.Sequential`.

None of them changes what it is given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from specdm.errors import ConfigError, TileError
from specdm.torch.dataset import Item, TileDataset
from specdm.training.draws import step_generator
from specdm.training.orientations import ORIENTATIONS, orient

SPATIAL = ("image", "mask", "amount", "weight")
FIT_TILES = 256


class Standardize(nn.Module):
    """`image` less the mean of each band, over its spread; NaN stays NaN."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, mean: torch.Tensor | np.ndarray | Sequence[float], std: torch.Tensor | np.ndarray | Sequence[float]
    ) -> None:
        """Take the statistics.

        Args:
            mean, std: `(band,)`, the same for all dates, or `(date, band)`; spreads above 0.

        Raises:
            ConfigError: of different shapes, not finite, or a spread that is not above 0.
        """
        super().__init__()
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32))
        if self.mean.shape != self.std.shape or self.mean.ndim not in (1, 2):
            raise ConfigError(
                f"mean and std have the shapes {tuple(self.mean.shape)} and {tuple(self.std.shape)}; "
                "expected (band,) or (date, band) for both"
            )
        if not (self.mean.isfinite().all() and self.std.isfinite().all() and (self.std > 0).all()):
            raise ConfigError("a mean or spread is not finite, or a spread is not above 0; give one of each a band")

    @classmethod
    def fit(cls, dataset: TileDataset, *, most: int = FIT_TILES) -> Standardize:
        """Mean and spread of each band (and date, for several) over pixels with data, before any transform.

        Give the real training tiles, whatever else is trained on: one standard for all.

        Args:
            dataset: tiles; read one after the other.
            most: tiles looked at, spread evenly over the dataset.

        Raises:
            ConfigError: `most` is below 1.
        """
        if most < 1:
            raise ConfigError(f"most is {most}; expected at least one tile to fit on")
        count = total = squares = np.zeros(1)
        for i in np.unique(np.linspace(0, len(dataset) - 1, min(most, len(dataset))).round().astype(int)):
            values = dataset.read(int(i))["image"].numpy().astype(np.float64)
            known = np.isfinite(values)
            n = known.sum(axis=(-2, -1))
            mean = np.where(known, values, 0.0).sum(axis=(-2, -1)) / np.maximum(n, 1)
            spread = np.where(known, (values - mean[..., None, None]) ** 2, 0.0).sum(axis=(-2, -1))
            # merged pairwise (Chan, Golub and LeVeque 1979, eq. 2.1): a sum of squares would lose small spreads
            both = np.maximum(count + n, 1)
            squares = squares + spread + (mean - total) ** 2 * count * n / both
            total = (total * count + mean * n) / both
            count = count + n
        std = np.sqrt(squares / np.maximum(count, 1))
        return cls(total, np.where(std > 0, std, 1.0))

    def forward(self, item: Item) -> Item:
        """The item with a standardised image.

        Raises:
            TileError: the image has other bands or dates.
        """
        image = item["image"]
        if image.ndim < self.mean.ndim + 2 or image.shape[-2 - self.mean.ndim : -2] != self.mean.shape:
            raise TileError(
                f"an image of shape {tuple(image.shape)} does not fit statistics of shape {tuple(self.mean.shape)}; "
                "fit them on tiles with the same bands and dates"
            )
        return item | {"image": (image - self.mean[..., None, None]) / self.std[..., None, None]}


class FillNoData(nn.Module):
    """`image` with a value in place of NaN. After `Standardize`, 0 is the mean of the band."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        if not np.isfinite(value):
            raise ConfigError(f"the value to fill in is {value}; expected a finite number")
        self.value = float(value)

    def forward(self, item: Item) -> Item:
        image = item["image"]
        return item | {"image": torch.where(image.isnan(), self.value, image)}


class RandomOrientation(nn.Module):
    """One of the eight orientations of a square, the same for image, mask, amounts and weights.

    Without a seed it draws from torch's own generator, which a loader seeds anew for each worker and epoch
    (`torch.manual_seed` repeats a run). With a seed the draw depends on the seed and on the item's `draw`
    (of `MixedDataset`, new in each epoch) or else its `index`, whatever the number of workers.
    """

    def __init__(self, *, seed: int | None = None) -> None:
        super().__init__()
        if seed is not None and seed < 0:
            raise ConfigError(f"seed is {seed}; expected a number from 0 up")
        self.seed = seed

    def forward(self, item: Item) -> Item:
        """The item, or the whole batch alike, turned and mirrored."""
        generator = None
        if self.seed is not None:
            number = torch.as_tensor(item.get("draw", item["index"])).flatten()[0]
            generator = step_generator(self.seed, int(number))
        turn = int(torch.randint(ORIENTATIONS, (), generator=generator))
        return item | {key: orient(item[key], turn).contiguous() for key in SPATIAL if _is_map(item.get(key))}


def _is_map(value: object) -> bool:
    """A weight may be one number an item instead, or one an item of a batch."""
    return isinstance(value, torch.Tensor) and value.ndim >= 2
