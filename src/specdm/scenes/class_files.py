"""Masks that come as a file a class: each marks the pixels of one class, the rest is unlabelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.change_masks import CHANGED, UNCHANGED
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.raster import Raster


def interpret_class_files(
    scenes: Sequence[Sequence[Raster]], names: Sequence[str], *, classes: Iterable[str | int] | None = None
) -> tuple[list[np.ndarray], Classes]:
    """One mask a scene from one file a class.

    Args:
        scenes: for each scene one raster a class, in the order of `names`: any value but 0, NaN and nodata marks a
            pixel of the class.
        names: of the classes. "unchanged" gets the value 0 and "changed" 1, others the next free values from 1.
        classes: classes to keep.

    Returns:
        int16 `(y, x)` masks, -1 where no file marks the pixel, and the classes.

    Raises:
        MaskError: a pixel in two classes, files of different size, several bands, or nothing marked at all.
    """
    legend = Classes.create(class_values(names), list(names))
    masks = [_merged(rasters, legend) for rasters in scenes]
    if all((mask == UNLABELLED).all() for mask in masks):
        raise MaskError(f"{scenes[0][0].path}: no pixel is marked, here or in the other class files; expected 1 or 255")
    if classes is not None:
        wanted = [classes] if isinstance(classes, (str, int)) else list(classes)
        kept = sorted({legend.position(item) for item in wanted})
        legend = Classes.create(
            [legend.values[i] for i in kept], [legend.names[i] for i in kept], [legend.colors[i] for i in kept]
        )
        masks = [np.where(np.isin(mask, legend.values), mask, UNLABELLED).astype(MASK_DTYPE) for mask in masks]
    return masks, legend


def class_values(names: Sequence[str]) -> list[int]:
    """Values of classes that have names only: 0 unchanged, 1 changed, else 1, 2 ... as far as they are free."""
    fixed = {UNCHANGED: 0, CHANGED: 1}
    taken = {fixed[name.strip().lower()] for name in names if name.strip().lower() in fixed}
    free = (value for value in range(1, len(names) + 2) if value not in taken)
    return [fixed[key] if (key := name.strip().lower()) in fixed else next(free) for name in names]


def _merged(rasters: Sequence[Raster], legend: Classes) -> np.ndarray:
    mask = np.full(rasters[0].grid, UNLABELLED, MASK_DTYPE)
    for position, (raster, value) in enumerate(zip(rasters, legend.values, strict=True)):
        if raster.n_bands != 1 or raster.grid != rasters[0].grid:
            raise MaskError(
                f"{raster.path}: has {raster.n_bands} bands of {raster.grid[0]} x {raster.grid[1]} px; expected one "
                f"of {rasters[0].grid[0]} x {rasters[0].grid[1]} px that marks the class {legend.names[position]}"
            )
        plane = np.asarray(raster.values[0].values)
        marked = np.nan_to_num(plane) != 0
        if raster.nodata is not None and np.isfinite(raster.nodata):
            marked &= plane != raster.nodata
        both = marked & (mask != UNLABELLED)
        if both.any():
            y, x = (int(n) for n in np.argwhere(both)[0])
            other = rasters[legend.values.index(int(mask[y, x]))]
            raise MaskError(
                f"{raster.path}: marks {int(both.sum())} pixels that {other.path} marks too, such as row {y}, column "
                f"{x}; a pixel has one class, so expected files that do not overlap"
            )
        mask[marked] = value
    return mask
