"""Which mixtures of classes a tile has: the compositions of the training tiles, to draw from."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin


class CompositionPrior(ModelMixin, ConfigMixin):
    """Rows of class fractions seen in training, with weights that make their mean the classes' true shares.

    With several mask layers, or abundances, a row has a group of fractions for each.

    Args:
        rows: number of stored compositions; 0 if none is known.
        classes: number of classes.
    """

    config_name = "config.json"  # type: ignore[assignment]
    fractions: torch.Tensor
    weights: torch.Tensor

    @register_to_config
    def __init__(self, rows: int, classes: int):
        super().__init__()
        self.register_buffer("fractions", torch.zeros(rows, classes))
        self.register_buffer("weights", torch.ones(rows))

    def mean(self) -> torch.Tensor:
        """The weighted mean composition, `(classes,)`."""
        return (self.weights[:, None] * self.fractions).sum(dim=0) / self.weights.sum()

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """One composition `(classes,)`; NaN if none is stored."""
        rows, classes = self.fractions.shape
        if rows == 0:
            return torch.full((classes,), float("nan"))
        return self.fractions[int(torch.multinomial(self.weights, 1, generator=generator))]

    def at(self, places: torch.Tensor) -> torch.Tensor:
        """Compositions `(n, classes)` at places `(n,)` from 0 to below 1; NaN if none is stored.

        Evenly spread places give each composition as often as `draw` does on the average, and like compositions lie
        beside each other: by their most frequent class, then the next one, then how much there is of the first. So
        few tiles already have about as much of every class as many.
        """
        rows, classes = self.fractions.shape
        if rows == 0 or classes == 0:
            return torch.full((len(places), classes), float("nan"))
        most = self.fractions.argsort(dim=1, descending=True, stable=True)[:, :2]
        keys = [self.fractions.amax(dim=1), *most.T.flip(0)]
        order = torch.arange(rows, device=self.fractions.device)
        for key in keys:
            order = order[key[order].argsort(stable=True)]
        reached = self.weights[order].double().cumsum(dim=0)
        found = torch.searchsorted(reached, places.to(reached) * reached[-1], right=True)
        return self.fractions[order[found.clamp(max=rows - 1)]]

    @classmethod
    @torch.no_grad()
    def fitted(cls, compositions: torch.Tensor, *, shares: torch.Tensor, most: int = 4096) -> CompositionPrior:
        """From training compositions and the shares of the classes over the training ground.

        Args:
            compositions: `(n, classes)`; rows with NaN are left out.
            shares: `(classes,)`, see `balancing_weights`.
            most: rows kept at the most, spread evenly.
        """
        rows = compositions[compositions.isfinite().all(dim=1)]
        rows = rows[:: max(1, -(-len(rows) // most))]
        prior = cls(rows=len(rows), classes=compositions.shape[1])
        prior.fractions.copy_(rows)
        prior.weights.copy_(balancing_weights(rows, shares=shares))
        return prior


def balancing_weights(compositions: torch.Tensor, *, shares: torch.Tensor, rounds: int = 100) -> torch.Tensor:
    """Weights `(n,)` of mean 1 under which the mean composition is `shares`, as near as they get.

    Overlapping windows show the middle of a scene more often than its border, so plain draws would favour
    some classes. Iterative proportional fitting (Deming & Stephan 1940); rows with NaN keep weight 1.

    Args:
        compositions: `(n, classes)`.
        shares: `(classes,)`, summing to one; to the number of groups if rows are made of several groups that
            each sum to one (a mask layer each).
        rounds: of the fitting.
    """
    weights = torch.ones(len(compositions), dtype=torch.float64)
    given = compositions.isfinite().all(dim=1)
    if not given.any() or not len(shares):
        return weights.float()
    rows, fitted = compositions[given].double(), weights[given]
    groups = max(1.0, float(shares.sum()))
    for _ in range(rounds):
        mean = (fitted[:, None] * rows).sum(dim=0) / fitted.sum()
        factor = torch.where(mean > 0, shares.double() / mean.clamp(min=1e-12), 1.0).clamp(0.5, 2.0)
        fitted = (fitted * (rows * factor).sum(dim=1) / groups).clamp(min=1e-6)
        fitted = (fitted / fitted.mean()).clamp(0.02, 50.0)
    weights[given] = fitted
    return weights.float()
