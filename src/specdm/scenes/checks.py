"""What makes image, mask and band numbers a scene: each check gives back the part in its final form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import xarray as xr

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import MASK_DTYPE, UNLABELLED, Classes
from specdm.scenes.task import CHANGE_LAYER
from specdm.scenes.wavelengths import LONGEST_NM

IMAGE_DIMS = ("date", "band", "y", "x")
MASK_DIMS = ("layer", "y", "x")
STRIP_PIXELS = 4_000_000
"""Mask pixels looked at in one go, so that memory stays bounded for scenes larger than memory."""


def checked_image(image: xr.DataArray, *, name: str) -> tuple[xr.DataArray, list[str]]:
    """The image as float32 `(date, band, y, x)` with NaN for every non-finite value, and remarks.

    Lazy arrays stay lazy; whether they hold a valid pixel at all is for `find_problem_bands` to say.

    Raises:
        SceneError: other dimensions, an empty dimension, values that are no real numbers, no valid pixel.
    """
    if set(image.dims) != set(IMAGE_DIMS):
        raise SceneError(f"{name}: the image has dimensions {image.dims}; expected {IMAGE_DIMS}")
    if image.dtype.kind not in "iufb":
        raise SceneError(f"{name}: the image holds {image.dtype} values; expected real numbers")
    empty = [dim for dim in IMAGE_DIMS if image.sizes[dim] == 0]
    if empty:
        shape = " x ".join(f"{image.sizes[dim]} {dim}" for dim in IMAGE_DIMS)
        raise SceneError(f"{name}: the image is empty ({shape}); it needs at least one {empty[0]}")
    values = image.transpose(*IMAGE_DIMS)
    attrs = {key: value for key, value in values.attrs.items() if key == "units"}
    remarks: list[str] = []
    if values.dtype.kind == "f":
        # float64 values beyond float32 become infinite on the way, so the type is changed first
        with np.errstate(over="ignore"):
            values = values.astype(np.float32)  # a copy, so the caller's array stays as it is
        if values.chunks is not None:
            values = values.where(np.isfinite(values))
        else:
            remarks = _clean(values, name=name)
    else:
        values = values.astype(np.float32)
    values.attrs = attrs
    values.encoding = {}
    return values, remarks


def checked_band_numbers(
    given: np.ndarray | Sequence[float], *, what: str, n_bands: int, name: str
) -> np.ndarray:
    """Wavelengths or widths in nm, float64 `(band,)`.

    Raises:
        SceneError: not one a band, not finite, not positive, or wavelengths that cannot be nm.
    """
    try:
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError) as error:
        raise SceneError(f"{name}: {what} holds something that is no number ({error})") from None
    if numbers.shape != (n_bands,):
        raise SceneError(
            f"{name}: {what} has {numbers.size} values for {n_bands} bands; give one a band, in nm"
        )
    if not np.isfinite(numbers).all() or (numbers <= 0).any():
        bad = [int(i) for i in np.flatnonzero(~np.isfinite(numbers) | (numbers <= 0))]
        raise SceneError(
            f"{name}: {what} of band {bad[0] + 1} is {numbers[bad[0]]}; expected nm above 0 for every band "
            f"(leave {what} out altogether if unknown)"
        )
    if what == "wavelength" and numbers.max() < 100:
        raise SceneError(
            f"{name}: wavelengths run from {numbers.min():g} to {numbers.max():g}, which cannot be nm; "
            "if they are micrometres multiply them by 1000"
        )
    if what == "wavelength" and numbers.max() > LONGEST_NM:
        raise SceneError(
            f"{name}: wavelengths run from {numbers.min():g} to {numbers.max():g} nm, which cannot be those of light; "
            f"expected nm up to {LONGEST_NM:g} (mind the unit; leave wavelengths out if unknown)"
        )
    return numbers


def checked_mask(
    mask: xr.DataArray,
    classes: Classes | None,
    *,
    dates: Sequence[str | int],
    grid: tuple[int, int],
    name: str,
) -> tuple[xr.DataArray, Classes]:
    """The mask as int16 `(layer, y, x)` on the image's grid, and its classes.

    Raises:
        MaskError: another size than the image, float values, a value without a class, no class at all, layers
            that are neither one mask nor one a date.
    """
    if "layer" not in mask.dims:
        mask = mask.expand_dims(layer=["class"])
    if set(mask.dims) != set(MASK_DIMS):
        raise MaskError(f"{name}: the mask has dimensions {mask.dims}; expected {MASK_DIMS}")
    mask = mask.transpose(*MASK_DIMS)
    same_grid("mask", mask.shape[1:], grid, name)
    if mask.dtype.kind not in "iub":
        raise MaskError(
            f"{name}: the mask holds {mask.dtype} values; expected whole numbers, one a class "
            "(round or threshold them first)"
        )
    found = _values_of(mask)
    if found and (found[0] < -32768 or found[-1] > 32767):
        raise MaskError(f"{name}: mask values run from {found[0]} to {found[-1]}; expected int16")
    labels = [value for value in found if value != UNLABELLED]
    if classes is None:
        if not labels:
            raise MaskError(f"{name}: every pixel of the mask is unlabelled ({UNLABELLED}); nothing to learn")
        classes = Classes.create(labels)
    strange = [value for value in labels if value not in classes.values]
    if strange:
        known = ", ".join(f"{n} ({v})" for n, v in zip(classes.names, classes.values, strict=True))
        raise MaskError(
            f"{name}: mask values {', '.join(map(str, strange[:8]))} have no class; the classes are {known}. "
            "Name them too, or mark those pixels unlabelled"
        )
    layer = _layer_names(mask, dates, name=name)
    # only the grid counts: the coordinates of x and y are those of the image
    return xr.DataArray(mask.data.astype(MASK_DTYPE), dims=MASK_DIMS, coords={"layer": layer}), classes


def checked_split_map(
    split_map: xr.DataArray | np.ndarray, *, grid: tuple[int, int], name: str
) -> xr.DataArray:
    """The train/test map as int8 `(y, x)`: 0 nothing, 1 train, 2 test.

    Raises:
        MaskError: another size than the image, or another value.
    """
    values = np.asarray(split_map)
    same_grid("train/test map", values.shape, grid, name)
    found = np.unique(values)
    if not np.isin(found, (0, 1, 2)).all():
        listed = ", ".join(str(value) for value in found[:8])
        raise MaskError(
            f"{name}: the train/test map holds {listed}; expected 0 (nothing), 1 (train) and 2 (test)"
        )
    return xr.DataArray(values.astype(np.int8), dims=("y", "x"))


def strips(array: xr.DataArray) -> Iterator[np.ndarray]:
    """The array in strips of whole rows, loaded one after the other."""
    per_row = max(1, array.size // max(1, array.sizes["y"]))
    rows = max(1, STRIP_PIXELS // per_row)
    for top in range(0, array.sizes["y"], rows):
        yield np.asarray(array.isel(y=slice(top, top + rows)).values)


def _clean(values: xr.DataArray, *, name: str) -> list[str]:
    """Make infinite values NaN in place, date by date and band by band to stay small, and count them."""
    infinite = valid = 0
    for plane in values.values.reshape(-1, *values.shape[2:]):
        bad = np.isinf(plane)
        infinite += int(bad.sum())
        plane[bad] = np.nan
        valid += int(np.isfinite(plane).sum())
    if not valid:
        raise SceneError(f"{name}: the image has no valid pixel; every value is nodata, NaN or infinite")
    return [f"{infinite} infinite values taken as no data"] if infinite else []


def same_grid(what: str, shape: tuple[int, ...], grid: tuple[int, int], name: str) -> None:
    """Make sure that something has the rows and columns of the image.

    Raises:
        MaskError: it has others.
    """
    if tuple(shape) != grid:
        found = " x ".join(map(str, shape))
        hint = "; it looks turned on its side, transpose it" if tuple(shape) == grid[::-1] else ""
        raise MaskError(
            f"{name}: the {what} has {found} px, the image {grid[0]} x {grid[1]} px (rows x columns); "
            f"expected the same{hint}"
        )


def _layer_names(mask: xr.DataArray, dates: Sequence[str | int], *, name: str) -> list[str]:
    """"class" or "change" for one mask; the dates for one mask a date, which needs no names."""
    of_dates = [str(date) for date in dates]
    if "layer" not in mask.coords and mask.shape[0] in (1, len(dates)):
        return ["class"] if mask.shape[0] == 1 else of_dates
    names = [str(layer) for layer in mask["layer"].values] if "layer" in mask.coords else []
    allowed = [of_dates, ["class"], *([[CHANGE_LAYER]] if len(dates) > 1 else [])]
    if names not in allowed:
        found = f"{mask.shape[0]} layers" + (f" ({', '.join(names)})" if names else " without names")
        one = " or ".join(layers[0] for layers in allowed[1:])
        raise MaskError(
            f"{name}: the mask has {found}; expected one layer named {one}, or one a date, in their order "
            f"({', '.join(of_dates)})"
        )
    return names


def _values_of(mask: xr.DataArray) -> list[int]:
    found: set[int] = set()
    for part in strips(mask):
        found.update(int(value) for value in np.unique(part))
    return sorted(found)
