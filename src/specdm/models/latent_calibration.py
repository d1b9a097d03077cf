"""Image latents moved to where real ones lie: what a short training gets wrong in mean and spread, put right.

A denoiser that has not seen enough draws latents that are a little off and too alike. Mean and covariance of real
latents are known in closed form, so a linear map can correct those of drawn ones; all else stays as it was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch.nn import functional as F

FEW_CELLS = 100.0
"""Cells of a group that count as much as the assumption that it is off as all latents are."""

MOST_STRETCH = 2.0
"""Factor by which no direction is stretched or shrunk further: what is that far off was not learnt at all."""


def group_shares(positions: torch.Tensor, *, groups: int, factor: int) -> torch.Tensor:
    """Share of each group in each cell.

    Args:
        positions: class positions `(n, y, x)`, -1 where unlabelled; these are a group of their own, the last one.
        groups: classes and one more.
        factor: pixels along a cell.

    Returns:
        `(n, groups, y / factor, x / factor)`, summing to one.
    """
    index = torch.where(positions < 0, groups - 1, positions)
    return F.avg_pool2d(F.one_hot(index, groups).movedim(-1, 1).float(), factor)


@dataclass
class LatentMoments:
    """Sums over cells, gathered batch by batch: mean of each group, covariance within groups.

    Attributes:
        stream_channels: latent channels of each image stream.
        groups: see `group_shares`.
        cells: weight of all cells.
    """

    stream_channels: tuple[int, ...]
    groups: int
    cells: float = 0.0
    _pure: torch.Tensor = field(init=False)
    _pure_sum: torch.Tensor = field(init=False)
    _rows: torch.Tensor = field(init=False)
    _cross: torch.Tensor = field(init=False)
    _shares: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        channels, parts = sum(self.stream_channels), len(self.stream_channels) * self.groups
        shape = {"_pure": (parts,), "_pure_sum": (parts, channels)}
        shape |= {"_rows": (channels, channels), "_cross": (channels, parts), "_shares": (parts, parts)}
        for name, size in shape.items():
            setattr(self, name, torch.zeros(size, dtype=torch.float64))

    def add(self, latents: torch.Tensor, shares: torch.Tensor, weight: torch.Tensor) -> None:
        """Add tiles.

        Args:
            latents: of all image streams, `(n, channels, y, x)`.
            shares: of the groups for each image stream, `(n, streams, groups, y, x)`.
            weight: of each cell, `(n, y, x)`; 0 where nothing is known or the ground was counted before.
        """
        chosen = weight.flatten() > 0
        weights = weight.flatten()[chosen].double()[:, None]
        rows = latents.movedim(1, -1).flatten(0, 2)[chosen].double()
        parts = shares.movedim((1, 2), (-2, -1)).flatten(-2).flatten(0, 2)[chosen].double()
        pure = (parts == 1) * weights
        self.cells += float(weights.sum())
        self._pure += pure.sum(dim=0)
        self._pure_sum += pure.T @ rows
        self._rows += (rows * weights).T @ rows
        self._cross += (rows * weights).T @ parts
        self._shares += (parts * weights).T @ parts

    def means(self) -> torch.Tensor:
        """Mean of each stream's channels over cells of each group alone, `(streams * groups, channels)`.

        Few cells are pulled to the mean of all; channels of other streams are zero, so that a cell's shares of all
        streams times this is its expected latent.
        """
        found = torch.zeros_like(self._pure_sum)
        start = 0
        for s, channels in enumerate(self.stream_channels):
            rows, columns = slice(s * self.groups, (s + 1) * self.groups), slice(start, start + channels)
            total, count = self._pure_sum[rows, columns], self._pure[rows, None]
            overall = total.sum(dim=0) / count.sum().clamp(min=1e-9)
            found[rows, columns] = (total + FEW_CELLS * overall) / (count + FEW_CELLS)
            start += channels
        return found

    def covariance(self, means: torch.Tensor) -> torch.Tensor:
        """Covariance of what the groups' means leave over, `(channels, channels)`."""
        crossed = self._cross @ means
        return (self._rows - crossed - crossed.T + means.T @ self._shares @ means) / max(self.cells, 1e-9)


def transport(drawn: torch.Tensor, real: torch.Tensor, *, most: float = MOST_STRETCH) -> torch.Tensor:
    """The symmetric matrix that turns Gaussians of covariance `drawn` into those of `real`, moving them least.

    A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 (Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions", section 3; Olkin and Pukelsheim 1982), its eigenvalues kept within 1 / most and most.
    """

    def power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
        values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
        values = values.clamp(min=1e-8 * float(values.max().clamp(min=1e-12)))
        return (vectors * values**exponent) @ vectors.T

    root, inverse = power(drawn, 0.5), power(drawn, -0.5)
    found = inverse @ power(root @ real @ root, 0.5) @ inverse
    values, vectors = torch.linalg.eigh((found + found.T) / 2)
    return (vectors * values.clamp(1 / most, most)) @ vectors.T


class LatentCalibration(ModelMixin, ConfigMixin):
    """z -> m_real(group) + T (z - m_drawn(group)), cell by cell.

    Args:
        stream_channels: latent channels of each image stream.
        groups: classes and one more for unlabelled ground.
    """

    config_name = "config.json"  # type: ignore[assignment]
    real_mean: torch.Tensor
    drawn_mean: torch.Tensor
    matrix: torch.Tensor

    @register_to_config
    def __init__(self, stream_channels: tuple[int, ...], groups: int):
        super().__init__()
        channels, parts = sum(stream_channels), len(stream_channels) * groups
        self.register_buffer("real_mean", torch.zeros(parts, channels))
        self.register_buffer("drawn_mean", torch.zeros(parts, channels))
        self.register_buffer("matrix", torch.eye(channels))

    @torch.no_grad()
    def fit(self, *, drawn: LatentMoments, real: LatentMoments) -> LatentCalibration:
        """From the moments of drawn and of real latents; stays as it is (no change) if one of them has no cell."""
        if not drawn.cells or not real.cells:
            return self
        drawn_mean, real_mean = drawn.means(), real.means()
        self.drawn_mean.copy_(drawn_mean)
        self.real_mean.copy_(real_mean)
        self.matrix.copy_(transport(drawn.covariance(drawn_mean), real.covariance(real_mean)))
        return self

    @torch.no_grad()
    def forward(self, latents: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        """Image latents `(n, channels, y, x)` with the shares of the groups `(n, streams, groups, y, x)`, corrected."""
        rows = latents.movedim(1, -1)
        parts = shares.movedim((1, 2), (-2, -1)).flatten(-2)
        moved = (rows - parts @ self.drawn_mean) @ self.matrix.T + parts @ self.real_mean
        return moved.movedim(-1, 1)
