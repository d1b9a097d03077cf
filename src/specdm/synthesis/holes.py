"""Unknown pixels filled before an image is encoded, so that cells beside them are encoded as they would be."""

from __future__ import annotations

import numpy as np
import torch


def filled_from_nearest(images: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Images whose unknown pixels have the spectrum of the nearest known one; a date that is unknown stays.

    Args:
        images: `(n, date, bands, y, x)`.
        known: `(n, date, y, x)` boolean.
    """
    if bool(known.all()):
        return images
    from scipy.ndimage import distance_transform_edt

    filled = images.clone()
    for i, date in torch.nonzero(~known.flatten(2).all(dim=2) & known.flatten(2).any(dim=2)).tolist():
        unknown = ~known[i, date].cpu().numpy()
        rows, columns = distance_transform_edt(unknown, return_distances=False, return_indices=True).astype(np.int64)
        filled[i, date] = images[i, date][:, torch.from_numpy(rows), torch.from_numpy(columns)]
    return filled
