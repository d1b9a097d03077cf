"""What a continuous mask file's bands mean: amounts of named quantities, NaN where unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.images import ImageOptions, as_float
from specdm.scenes.layer_order import layer_names, layers_alike
from specdm.scenes.quantities import Quantities
from specdm.scenes.raster import Raster

AmountKind = Literal["abundances", "continuous"]
AMOUNT_DTYPE = np.dtype(np.float32)


def interpret_amounts(
    rasters: Sequence[Raster],
    *,
    kind: AmountKind,
    names: Sequence[str] | Mapping[int, str] | None = None,
    units: Sequence[str] | str | None = None,
    nodata: float | Iterable[float] | None = None,
) -> tuple[list[np.ndarray], Quantities]:
    """Continuous masks of one or several scenes with one list of quantities.

    A pixel is unknown (NaN) where the file holds NaN, an infinite value or nodata. Abundances are parts of one
    whole, so a pixel with one unknown part is unknown in all, and so is a pixel whose parts are all zero: nothing
    cannot be the composition of a pixel, and files write it outside their reference. For the same reason a nodata
    value of 0 is not taken as such for abundances: 0 is what a file holds for an absent material.

    Args:
        rasters: mask files, one band a quantity; the same quantities in all.
        kind: "abundances" that are 0 or above and sum to one, or "continuous" for free values.
        names: one a quantity (a mapping names bands by their number from 1); default: the names in the first file
            that has some, in whose order the others are brought, else "quantity 1".
        units: one a quantity or one for all; default: the unit stated by the first file that states one. Abundances
            have none.
        nodata: value or values that mean "unknown", besides what the files say.

    Returns:
        float32 `(quantity, y, x)` in the order of `rasters`, and the quantities. Abundances within
        `quantities.SUM_TOLERANCE` of a sum of one are divided by their sum, so that they sum to one up to rounding
        (1e-6).

    Raises:
        MaskError: not one name a band, another number or other names of bands in one of the files, abundances that are
            negative or do not sum to one, or no known pixel at all.
    """
    if kind not in ("abundances", "continuous"):
        raise MaskError(f"mask_kind={kind!r} is not known; expected abundances or continuous for amounts")
    if not rasters:
        raise MaskError("there is no mask file to take amounts from; give mask=")
    if names is None:
        rasters = layers_alike(rasters)
    parts = kind == "abundances"
    if units is None and not parts:
        units = next((raster.units for raster in rasters if raster.units), None)
    quantities = Quantities.create(_names(rasters, names), units=units, sum_to_one=parts)
    amounts = [_amounts(raster, quantities, nodata) for raster in rasters]
    if not any(np.isfinite(values).any() for values in amounts):
        raise MaskError(
            f"{rasters[0].path}: no pixel of the mask has a known amount; every value is nodata, NaN"
            + (" or zero" if parts else "")
        )
    return amounts, quantities


def _amounts(raster: Raster, quantities: Quantities, nodata: float | Iterable[float] | None) -> np.ndarray:
    if raster.n_bands != len(quantities):
        raise MaskError(
            f"{raster.path}: has {raster.n_bands} bands for {len(quantities)} quantities "
            f"({', '.join(quantities.names[:20])}); expected one each"
        )
    if raster.values.dtype.kind not in "iufb":
        raise MaskError(f"{raster.path}: the mask holds {raster.values.dtype} values; expected real numbers")
    stated = [] if nodata is None else _listed(nodata)
    if quantities.sum_to_one:
        stated = [value for value in stated if value != 0]
        raster = replace(raster, nodata=None) if raster.nodata == 0 else raster
    found = as_float(raster, raster.values, ImageOptions(nodata=stated))
    values = np.array(found.transpose("band", "y", "x").values, AMOUNT_DTYPE)
    values[~np.isfinite(values)] = np.nan
    if not quantities.sum_to_one:
        return values
    unknown = np.isnan(values).any(axis=0) | (values == 0).all(axis=0)
    values[:, unknown] = np.nan
    quantities.check(values, where=str(raster.path))
    # rounding in files leaves tiny negative parts and sums a little off; a composition has neither
    whole = np.maximum(values, 0.0).astype(np.float64)
    whole[:, ~unknown] /= whole[:, ~unknown].sum(axis=0)
    return whole.astype(AMOUNT_DTYPE)


def _listed(nodata: float | Iterable[float]) -> list[float]:
    return list(nodata) if isinstance(nodata, Iterable) else [nodata]


def _names(rasters: Sequence[Raster], given: Sequence[str] | Mapping[int, str] | None) -> list[str]:
    """One a band of the first file; the number of bands of the others is checked when they are read."""
    first = rasters[0]
    positions = range(1, first.n_bands + 1)
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        if sorted(given) != list(positions):
            raise MaskError(
                f"{first.path}: quantities are named for {', '.join(map(str, sorted(given)))}, but the mask has bands "
                f"1 to {first.n_bands}; name each of them"
            )
        return [str(given[position]) for position in positions]
    if given is not None:
        if len(given) != first.n_bands:
            raise MaskError(
                f"{first.path}: has {first.n_bands} bands, but {len(given)} names of quantities are given "
                f"({', '.join(map(str, given))}); give one each"
            )
        return [str(name) for name in given]
    named = (layer_names(raster) for raster in rasters)
    return next((names for names in named if names), [f"quantity {position}" for position in positions])
