"""What makes a dataset a tile set, and what makes arrays fit one."""

from __future__ import annotations

import numpy as np
import xarray as xr

from specdm.errors import MaskError, TileError
from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.layout import (
    AMOUNT_DIMS,
    AMOUNT_SCORES,
    IMAGE_DIMS,
    MASK_DIMS,
    MASK_SCORES,
    SCORE_DIMS,
    TILE_SCORES,
    TileLayout,
)
from specdm.tiles.tile_coords import NUMBER_COORDS, TEXT_COORDS


def check_dataset(dataset: xr.Dataset, *, where: str) -> None:
    """Make sure that a dataset is a tile set; reads no image.

    Raises:
        TileError: names what is missing or of the wrong shape or type, and `where`.
    """
    if "image" not in dataset:
        raise TileError(f"{where} is no tile set: it has no variable 'image'")
    wanted = ["band_name", "date", *TEXT_COORDS, *NUMBER_COORDS]
    for name, dims, dtype, coord in (
        ("image", IMAGE_DIMS, np.float32, "date"),
        ("mask", MASK_DIMS, np.int16, "layer"),
        ("amount", AMOUNT_DIMS, np.float32, "quantity"),
        (MASK_SCORES, SCORE_DIMS[MASK_SCORES], np.float32, TILE_SCORES),
        (AMOUNT_SCORES, SCORE_DIMS[AMOUNT_SCORES], np.float32, TILE_SCORES),
    ):
        if name not in dataset:
            continue
        variable = dataset[name]
        if variable.dims != dims:
            raise TileError(f"{where}: {name} has the dimensions {variable.dims}; expected {dims}")
        if variable.dtype != dtype:
            raise TileError(f"{where}: {name} is {variable.dtype}; expected {np.dtype(dtype)}")
        wanted.append(coord)
    if "mask" not in dataset and "amount" not in dataset:
        raise TileError(f"{where} is no tile set: it has neither a variable 'mask' nor a variable 'amount'")
    if missing := [key for key in wanted if key not in dataset.coords]:
        raise TileError(f"{where} is no tile set: it has no coordinate {missing[0]!r}")
    if dataset.sizes["y"] != dataset.sizes["x"]:
        raise TileError(f"{where}: tiles of {dataset.sizes['y']} x {dataset.sizes['x']} px; expected squares")
    try:
        layout = TileLayout.of(dataset)
    except (MaskError, TileError) as error:
        raise type(error)(f"{where}: {error}") from error
    if layout.quantities is not None and len(layout.quantities) != dataset.sizes["quantity"]:
        raise TileError(
            f"{where}: amount has {dataset.sizes['quantity']} layers but names {len(layout.quantities)} quantities; "
            "expected one each"
        )


def check_parts(
    layout: TileLayout,
    images: np.ndarray,
    masks: np.ndarray | None,
    amounts: np.ndarray | None,
    *,
    where: str,
) -> None:
    """Make sure that some tiles are what a layout says.

    Args:
        layout: of the set they belong to.
        images: float32 `(n, date, band, y, x)`; finite only in the bands that a date has.
        masks: int16 `(n, layer, y, x)`; None only without layers.
        amounts: float32 `(n, quantity, y, x)`; None only without quantities.
        where: what messages call the set.

    Raises:
        TileError: other shapes or types, an infinite amount, or values in a band that a date has not.
        MaskError: a mask value without a class, or amounts that are not what the quantities say.
    """
    n = len(images)
    for what, array, shape, dtype in (
        ("images", images, layout.image_shape, np.float32),
        ("masks", masks, layout.mask_shape, np.int16),
        ("amounts", amounts, layout.amount_shape, np.float32),
    ):
        if array is None:
            if shape[0]:
                raise TileError(f"{where}: no {what} are given; expected {np.dtype(dtype)} of shape {(n, *shape)}")
        elif array.shape != (n, *shape) or array.dtype != dtype:
            raise TileError(
                f"{where}: {what} are {array.dtype} of shape {array.shape}; expected "
                f"{np.dtype(dtype)} of shape {(n, *shape)}"
            )
    own = layout.own_bands
    for date in range(len(own)):
        if not own[date].all() and np.isfinite(images[:, date, ~own[date]]).any():
            raise TileError(
                f"{where}: date {layout.dates[date]} has values in bands of another date's sensor; "
                "expected NaN there"
            )
    if masks is not None:
        check_mask_values(masks, layout.classes)
    if amounts is not None and layout.quantities is not None:
        if np.isinf(amounts).any():
            raise TileError(f"{where}: an amount is infinite; expected numbers, or NaN where unknown")
        layout.quantities.check(amounts, where=where)


def check_mask_values(masks: np.ndarray, classes: Classes | None) -> None:
    """Raise MaskError if a mask holds a value that is neither a class nor -1."""
    if classes is not None:
        classes.index_of(masks)
    elif (masks != UNLABELLED).any():
        raise MaskError("masks have labels but no classes are given; give classes")
