"""What every reader returns: one file's values with what the file says about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr


@dataclass(frozen=True)
class Raster:
    """One file as read, before anything is interpreted.

    Attributes:
        path: the file, for messages and provenance.
        values: `(band, y, x)` of the file's own dtype, lazy (dask) where the format allows reading by window;
            carries `spatial_ref` and `x`/`y` coordinates if the file is georeferenced.
        format: what the file is, in words ("GeoTIFF", "MATLAB 7.3", ...).
        wavelength: band centres in nm, `(band,)`, or None if the file states none.
        fwhm: full width at half maximum in nm, `(band,)`, or None.
        band_name: names the file gives its bands, or None.
        good: False for bands that the file itself marks as bad (ENVI `bbl`), or None.
        nodata: the value that means "no data", as stored, or None.
        scale: stored values times this, plus `offset`, are the values meant. Only for formats where every
            reader applies it (CF packing); other factors that a file states are in `attributes`.
        offset: see `scale`.
        units: unit of the values as stated, or None.
        class_names: names the file gives to mask values (ENVI classes, CF flags, GDAL categories), by value.
        class_colors: colours the file gives to mask values, "#rrggbb" by value.
        variable: the array of the file that was taken, or None if the file holds only one.
        other_variables: further arrays in the same file, name -> shape; for `info` and for messages.
        attributes: anything else worth showing.
        product: what sensor product it is ("EnMAP L2A"), or None if it is a plain file.
        date: day of acquisition, such as "2022-07-24", if a product states it.
        facts: what a product's reader did, a line each: corrections, quality layers, resampling.
    """

    path: Path
    values: xr.DataArray
    format: str = "array"
    wavelength: np.ndarray | None = None
    fwhm: np.ndarray | None = None
    band_name: tuple[str, ...] | None = None
    good: np.ndarray | None = None
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    units: str | None = None
    class_names: dict[int, str] = field(default_factory=dict)
    class_colors: dict[int, str] = field(default_factory=dict)
    variable: str | None = None
    other_variables: dict[str, tuple[int, ...]] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    product: str | None = None
    date: str | None = None
    facts: list[str] = field(default_factory=list)

    @property
    def n_bands(self) -> int:
        return int(self.values.sizes["band"])

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.values.sizes["y"]), int(self.values.sizes["x"])
