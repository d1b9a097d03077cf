"""What a call of `sample` asks for, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.joint_model import JointModel
from specdm.synthesis.composition import balanced_prior, composition_row
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.given import check_given, known_streams
from specdm.tiles.tileset import TileSet


@dataclass(frozen=True)
class Order:
    """An order that the model can carry out.

    Attributes:
        n: tiles.
        prior: to draw compositions from.
        composition: `(parts,)` for all tiles, or None.
        given: tiles of which something is known, or None.
        known: numbers of the streams that are known.
        area: boolean `(tiles, y, x)`, ground that is known; None for all of it.
        variation: noise level from which images that are not known are drawn; None: from noise alone.
    """

    n: int
    prior: CompositionPrior
    composition: torch.Tensor | None
    given: TileSet | None
    known: list[int]
    area: np.ndarray | None
    variation: float | None


def checked_order(
    n: int | None,
    *,
    model: JointModel,
    facts: TileFacts,
    prior: CompositionPrior,
    composition: Mapping[str, float] | None,
    balance: bool,
    given: TileSet | None,
    known: Sequence[str] | None,
    area: np.ndarray | None,
    variation: float | None,
    numbers: Mapping[str, int],
) -> Order:
    """Options of `SpecDMPipeline.sample` made into an order.

    Raises:
        ModelError: an option is out of range, or options contradict each other.
    """
    if given is None and not (known is None and area is None and variation is None):
        raise ModelError("known, area and variation are about given tiles; say which with `given` (--from)")
    if variation is not None and not 0 < variation <= 1:
        raise ModelError(f"variation is {variation}, expected above 0 (nearly the given images) to 1 (new ones)")
    if n is None and given is None:
        raise ModelError("n is None, expected the number of tiles")
    n = len(given) if n is None and given is not None else n
    for name, value in {"n": n, **numbers}.items():
        lowest = 0 if name in ("seed", "first") else 1
        if value is None or value < lowest:
            raise ModelError(f"{name} is {value}, expected at least {lowest}")
    if balance and composition is not None:
        raise ModelError("composition and balance both say what tiles shall be made of; give one of them")
    if balance:
        prior = balanced_prior(prior, groups=facts.parts)
    row = None if composition is None else composition_row(composition, groups=facts.parts, prior=prior)
    varied = variation is not None
    chosen = [] if given is None else _known(given, known, model=model, facts=facts, area=area, varied=varied)
    if given is not None and balance:
        raise ModelError(f"{given.where}: balance is about new tiles; what is given decides what these are made of")
    masks = {number for number, stream in enumerate(model.streams) if stream.kind != "image"}
    if given is not None and row is not None and area is None and masks <= set(chosen):
        raise ModelError(f"{given.where}: its masks are known, so no composition can be ordered")
    if given is not None and varied and (area is not None or not masks <= set(chosen)):
        raise ModelError(
            f"{given.where}: only images whose masks are known can be varied, since masks belong to them; add "
            "known=['mask'] (--known mask), without an area"
        )
    return Order(int(n or 0), prior, row, given, chosen, area, variation)


def _known(
    given: TileSet,
    known: Sequence[str] | None,
    *,
    model: JointModel,
    facts: TileFacts,
    area: np.ndarray | None,
    varied: bool,
) -> list[int]:
    if known is None and area is None:
        raise ModelError(f"{given.where}: say what of it is known: known=['image'], ['mask'] or the name of a date")
    # part of the ground known means all that is there
    numbers = known_streams(["image", "mask"] if known is None else known, streams=model.streams, where=given.where)
    if len(given) == 0:
        raise ModelError(f"{given.where}: no tile in it; expected at least one")
    check_given(given, numbers=numbers, model=model, facts=facts, varied=varied)
    if area is not None and (area.dtype != bool or area.shape != (len(given), given.size, given.size)):
        raise ModelError(
            f"area is {area.dtype} of shape {area.shape}, expected boolean {(len(given), given.size, given.size)}: "
            "True where the ground is known"
        )
    if len(numbers) == len(model.streams) and (area is None or bool(area.all())):
        raise ModelError(
            f"{given.where}: everything is known, so there is nothing to draw; leave something out of what is known, "
            "or give an area"
        )
    return numbers


def check_strengths(*, guidance: float | None, composition_strength: float | None) -> None:
    """Raise ModelError for strengths that draw nothing of use; None stands for the model's own."""
    if guidance is not None and not (math.isfinite(guidance) and guidance >= 0):
        raise ModelError(f"guidance is {guidance}, expected 0 (none) or more; 0.8 is usual")
    if composition_strength is not None and not 0 <= composition_strength <= 1:
        raise ModelError(f"composition_strength is {composition_strength}, expected 0 (none) to 1 (as ordered)")
