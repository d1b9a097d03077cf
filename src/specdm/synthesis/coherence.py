"""Fits how far neighbours decide on the classes of drawn masks: as far as makes them like real ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import log

import torch

from specdm.models.drawing import Drawing
from specdm.models.mask_coherence import STRENGTHS, border_share
from specdm.models.settling import mask_values
from specdm.synthesis.draws import TileDraws
from specdm.tiles.tileset import TileSet

LEAST_SHARE = 1e-4
"""Shares of neighbours in which classes meet are not told apart below."""


def fitted_coherence(drawing: Drawing, draws: Iterable[TileDraws], tiles: TileSet) -> float:
    """The strength with which two classes meet as often in drawn masks as in real ones.

    Args:
        drawing: how masks are drawn; its own coherence is not looked at.
        draws: what the masks drawn for this start from; not looked at for a model that draws no class masks.
        tiles: training tiles.

    Returns:
        One of `STRENGTHS`, see `mask_coherence.coherent`; 0 for a model that draws no class masks before its images.
    """
    numbers = drawing.masks_before_images
    real = None
    if tiles.classes is not None and numbers:
        real = border_share(torch.from_numpy(tiles.classes.index_of(tiles.masks())).flatten(0, 1))
    if real is None:
        return 0.0
    drawing, model = replace(drawing, mask_coherence=0.0), drawing.model
    found: dict[float, list[torch.Tensor]] = {strength: [] for strength in STRENGTHS}
    for some in draws:
        composition = some.compositions.to(model.device)
        state = drawing.unsettled_masks(some.white.to(model.device), composition=composition)
        kept = composition if drawing.composition_strength > 0 else None
        for strength, masks in found.items():
            masks += [mask_values(model, state, s, coherence=strength, composition=kept).cpu() for s in numbers]

    def off(strength: float) -> float:
        share = border_share(torch.cat(found[strength]))
        return abs(log(((share or 0.0) + LEAST_SHARE) / (real + LEAST_SHARE)))

    return min(STRENGTHS, key=off)
