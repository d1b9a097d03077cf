"""Image and mask of a tile as the channels of one picture, and back: what the stock model sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot

from specdm.models.pixels import Pixels
from specdm.tiles.tileset import TileSet


@dataclass(frozen=True)
class Channels:
    """How tiles become channels and channels tiles.

    Attributes:
        tiles: a set of the same layout.
        mean, std: of each band of each date, `(date, band, 1, 1)`; NaN where a date has no such band.
        amount_mean, amount_std: of each quantity, `(quantity, 1, 1)`; 0 and 1 for abundances.
    """

    tiles: TileSet
    mean: torch.Tensor
    std: torch.Tensor
    amount_mean: torch.Tensor
    amount_std: torch.Tensor

    @classmethod
    def fitted(cls, tiles: TileSet, pixels: Pixels) -> Channels:
        mean, std = _moments(pixels.images)
        amount_mean, amount_std = _moments(pixels.amounts)
        if tiles.quantities is not None and tiles.quantities.sum_to_one:
            amount_mean, amount_std = torch.zeros_like(amount_mean), torch.ones_like(amount_std)
        return cls(tiles, mean, std, amount_mean, amount_std)

    @property
    def own(self) -> torch.Tensor:
        """Which bands each date has, bool `(date, band)`."""
        return torch.from_numpy(self.tiles.layout.own_bands)

    @property
    def kinds(self) -> int:
        """Channels of a mask layer: the classes and one for unlabelled."""
        return len(self.tiles.classes or ()) + 1

    def of(self, pixels: Pixels) -> torch.Tensor:
        """`(n, channel, y, x)`; pixels without data hold the band's mean."""
        images = ((pixels.images - self.mean) / self.std)[:, self.own].nan_to_num(0.0)
        usual = pixels.amounts.nanmean(dim=(0, 2, 3), keepdim=True)
        known = torch.where(pixels.amounts.isnan(), usual, pixels.amounts)
        amounts = (known - self.amount_mean) / self.amount_std
        # position -1, unlabelled, becomes the last channel
        masks = one_hot(pixels.positions % self.kinds, self.kinds).movedim(-1, 2).flatten(1, 2).float()
        return torch.cat([images, masks, amounts], dim=1)

    def tile_set(self, channels: torch.Tensor, *, seed: int, first: int) -> TileSet:
        """Synthetic tiles like the real ones: images as they come, the likeliest class, abundances that sum to one."""
        layout = self.tiles.layout
        n, size = len(channels), layout.size
        bands, layers = int(self.own.sum()), len(layout.layers)
        images, masks, amounts = channels.tensor_split([bands, bands + layers * self.kinds], dim=1)
        whole = torch.full((n, *self.own.shape, size, size), math.nan)
        whole[:, self.own] = images
        positions = masks.reshape(n, layers, self.kinds, size, size).argmax(dim=2).numpy()
        positions[positions == self.kinds - 1] = -1
        values = positions.astype(np.int16) if layout.classes is None else layout.classes.values_of(positions)
        amounts = amounts * self.amount_std + self.amount_mean
        if layout.quantities is not None and layout.quantities.sum_to_one:
            # a pixel with nothing positive becomes an even mixture
            amounts = amounts.clamp(min=0) + 1e-12
            amounts = amounts / amounts.sum(dim=1, keepdim=True)
        return TileSet.from_arrays(
            images=(whole * self.std + self.mean).numpy().astype(np.float32),
            masks=values if layers else None,
            classes=layout.classes,
            amounts=None if layout.quantities is None else amounts.numpy().astype(np.float32),
            quantities=layout.quantities,
            wavelength=layout.wavelength,
            fwhm=layout.fwhm,
            band_name=layout.band_name,
            band_sensor=layout.band_sensor,
            date_sensor=layout.date_sensor,
            dates=layout.dates,
            layers=layout.layers,
            split="synthetic",
            source="ldm-diffusers",
            seed=np.full(n, seed),
            index=np.arange(first, first + n),
            image_units=layout.image_units,
            attrs={key: layout.attrs[key] for key in ("note", "citation") if key in layout.attrs},
        )


def _moments(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each channel over tiles and pixels, NaN left out; never a spread of 0."""
    mean = values.nanmean(dim=(0, -2, -1), keepdim=True)[0]
    spread = (values - mean).square().nanmean(dim=(0, -2, -1), keepdim=True)[0].sqrt()
    return mean, torch.where(spread > 0, spread, torch.ones_like(spread))
