"""An ordered composition: names and fractions to the row the denoiser is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior, balancing_weights


def composition_row(
    composition: Mapping[str, float], *, groups: Sequence[Sequence[str]], prior: CompositionPrior
) -> torch.Tensor:
    """Fractions `(parts,)`; those of each group (a mask layer, or the abundances) sum to one.

    What the order leaves open goes to the parts of the same group that it does not name, as they share training
    tiles; a group that it does not name at all is as in training tiles.

    Args:
        composition: name -> fraction.
        groups: names of the parts of each group.
        prior: of the model.

    Raises:
        ModelError: an unknown name, a fraction outside 0..1, or a sum above 1 or of nothing at all.
    """
    names = [name for group in groups for name in group]
    if not names:
        raise ModelError("composition: this model has free quantities only, of which no composition can be ordered")
    fractions = torch.zeros(len(names))
    named = torch.zeros(len(names), dtype=torch.bool)
    for name, fraction in composition.items():
        if name not in names:
            raise ModelError(f"composition: no class {name!r}; the classes are {', '.join(names)}")
        if not 0 <= fraction <= 1:
            raise ModelError(f"composition: {name} is {fraction}, expected a fraction between 0 and 1")
        position = names.index(name)
        fractions[position], named[position] = fraction, True
    usual = prior.mean() if len(prior.fractions) else torch.ones(len(names))
    start = 0
    for group in groups:
        part = slice(start, start + len(group))
        fractions[part] = _filled(fractions[part], named[part], usual[part])
        start += len(group)
    return fractions


def _filled(fractions: torch.Tensor, named: torch.Tensor, usual: torch.Tensor) -> torch.Tensor:
    total = float(fractions.sum())
    rest = 1.0 - total
    if rest < -1e-6:
        raise ModelError(f"composition: the fractions sum to {total:.3g}, expected at most 1")
    if rest > 1e-6 and bool((~named).any()):
        open_parts = torch.where(named, 0.0, usual)
        open_parts = open_parts if float(open_parts.sum()) > 0 else (~named).float()
        fractions = fractions + rest * open_parts / open_parts.sum()
    if float(fractions.sum()) == 0:
        raise ModelError("composition: the fractions of all classes sum to 0, expected more for at least one")
    return fractions / fractions.sum()


MOST_FACTOR = 8.0
"""By which the fraction of a class in a tile is raised or lowered for balance; beyond, tiles are like no real one."""


def balanced_prior(prior: CompositionPrior, *, groups: Sequence[Sequence[str]], rounds: int = 60) -> CompositionPrior:
    """Compositions to draw from whose mean has as much of every part of a group, as near as they get.

    Training tiles with rare classes are drawn more often, and then fractions of rare classes are raised in each.

    Raises:
        ModelError: no composition is known, or there is none.
    """
    if not any(groups):
        raise ModelError("balance: this model has free quantities only, of which there is no composition to balance")
    if not len(prior.fractions):
        raise ModelError("balance: no composition of training tiles is known to this model; give a composition instead")
    sizes = [len(group) for group in groups]
    even = torch.cat([torch.full((size,), 1.0 / size) for size in sizes])
    weights = balancing_weights(prior.fractions, shares=even)
    rows = prior.fractions.double()
    factors = torch.ones(rows.shape[1], dtype=torch.float64)
    raised = rows
    for _ in range(rounds):
        parts = (rows * factors).split(sizes, dim=1)
        raised = torch.cat([part / part.sum(dim=1, keepdim=True).clamp(min=1e-12) for part in parts], dim=1)
        mean = (weights[:, None] * raised).sum(dim=0) / weights.sum()
        factors = (factors * (even / mean.clamp(min=1e-12)).sqrt()).clamp(1 / MOST_FACTOR, MOST_FACTOR)
    found = CompositionPrior(rows=len(rows), classes=rows.shape[1])
    found.fractions.copy_(raised)
    found.weights.copy_(weights)
    return found
