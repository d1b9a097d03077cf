"""The continuous mask of a scene: checked against its quantities, on the image's grid."""

from __future__ import annotations

import numpy as np
import xarray as xr

from specdm.errors import MaskError
from specdm.scenes.checks import same_grid, strips
from specdm.scenes.quantities import Quantities

AMOUNT_DIMS = ("quantity", "y", "x")


def checked_amounts(
    amounts: xr.DataArray, quantities: Quantities | None, *, grid: tuple[int, int], name: str
) -> tuple[xr.DataArray, Quantities]:
    """The amounts as float32 `(quantity, y, x)`, NaN where unknown, and their quantities.

    Infinite values become NaN. A pixel of which one abundance is unknown is unknown altogether, for its parts
    cannot be known to sum to one. Lazy arrays stay lazy; they are looked at in strips.

    Args:
        amounts: `(quantity, y, x)`, or `(y, x)` for one quantity; any real number type.
        quantities: what they are; without them free values with the names of the coordinate `quantity`, else
            "quantity 1", "quantity 2" ...
        grid: rows and columns of the image.
        name: the scene's.

    Raises:
        MaskError: other dimensions, another size than the image, no numbers, another number of quantities,
            abundances below zero or that do not sum to one.
    """
    if "quantity" not in amounts.dims:
        amounts = amounts.expand_dims("quantity")
    if set(amounts.dims) != set(AMOUNT_DIMS):
        raise MaskError(f"{name}: the continuous mask has dimensions {amounts.dims}; expected {AMOUNT_DIMS}")
    amounts = amounts.transpose(*AMOUNT_DIMS)
    same_grid("continuous mask", amounts.shape[1:], grid, name)
    if amounts.dtype.kind not in "iufb":
        raise MaskError(f"{name}: the continuous mask holds {amounts.dtype} values; expected real numbers")
    if quantities is None:
        named = amounts["quantity"].values if "quantity" in amounts.coords else range(1, amounts.shape[0] + 1)
        quantities = Quantities.create([v if isinstance(v, str) else f"quantity {v}" for v in named])
    with np.errstate(over="ignore"):
        values = amounts.astype(np.float32)
    known: xr.DataArray = xr.apply_ufunc(np.isfinite, values, dask="allowed")
    values = values.where(known.all("quantity") if quantities.sum_to_one else known)
    for part in strips(values):
        quantities.check(part, where=f"{name}: continuous mask")
    # only the grid counts: the coordinates of x and y are those of the image
    checked = xr.DataArray(values.data, dims=AMOUNT_DIMS, coords={"quantity": list(quantities.names)})
    checked.attrs = quantities.to_attrs()
    return checked, quantities


def amount_ranges(amounts: xr.DataArray) -> np.ndarray:
    """Least and greatest known value of each quantity, float64 `(quantity, 2)`; NaN where none is known."""
    ranges = np.full((amounts.sizes["quantity"], 2), np.nan)
    for part in strips(amounts):
        flat = part.reshape(len(ranges), -1)
        ranges[:, 0] = np.fmin(ranges[:, 0], np.fmin.reduce(flat, axis=1))
        ranges[:, 1] = np.fmax(ranges[:, 1], np.fmax.reduce(flat, axis=1))
    return ranges
