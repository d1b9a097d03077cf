"""What the network takes a mask on its way to be, changed by what is known otherwise: its composition, its image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from specdm.models.mask_codec import MaskCodec

Change = Callable[[torch.Tensor], torch.Tensor]
"""Class probabilities `(n, classes, y, x)` of a guess to better ones."""

LEAST = 1e-4
"""Probability that no class of evidence is below: a reader is never that sure."""


def changed_guess(codec: MaskCodec, changes: Sequence[Change]) -> Callable[[torch.Tensor], torch.Tensor]:
    """What moves a guess of finished mask latents as its class probabilities are changed.

    By the difference of the latents of both probabilities, so that latents stay where nothing changes.

    Args:
        codec: of the masks.
        changes: one after the other.

    Returns:
        Codec latents `(n, channels, y / f, x / f)` to the same.
    """

    def moved(latents: torch.Tensor) -> torch.Tensor:
        guess = codec.logits(latents).softmax(dim=1)
        better = guess
        for change in changes:
            better = change(better)
        return latents + codec.encode_soft(better) - codec.encode_soft(guess)

    return moved


def with_evidence(evidence: torch.Tensor) -> Change:
    """A guess times what something else says of the same pixels: a product of experts (Hinton 2002, eq. 1).

    Args:
        evidence: `(n, classes, y, x)` probabilities, NaN where it says nothing.
    """
    heard = evidence.isfinite().all(dim=1, keepdim=True)
    factors = torch.where(heard, evidence.clamp(min=LEAST), 1.0)

    def product(guess: torch.Tensor) -> torch.Tensor:
        weighted = guess * factors
        return torch.where(heard, weighted / weighted.sum(dim=1, keepdim=True).clamp(min=1e-12), guess)

    return product
