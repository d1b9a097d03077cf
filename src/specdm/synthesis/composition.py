"""An ordered composition: names and fractions to the row the denoiser is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior


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
