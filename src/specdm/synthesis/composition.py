"""An ordered composition: class names and fractions to the row the denoiser is conditioned on."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.scenes.classes import Classes


def composition_row(composition: Mapping[str, float], *, classes: Classes, prior: CompositionPrior) -> torch.Tensor:
    """Fractions `(classes,)` summing to one.

    What the order leaves open goes to the classes it does not name, as they share training tiles.

    Raises:
        ModelError: an unknown class, a fraction outside 0..1, or a sum above 1 or of nothing at all.
    """
    fractions = torch.zeros(len(classes))
    named = torch.zeros(len(classes), dtype=torch.bool)
    for name, fraction in composition.items():
        if name not in classes.names:
            raise ModelError(f"composition: no class {name!r}; the classes are {', '.join(classes.names)}")
        if not 0 <= fraction <= 1:
            raise ModelError(f"composition: {name} is {fraction}, expected a fraction between 0 and 1")
        position = classes.names.index(name)
        fractions[position], named[position] = fraction, True
    rest = 1.0 - float(fractions.sum())
    if rest < -1e-6:
        raise ModelError(f"composition: the fractions sum to {float(fractions.sum()):.3g}, expected at most 1")
    if rest > 1e-6 and bool((~named).any()):
        usual = prior.mean() if len(prior.fractions) else torch.ones(len(classes))
        usual = torch.where(named, 0.0, usual)
        usual = usual if float(usual.sum()) > 0 else (~named).float()
        fractions = fractions + rest * usual / usual.sum()
    if float(fractions.sum()) == 0:
        raise ModelError("composition: the fractions of all classes sum to 0, expected more for at least one")
    return fractions / fractions.sum()
