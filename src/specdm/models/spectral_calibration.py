"""Spectra moved to where real ones lie: what a short training gets wrong in mean and spread, put right.

A denoiser that has not seen enough draws each class a little off, and its pixels too alike or too different. The mean
spectrum of each class, and how spectra spread around it, are known in closed form; all else stays as it was drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

FEW_TILES = 0.3
"""Tiles of a kind of ground that count as much as the assumption that its mean is right and its spread that of all."""

MOST_STRETCH = 1.25
"""Factor by which no direction of a kind of ground, and then none of all kinds, is stretched further.

More makes noise of what was not learnt.
"""

LEAST_STRETCH = 0.15
"""Factor by which no direction of one kind of ground is shrunk further."""


@dataclass
class GroundMoments:
    """Mean of the spectra of each kind of ground and their covariance around it, gathered batch by batch.

    A spectrum is the components of all dates after each other; each date has its own kind of ground.

    Attributes:
        parts: components of each date.
        groups: kinds of ground.
        pixels: how many.
    """

    parts: Sequence[int]
    groups: int
    pixels: int = 0
    _rows: torch.Tensor = field(init=False)
    _by_kind: torch.Tensor = field(init=False)
    _kinds: torch.Tensor = field(init=False)
    _tiles: torch.Tensor = field(init=False)
    _squares: list[torch.Tensor] = field(init=False)

    def __post_init__(self) -> None:
        size, kinds = sum(self.parts), len(self.parts) * self.groups
        self._rows = torch.zeros(size, size, dtype=torch.float64)
        self._by_kind = torch.zeros(kinds, size, dtype=torch.float64)
        self._kinds = torch.zeros(kinds, kinds, dtype=torch.float64)
        self._tiles = torch.zeros(kinds, dtype=torch.float64)
        self._squares = [torch.zeros(self.groups, part, part, dtype=torch.float64) for part in self.parts]

    def add(self, rows: torch.Tensor, ground: torch.Tensor) -> None:
        """Add the spectra `(m, components)` of a tile, of kinds of ground `(m, date)`."""
        rows = rows.double()
        kinds = torch.nn.functional.one_hot(ground, self.groups).flatten(1).double()
        self.pixels += len(rows)
        self._rows += rows.T @ rows
        self._by_kind += kinds.T @ rows
        self._kinds += kinds.T @ kinds
        self._tiles += kinds.sum(dim=0).square()
        for date, (_, columns) in enumerate(self.blocks()):
            for kind in ground[:, date].unique().tolist():
                own = rows[ground[:, date] == kind][:, columns]
                self._squares[date][kind] += own.T @ own

    @property
    def count(self) -> torch.Tensor:
        """Pixels of each kind at each date, `(date * groups,)`."""
        return self._kinds.diagonal()

    @property
    def tiles(self) -> torch.Tensor:
        """How many tiles show each kind at each date, `(date * groups,)`; one with most of its pixels counts for one.

        Pixels of a tile are much alike, so it is tiles that tell how sure a mean is (Kish 1965, "Survey sampling":
        the effective number of clusters of unequal size).
        """
        return self.count.square() / self._tiles.clamp(min=1.0)

    @property
    def sure(self) -> torch.Tensor:
        """How far mean and spread of each kind are known, `(date * groups,)`: 0 not at all, to 1.

        A stray pixel is a tile that shows a kind, so pixels have a say too: as many as components make half of it.
        """
        components = torch.tensor(self.parts, dtype=torch.float64).repeat_interleave(self.groups)
        return self.tiles / (self.tiles + FEW_TILES) * self.count / (self.count + components)

    def means(self) -> torch.Tensor:
        """`(date * groups, components)`: of each date's kinds over its own components, zero elsewhere.

        A kind without pixels has the mean of all.
        """
        found = torch.zeros_like(self._by_kind)
        for rows, columns in self.blocks():
            total, count = self._by_kind[rows, columns], self.count[rows, None]
            overall = total.sum(dim=0) / count.sum().clamp(min=1.0)
            found[rows, columns] = torch.where(count > 0, total / count.clamp(min=1.0), overall)
        return found

    def covariance(self) -> torch.Tensor:
        """Around the means, `(components, components)`."""
        means = self.means()
        crossed = self._by_kind.T @ means
        within = self._rows - crossed - crossed.T + means.T @ self._kinds @ means
        return within / max(self.pixels, 1)

    def spreads(self) -> list[torch.Tensor]:
        """Covariance of each kind around its mean, `(groups, components, components)` of each date.

        As far as it is not known, it is held to be that of all kinds of that date together.
        """
        found, means = [], self.means()
        for date, (rows, columns) in enumerate(self.blocks()):
            count, mean = self.count[rows, None, None], means[rows, columns]
            around = self._squares[date] - count * mean[:, :, None] * mean[:, None, :]
            of_all = around.sum(dim=0) / count.sum().clamp(min=1.0)
            sure = self.sure[rows, None, None]
            found.append(sure * around / count.clamp(min=1.0) + (1 - sure) * of_all)
        return found

    def blocks(self) -> list[tuple[slice, slice]]:
        """Rows and columns of each date in `means`."""
        ends = torch.tensor((0, *self.parts)).cumsum(0).tolist()
        return [
            (slice(d * self.groups, (d + 1) * self.groups), slice(ends[d], ends[d + 1]))
            for d in range(len(self.parts))
        ]


def transport(
    drawn: torch.Tensor, real: torch.Tensor, *, least: float = 1 / MOST_STRETCH, most: float = MOST_STRETCH
) -> torch.Tensor:
    """The symmetric matrix that turns Gaussians of covariance `drawn` into those of `real`, moving them least.

    A^-1/2 (A^1/2 B A^1/2)^1/2 A^-1/2 (Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions", section 3; Olkin and Pukelsheim 1982), its eigenvalues kept within `least` and `most`.
    """

    def power(matrix: torch.Tensor, exponent: float) -> torch.Tensor:
        values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
        values = values.clamp(min=1e-8 * float(values.max().clamp(min=1e-12)))
        return (vectors * values**exponent) @ vectors.T

    root, inverse = power(drawn, 0.5), power(drawn, -0.5)
    found = inverse @ power(root @ real @ root, 0.5) @ inverse
    values, vectors = torch.linalg.eigh((found + found.T) / 2)
    return (vectors * values.clamp(least, most)) @ vectors.T


class SpectralCalibration(ModelMixin, ConfigMixin):
    """x -> m_real(kind) + T S(kind) (x - m_drawn(kind)) for the components x of a pixel's spectra.

    S gives each date's kinds a spread of their own: a denoiser of short training draws trees as varied as towns. T is
    of all kinds and goes across dates. m_drawn of a kind is taken as m_real as far as drawn ground does not show it.

    Args:
        parts: components of each date.
        groups: kinds of ground: classes (or materials), and one more for unlabelled ground.
        own_spread: whether there is S; models saved before there was have none.
    """

    config_name = "config.json"  # type: ignore[assignment]
    drawn_mean: torch.Tensor
    real_mean: torch.Tensor
    matrix: torch.Tensor

    @register_to_config
    def __init__(self, parts: tuple[int, ...], groups: int, own_spread: bool = False):
        super().__init__()
        size = sum(parts)
        self.register_buffer("drawn_mean", torch.zeros(len(parts) * groups, size))
        self.register_buffer("real_mean", torch.zeros(len(parts) * groups, size))
        self.register_buffer("matrix", torch.eye(size))
        for date, part in enumerate(parts if own_spread else ()):
            self.register_buffer(f"stretches_{date}", torch.eye(part).repeat(groups, 1, 1))

    @torch.no_grad()
    def fit_kinds(self, *, drawn: GroundMoments, real: GroundMoments, decoded: GroundMoments) -> SpectralCalibration:
        """Fit mean and spread of each kind; nothing changes if one of them has no pixel.

        Args:
            drawn: of drawn tiles.
            real: of real ground: what the means shall be.
            decoded: of real ground after the codec: how spectra shall spread; noise outside the basis is put
                back later, what the codec smooths is not.
        """
        if drawn.pixels and real.pixels and decoded.pixels:
            known, mean = (real.count > 0)[:, None], drawn.means()
            wanted = torch.where(known, real.means(), mean)
            self.real_mean.copy_(wanted)
            # where drawn ground hardly shows a kind, it is trusted to lie where real ground does
            self.drawn_mean.copy_(wanted + drawn.sure[:, None] * (mean - wanted))
            dates = zip(self.stretches, drawn.blocks(), drawn.spreads(), decoded.spreads(), strict=True)
            for stretches, (rows, _), there, to_be in dates:
                for kind in torch.nonzero(known[rows, 0]).flatten().tolist():
                    stretches[kind] = transport(there[kind], to_be[kind], least=LEAST_STRETCH)
        return self

    @torch.no_grad()
    def fit_spread(self, *, drawn: GroundMoments, decoded: GroundMoments) -> SpectralCalibration:
        """Fit what all kinds have in common, also across dates, from tiles as corrected so far."""
        if drawn.pixels and decoded.pixels:
            self.matrix.copy_(transport(drawn.covariance(), decoded.covariance()))
        return self

    @property
    def stretches(self) -> list[torch.Tensor]:
        """S of each date's kinds, `(groups, components, components)`; none in models saved before there was S."""
        dates = len(self.config["parts"]) if self.config["own_spread"] else 0
        return [self.get_buffer(f"stretches_{date}") for date in range(dates)]

    @torch.no_grad()
    def forward(self, components: torch.Tensor, ground: torch.Tensor) -> torch.Tensor:
        """Components of all dates `(n, components, y, x)` on kinds of ground `(n, date, y, x)`, corrected."""
        rows = components.movedim(1, -1)
        dates = ground.shape[1]
        places = ground + int(self.config["groups"]) * torch.arange(dates, device=ground.device)[:, None, None]
        drawn, real = (sum(table[places[:, d]] for d in range(dates)) for table in (self.drawn_mean, self.real_mean))
        apart = rows - drawn
        first = 0
        for date, stretches in enumerate(self.stretches):
            own = apart[..., first : first + stretches.shape[-1]]
            for kind in ground[:, date].unique().tolist():
                there = ground[:, date] == kind
                own[there] = own[there] @ stretches[kind].T
            first += stretches.shape[-1]
        return (apart @ self.matrix.T + real).movedim(-1, 1)
