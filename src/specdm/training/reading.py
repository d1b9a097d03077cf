"""What a reader of masks says of pixels."""

from __future__ import annotations

import torch

from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.pixels import Pixels
from specdm.training.orientations import orient, turned_back

ORDER = (0, 5, 2, 7, 1, 4, 3, 6)
"""Of the views, so that the first few differ most."""


@torch.no_grad()
def read_pixels(
    model: JointModel, reader: MaskReader, pixels: Pixels, *, views: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Class probabilities, the mean of all views, and amounts of each view.

    Args:
        model: whose spectral bases the reader sees through.
        reader: of the masks.
        pixels: any window of ground; masks are not looked at.
        views: number of orientations.

    Returns:
        `(n, layer, classes, y, x)` and `(views, n, quantity, y, x)`, NaN where a date has no data: nothing can be said
        of a change without it.
    """
    components = model.image_components(pixels)
    chances, amounts = [], []
    for orientation in ORDER[:views]:
        reading = reader(orient(components, orientation))
        chances.append(turned_back(reader.chances(reading), orientation))
        amounts.append(turned_back(reader.amounts_of(reading), orientation))
    mean = reader.pooled(torch.stack(chances).mean(dim=0), components)
    empty = ~components.isfinite().all(dim=1)[:, None]
    return mean.masked_fill(empty[:, None], float("nan")), torch.stack(amounts).masked_fill(empty, float("nan"))
