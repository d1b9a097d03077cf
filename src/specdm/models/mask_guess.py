"""What the network takes a mask on its way to be, changed by what is known otherwise: its composition, its image.

Where the image is known, what a reader sees in it counts more than the network: that has not seen the image, and is too
sure once some of the noise is gone (`benchmarks/NOTES.md`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn.functional import avg_pool2d

from specdm.models.amount_codec import AmountCodec
from specdm.models.mask_codec import MaskCodec

Change = Callable[[torch.Tensor], torch.Tensor]
"""Class probabilities `(n, classes, y, x)` of a guess, or its amounts, to better ones."""

GUESS_WEIGHT = 0.1
"""Of the network's guess beside what was read off the image."""

FARTHEST = 10.0
"""Standardised latents are never pulled beyond: ones that hardly vary in training come out enormous for what is new."""

LEAST = 1e-4
"""Probability that no class of evidence is below: a reader is never that sure."""


def changed_guess(
    codec: MaskCodec, changes: Sequence[Change], *, heard: torch.Tensor | None = None
) -> Callable[[torch.Tensor], torch.Tensor]:
    """What moves a guess of finished mask latents as its class probabilities are changed.

    By the difference of the latents of both probabilities, so that latents stay where nothing changes; to those of the
    changed ones where evidence is heard in all of a cell.

    Args:
        codec: of the masks.
        changes: one after the other.
        heard: `(n, 1, y, x)` boolean, where there is evidence; None: nowhere.

    Returns:
        Codec latents `(n, channels, y / f, x / f)` to the same.
    """

    def moved(latents: torch.Tensor) -> torch.Tensor:
        guess = codec.logits(latents).softmax(dim=1)
        better = guess
        for change in changes:
            better = change(better)
        wanted = codec.encode_soft(better)
        return _moved(latents, wanted, guessed=codec.encode_soft(guess), heard=heard, factor=codec.factor)

    return moved


def _moved(
    latents: torch.Tensor, wanted: torch.Tensor, *, guessed: torch.Tensor, heard: torch.Tensor | None, factor: int
) -> torch.Tensor:
    apart = latents + wanted - guessed
    if heard is None:
        return apart
    # what the network adds that no mask encodes to would stay for ever
    return torch.where(avg_pool2d(heard.float(), factor) == 1, wanted, apart)


def with_evidence(evidence: torch.Tensor) -> Change:
    """A guess pooled with what something else says of the same pixels.

    A logarithmic opinion pool (Genest & Zidek 1986, "Combining probability distributions: a critique and an annotated
    bibliography", section 3), p ~ guess^w evidence with w = `GUESS_WEIGHT`.

    Args:
        evidence: `(n, classes, y, x)` probabilities, NaN where it says nothing.
    """
    heard = evidence.isfinite().all(dim=1, keepdim=True)
    factors = torch.where(heard, evidence.clamp(min=LEAST), 1.0)

    def pooled(guess: torch.Tensor) -> torch.Tensor:
        weighted = guess.clamp(min=1e-12) ** GUESS_WEIGHT * factors
        return torch.where(heard, weighted / weighted.sum(dim=1, keepdim=True), guess)

    return pooled


def changed_amounts(
    codec: AmountCodec, changes: Sequence[Change], *, heard: torch.Tensor | None = None
) -> Callable[[torch.Tensor], torch.Tensor]:
    """What moves a guess of finished latents of amounts as these are changed; as `changed_guess`.

    Args:
        codec: of the amounts.
        changes: of amounts `(n, quantity, y, x)` in the user's units, one after the other.
        heard: as that of `changed_guess`.

    Returns:
        Codec latents `(n, channels, y / f, x / f)` to the same.
    """

    def moved(latents: torch.Tensor) -> torch.Tensor:
        guess = codec.decode(latents)
        better = guess
        for change in changes:
            better = change(better)
        wanted, guessed = (codec.encode(amounts).clamp(-FARTHEST, FARTHEST) for amounts in (better, guess))
        return _moved(latents, wanted, guessed=guessed, heard=heard, factor=codec.factor)

    return moved


def with_amounts(read: torch.Tensor) -> Change:
    """The mean of a guess, which counts `GUESS_WEIGHT`, and of what was read.

    Args:
        read: `(n, quantity, y, x)`, NaN where nothing was.
    """
    heard = read.isfinite().all(dim=1, keepdim=True)
    return lambda guess: torch.where(heard, torch.lerp(torch.nan_to_num(read), guess, GUESS_WEIGHT), guess)
