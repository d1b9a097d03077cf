"""Images moved to where real ones lie: what a short training gets wrong in mean and spread, put right.

A denoiser that has not seen enough draws latents that are a little off and too alike, and class spectra with them. Mean
and covariance of real latents, and the mean spectrum of each class, are known in closed form; all else stays as drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

FEW_PIXELS = 400.0
"""Drawn pixels of a class that count as much as the assumption that its spectrum is right; neighbours are alike."""

MOST_STRETCH = 2.0
"""Factor by which no direction is stretched or shrunk further: what is that far off was not learnt at all."""


@dataclass
class Moments:
    """Weighted mean and covariance of rows, gathered batch by batch.

    Attributes:
        size: length of a row.
        weight: of all rows so far.
    """

    size: int
    weight: float = 0.0
    _sum: torch.Tensor = field(init=False)
    _squares: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self._sum = torch.zeros(self.size, dtype=torch.float64)
        self._squares = torch.zeros(self.size, self.size, dtype=torch.float64)

    def add(self, rows: torch.Tensor, weights: torch.Tensor) -> None:
        """Add rows `(m, size)` with their weights `(m,)`; those of weight 0 may hold anything."""
        chosen = weights > 0
        rows, weights = rows[chosen].double(), weights[chosen].double()[:, None]
        self.weight += float(weights.sum())
        self._sum += (rows * weights).sum(dim=0)
        self._squares += (rows * weights).T @ rows

    @property
    def mean(self) -> torch.Tensor:
        return self._sum / max(self.weight, 1e-12)

    @property
    def covariance(self) -> torch.Tensor:
        return self._squares / max(self.weight, 1e-12) - torch.outer(self.mean, self.mean)


@dataclass
class GroupMeans:
    """Mean spectrum of each kind of ground, gathered batch by batch.

    Attributes:
        groups: kinds of ground.
        size: bands of all dates.
        count: pixels, `(groups,)`.
        total: sum of their spectra, `(groups, size)`.
    """

    groups: int
    size: int
    count: torch.Tensor = field(init=False)
    total: torch.Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.count = torch.zeros(self.groups, dtype=torch.float64)
        self.total = torch.zeros(self.groups, self.size, dtype=torch.float64)

    def add(self, spectra: torch.Tensor, group: torch.Tensor) -> None:
        """Add spectra `(m, size)` of pixels of groups `(m,)`."""
        self.count += torch.bincount(group, minlength=self.groups)
        self.total.index_add_(0, group, spectra.double())

    @property
    def mean(self) -> torch.Tensor:
        return self.total / self.count.clamp(min=1.0)[:, None]


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
    """Image latents z -> m_real + T (z - m_drawn), cell by cell; then a step for the spectrum of each kind of ground.

    Args:
        channels: latent channels of all image streams.
        dates, bands: of the images.
        groups: kinds of ground: classes (or materials), and one more for unlabelled ground.
    """

    config_name = "config.json"  # type: ignore[assignment]
    drawn_mean: torch.Tensor
    real_mean: torch.Tensor
    matrix: torch.Tensor
    steps: torch.Tensor

    @register_to_config
    def __init__(self, channels: int, dates: int, bands: int, groups: int):
        super().__init__()
        self.register_buffer("drawn_mean", torch.zeros(channels))
        self.register_buffer("real_mean", torch.zeros(channels))
        self.register_buffer("matrix", torch.eye(channels))
        self.register_buffer("steps", torch.zeros(groups, dates, bands))

    @torch.no_grad()
    def fit_latents(self, *, drawn: Moments, real: Moments) -> None:
        """From moments of drawn and of real latents; no change if there is nothing to compare."""
        if drawn.weight and real.weight:
            self.drawn_mean.copy_(drawn.mean)
            self.real_mean.copy_(real.mean)
            self.matrix.copy_(transport(drawn.covariance, real.covariance))

    @torch.no_grad()
    def fit_spectra(self, date: int, *, drawn: GroupMeans, real: GroupMeans) -> None:
        """From mean spectra of one date; groups with few pixels are trusted as they are drawn."""
        sure = drawn.count / (drawn.count + FEW_PIXELS) * (real.count > 0)
        self.steps[:, date] = (sure[:, None] * (real.mean - drawn.mean)).to(self.steps)

    @torch.no_grad()
    def of_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Image latents `(n, channels, y, x)`, corrected."""
        rows = (latents.movedim(1, -1) - self.drawn_mean) @ self.matrix.T + self.real_mean
        return rows.movedim(-1, 1)

    @torch.no_grad()
    def of_images(self, images: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
        """Images `(n, date, bands, y, x)` of kinds of ground `(n, date, y, x)`, corrected."""
        dates = [images[:, d] + self.steps[:, d][ground[:, d]].movedim(-1, 1) for d in range(images.shape[1])]
        return torch.stack(dates, dim=1)
