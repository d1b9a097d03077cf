"""Pixels of a GDAL raster that are no data by a mask, an alpha band, or nodata values that differ between bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np

_ALPHA_NAME = re.compile(r".*(alpha|mask|transparen|opacity).*|", re.IGNORECASE)
_WINDOW = 64
_WINDOWS_A_SIDE = 5
_PARTLY = 0.1
"""Share of the visible pixels that may be partly transparent, as the edges of a warped image are."""


@dataclass(frozen=True)
class Missing:
    """Where the bands of a raster hold no data.

    Attributes:
        bands: of the image, numbered from 1, which is all but an alpha band.
        alpha: the alpha band; a pixel is no data where it is 0.
        mask: whether the file has a mask beside its bands: one for all, or one for each.
        nodata: a value a band of `bands`, None where it has none; None altogether if all bands have the same.
        remark: what a user should know about the alpha band, or None.
    """

    bands: tuple[int, ...]
    alpha: int | None = None
    mask: Literal["all", "each"] | None = None
    nodata: tuple[float | None, ...] | None = None
    remark: str | None = None

    @property
    def anything(self) -> bool:
        """Whether a pixel can be no data by what is said here."""
        return self.alpha is not None or self.mask is not None or self.nodata is not None

    def read(self, file: Any, places: slice, window: Any, dtype: np.dtype) -> np.ndarray:
        """A window as `(band, y, x)` of a float type, NaN where no data.

        Args:
            file: an open rasterio file.
            places: of the bands in `bands`.
            window: rows and columns, as rasterio takes them.
            dtype: of the result.
        """
        bands = list(self.bands[places])
        values = read_bands(file, bands, window, dtype)
        if self.nodata is not None:
            for plane, band, nodata in zip(values, bands, self.nodata[places], strict=True):
                if nodata is not None:
                    plane[plane == _as_stored(nodata, np.dtype(file.dtypes[band - 1]))] = np.nan
        if self.mask == "each":
            values[file.read_masks(bands, window=window) == 0] = np.nan
        elif self.mask == "all":
            values[:, file.read_masks(1, window=window) == 0] = np.nan
        if self.alpha is not None:
            values[:, file.read(self.alpha, window=window) == 0] = np.nan
        return values


def read_bands(file: Any, bands: Sequence[int], window: Any, dtype: np.dtype) -> np.ndarray:
    """A window of bands of an open rasterio file, which may be of different types, `(band, y, x)`."""
    if len({file.dtypes[band - 1] for band in bands}) == 1:
        return file.read(list(bands), window=window, out_dtype=dtype)
    # rasterio does not read them together, whatever type is asked for
    return np.stack([file.read(band, window=window, out_dtype=dtype) for band in bands])


def find_missing(file: Any, *, has_wavelengths: bool) -> Missing:
    """What an open rasterio file says about pixels without data.

    Args:
        file: open.
        has_wavelengths: whether every band has one; then none is an alpha band, whatever the file calls it.
    """
    from rasterio.enums import MaskFlags

    alpha, remark = (None, None) if has_wavelengths else _alpha(file)
    bands = tuple(band for band in file.indexes if band != alpha)
    flags = [file.mask_flag_enums[band - 1] for band in bands]
    mask: Literal["all", "each"] | None = None
    if any(not own for own in flags):
        mask = "each"
    # the mask that GDAL makes of an alpha band is the alpha band itself
    elif any(MaskFlags.per_dataset in own and MaskFlags.alpha not in own for own in flags):
        mask = "all"
    values = tuple(file.nodatavals[band - 1] for band in bands)
    # NaN is not itself, but its text is
    nodata = values if len({str(value) for value in values}) > 1 else None
    return Missing(bands=bands, alpha=alpha, mask=mask, nodata=nodata, remark=remark)


def _alpha(file: Any) -> tuple[int | None, str | None]:
    """The alpha band, or None; and a remark if there is a band that is called so.

    GDAL calls the fourth of four bands of bytes so unless it is told otherwise, and most people who write red, green,
    blue and infrared do not tell it. An alpha band has no name of its own and holds hardly anything but 0 and its
    greatest value, so that is looked at, in windows.
    """
    from rasterio.enums import ColorInterp

    called = [band for band in file.indexes if file.colorinterp[band - 1] is ColorInterp.alpha]
    if not called or file.count < 2:
        return None, None
    band = called[-1]
    if not _ALPHA_NAME.fullmatch(file.descriptions[band - 1] or ""):
        return None, None
    dtype = np.dtype(file.dtypes[band - 1])
    opaque = [1, 255, 65535] + ([int(np.iinfo(dtype).max)] if dtype.kind in "iu" else [])
    visible = partly = 0
    for window in _windows(file.height, file.width):
        seen = file.read(band, window=window)
        visible += int(np.count_nonzero(seen))
        partly += int(np.count_nonzero((seen != 0) & ~np.isin(seen, opaque)))
    if partly > _PARTLY * visible:
        return None, (
            f"the file calls band {band} an alpha band (transparency), but it holds measurements; taken as a band "
            "like the others"
        )
    return band, f"band {band} is an alpha band: no band of the image, and no data where it is 0"


def _windows(height: int, width: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Rows and columns of windows spread evenly over a raster."""
    return [((y, bottom), (x, right)) for (y, bottom), (x, right) in product(_spans(height), _spans(width))]


def _spans(length: int) -> Sequence[tuple[int, int]]:
    size = min(_WINDOW, length)
    starts = sorted({int(start) for start in np.linspace(0, length - size, _WINDOWS_A_SIDE)})
    return [(start, start + size) for start in starts]


def _as_stored(nodata: float, dtype: np.dtype) -> float:
    """-3.4e38 in double precision is not the float32 in the file."""
    return float(dtype.type(nodata)) if dtype.kind == "f" else nodata
