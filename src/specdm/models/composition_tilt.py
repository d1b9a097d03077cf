"""Masks on their way pulled to an ordered composition: the network's guess of the classes gets their shares right.

Where the network has seen a class seldom, telling it to draw more of it moves little. Its own guess of the finished
mask can be reweighted instead: the class probabilities of all pixels times a factor a class, so that their mean is the
composition (a change of class priors, Saerens, Latinne & Decaestecker 2002, "Adjusting the outputs of a classifier to
new a priori probabilities", eq. 2.4, with the factors found by iterative proportional fitting).
"""

from __future__ import annotations

import torch

from specdm.models.mask_guess import Change

ROUNDS = 12
MOST = 1e4
"""Largest factor of a class, and its inverse the smallest: a class that is nowhere cannot be made by a factor."""


def tilted(
    probabilities: torch.Tensor, composition: torch.Tensor, *, counts: torch.Tensor, rounds: int = ROUNDS
) -> torch.Tensor:
    """Class probabilities times a factor a class, so that their mean over a tile is its composition.

    Args:
        probabilities: `(n, classes, y, x)`, summing to one over classes.
        composition: `(n, classes)`, summing to one.
        counts: `(n, y, x)`, 1 for pixels that the composition is about.
        rounds: of the fitting.

    Returns:
        `(n, classes, y, x)`, summing to one over classes.
    """
    pixels = counts.sum(dim=(1, 2)).clamp(min=1)[:, None]
    factors = torch.ones_like(composition)
    weighted = probabilities
    for _ in range(rounds):
        weighted = probabilities * factors[:, :, None, None]
        weighted = weighted / weighted.sum(dim=1, keepdim=True).clamp(min=1e-12)
        mean = (weighted * counts[:, None]).sum(dim=(2, 3)) / pixels
        factors = (factors * composition / mean.clamp(min=1e-9)).clamp(1 / MOST, MOST)
    return weighted


def towards_composition(composition: torch.Tensor, *, counts: torch.Tensor, strength: float) -> Change:
    """What gives a guess of a mask the shares of its composition; tiles without a composition (NaN) stay.

    Args:
        composition: `(n, classes)`.
        counts: `(n, y, x)`, 1 where the mask says something.
        strength: 0 to 1, how much of the way.
    """
    given = (composition.isfinite().all(dim=1) & (counts.sum(dim=(1, 2)) > 0))[:, None, None, None]
    wanted = torch.nan_to_num(composition, nan=1.0 / composition.shape[1])
    return lambda guess: torch.where(given, torch.lerp(guess, tilted(guess, wanted, counts=counts), strength), guess)
