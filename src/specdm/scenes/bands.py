"""Which bands of an image to use: those with information in them, and those the user asks for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import SceneError

BLOCK_VALUES = 16_000_000
"""Values looked at in one go (64 MB of float32) where a file has no chunks of its own."""

_RANGE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*(?:nm)?\s*", re.IGNORECASE)


def find_problem_bands(
    values: xr.DataArray,
    *,
    nodata: float | None = None,
    good: np.ndarray | Sequence[bool] | None = None,
    progress: Callable[[float], None] | None = None,
) -> dict[int, str]:
    """Bands that carry nothing, in one pass and bounded memory, also for lazy (dask) values.

    Args:
        values: `(band, y, x)`, any real type, lazy or not.
        nodata: value that means "no data"; NaN and infinite values always do.
        good: False for bands that the file itself marks as bad, `(band,)`; these are not looked at.
        progress: called with the share done, 0 to 1, after every block.

    Returns:
        band position -> reason: "marked bad by the file", "empty" (no pixel at all, or zero everywhere),
        "all nodata", or "constant" with its value.

    Raises:
        SceneError: other dimensions than `(band, y, x)`, or `good` has not one value a band.
    """
    if set(values.dims) != {"band", "y", "x"}:
        raise SceneError(f"the image has dimensions {values.dims}; expected ('band', 'y', 'x')")
    values = values.transpose("band", "y", "x")
    n_bands, height, width = values.shape
    marked = np.zeros(n_bands, bool) if good is None else ~np.asarray(good, bool)
    if marked.shape != (n_bands,):
        raise SceneError(f"{marked.size} good/bad marks for {n_bands} bands; expected one a band")

    low = np.full(n_bands, np.inf)
    high = np.full(n_bands, -np.inf)
    blocks = _blocks(values)
    for done, (bands, rows, columns) in enumerate(blocks, start=1):
        wanted = np.flatnonzero(~marked[bands]) + bands.start
        if wanted.size:
            # a slice keeps lazy readers at one read a block; marked bands are mostly few
            block = np.asarray(values[bands, rows, columns].values)
            for band in wanted:
                least, most = _extent(block[band - bands.start], nodata)
                low[band], high[band] = min(low[band], least), max(high[band], most)
        if progress is not None:
            progress(done / len(blocks))

    reasons: dict[int, str] = {}
    for band in range(n_bands):
        if marked[band]:
            reasons[band] = "marked bad by the file"
        elif height * width == 0 or low[band] == high[band] == 0:
            reasons[band] = "empty"
        elif low[band] > high[band]:
            reasons[band] = "all nodata"
        elif low[band] == high[band]:
            # a single valid pixel is constant too, and as little use
            reasons[band] = f"constant ({low[band]:g})"
    return reasons


def choose_bands(
    selection: Any,
    *,
    wavelength: np.ndarray | None,
    band_name: Sequence[str] | None,
    n_bands: int,
) -> list[int]:
    """Band positions that a user's selection means, in the file's order and each once.

    Args:
        selection: None (all), a position (0-based, negative from the end), a band name, a range "450-900"
            in nm (both ends in), a slice of positions, or a list of these.
        wavelength: band centres in nm, or None.
        band_name: names, or None.
        n_bands: how many bands there are.

    Raises:
        SceneError: a position out of range, an unknown name (with the nearest names), a range without
            wavelengths or without a band in it, a selection of nothing.
    """
    if selection is None:
        return list(range(n_bands))
    if isinstance(selection, np.ndarray) and selection.dtype == bool:
        if selection.shape != (n_bands,):
            raise SceneError(f"the band selection has {selection.size} marks for {n_bands} bands")
        selection = np.flatnonzero(selection)
    parts = selection if isinstance(selection, (list, tuple, set, range, np.ndarray)) else [selection]
    chosen = {band for part in parts for band in _one(part, wavelength, band_name, n_bands)}
    if not chosen:
        raise SceneError(f"the selection {selection!r} has no band in it; there are {n_bands} bands")
    return sorted(chosen)


def _one(part: Any, wavelength: np.ndarray | None, names: Sequence[str] | None, n_bands: int) -> list[int]:
    if isinstance(part, slice):
        return list(range(n_bands))[part]
    if isinstance(part, (int, np.integer)) and not isinstance(part, bool):
        if not -n_bands <= part < n_bands:
            raise SceneError(f"there is no band {part}; positions run from 0 to {n_bands - 1}")
        return [int(part) % n_bands]
    if not isinstance(part, str):
        raise SceneError(
            f"cannot choose bands by {part!r}; give positions, names, slices or ranges such as '450-900' (nm)"
        )
    if names is not None and part in names:  # a name may look like a range, so names come first
        return [i for i, name in enumerate(names) if name == part]
    lowered = [name.lower() for name in names or ()]
    if part.lower() in lowered:
        return [i for i, name in enumerate(lowered) if name == part.lower()]
    if match := _RANGE.fullmatch(part):
        return _in_range(float(match[1]), float(match[2]), part, wavelength)
    if names is None:
        raise SceneError(f"there is no band {part!r}: the file names no bands; choose by position or range")
    near = difflib.get_close_matches(part.lower(), lowered, n=5, cutoff=0.3)
    nearest = [names[lowered.index(name)] for name in dict.fromkeys(near)] or list(names[:5])
    raise SceneError(f"there is no band {part!r}; the nearest of {n_bands} names: {', '.join(nearest)}")


def _in_range(low: float, high: float, text: str, wavelength: np.ndarray | None) -> list[int]:
    if wavelength is None:
        raise SceneError(f"cannot choose bands by the range {text!r} nm: the wavelengths are unknown")
    low, high = min(low, high), max(low, high)
    inside = np.flatnonzero((wavelength >= low) & (wavelength <= high))
    if not inside.size:
        raise SceneError(
            f"no band lies within {low:g}-{high:g} nm; "
            f"wavelengths run from {wavelength.min():g} to {wavelength.max():g} nm"
        )
    return [int(band) for band in inside]


def _blocks(values: xr.DataArray) -> list[tuple[slice, slice, slice]]:
    """Bands x rows x columns: blocks that cover the array once; the file's own chunks if it has any."""
    n_bands, height, width = values.shape
    if values.chunks is not None:
        band_sizes, row_sizes, column_sizes = values.chunks
    else:
        rows = max(1, min(height, BLOCK_VALUES // max(1, width)))
        bands = max(1, BLOCK_VALUES // max(1, width * rows))
        band_sizes, row_sizes, column_sizes = _even(n_bands, bands), _even(height, rows), (width,)
    return [
        (b, r, c) for r in _slices(row_sizes) for c in _slices(column_sizes) for b in _slices(band_sizes)
    ]


def _even(total: int, size: int) -> tuple[int, ...]:
    return tuple(min(size, total - start) for start in range(0, total, size))


def _slices(sizes: Sequence[int]) -> list[slice]:
    ends = np.cumsum(sizes)
    return [slice(int(end - size), int(end)) for size, end in zip(sizes, ends, strict=True)]


def _extent(plane: np.ndarray, nodata: float | None) -> tuple[float, float]:
    """Least and greatest valid value; (inf, -inf) if there is none."""
    valid = np.isfinite(plane)
    if nodata is not None and np.isfinite(nodata):
        # in the plane's own type: the same nodata in double precision would differ in the last digits
        valid &= plane != (plane.dtype.type(nodata) if plane.dtype.kind == "f" else nodata)
    kept = plane[valid]
    return (float(kept.min()), float(kept.max())) if kept.size else (np.inf, -np.inf)
