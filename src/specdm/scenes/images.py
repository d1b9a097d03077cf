"""From a raster to a scene's image: bands described and chosen, values float32 with NaN for no data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from specdm.errors import SceneError
from specdm.scenes.bands import choose_bands, find_problem_bands
from specdm.scenes.dates import DateLabel
from specdm.scenes.raster import Raster
from specdm.scenes.sensors import sensor_bands
from specdm.scenes.wavelengths import read_wavelengths

# A small image is worth holding: windows then cost nothing, and infinite values can be counted.
IN_MEMORY_BYTES = 256 * 2**20


@dataclass(frozen=True)
class BandFacts:
    """What is known about the bands of a raster: centres and widths in nm, names; each `(band,)` or None."""

    wavelength: np.ndarray | None
    fwhm: np.ndarray | None
    band_name: tuple[str, ...] | None

    def label(self, band: int) -> str:
        """What reports call a band: its name, else its number from 1."""
        return self.band_name[band] if self.band_name else f"band {band + 1}"


@dataclass(frozen=True)
class ImageOptions:
    """What a user says about the values and bands of an image; see `open_scene`."""

    wavelengths: Any = None
    fwhm: Any = None
    bands: Any = None
    sensor: str | None = None
    nodata: float | Sequence[float] | None = None
    scale: float | None = None
    offset: float | None = None
    bad_bands: str = "leave_out"
    date: DateLabel | None = None


@dataclass(frozen=True)
class Image:
    """An image ready for a scene.

    Attributes:
        values: `(date, band, y, x)` float32, NaN where no data, chosen bands only; lazy if large.
        facts: about all bands of the file.
        chosen: positions in the file of the bands in `values`.
        reasons: position in the file -> why this chosen band carries nothing.
    """

    values: xr.DataArray
    facts: BandFacts
    chosen: list[int]
    reasons: dict[int, str]

    @property
    def is_void(self) -> bool:
        """No band has any valid pixel, apart from bands the file marks as bad."""
        return len(self.reasons) == len(self.chosen) and all(
            reason in ("all nodata", "marked bad by the file") for reason in self.reasons.values()
        )


def prepare_image(raster: Raster, options: ImageOptions, *, in_memory_bytes: int = IN_MEMORY_BYTES) -> Image:
    """Describe and choose the bands, and make the values what models read.

    Raises:
        SceneError: wavelengths that do not fit the bands, a band that is not there, an unknown sensor.
        FileFormatError: a table of wavelengths that cannot be read.
    """
    facts = band_facts(raster, options)
    chosen = choose_bands(
        options.bands, wavelength=facts.wavelength, band_name=facts.band_name, n_bands=raster.n_bands
    )
    values = raster.values if len(chosen) == raster.n_bands else raster.values.isel(band=chosen)
    small = values.size * 4 <= in_memory_bytes
    if small:
        values = values.compute()
    values = as_float(raster, values, options)
    good = None if raster.good is None or options.bad_bands == "keep" else raster.good[chosen]
    reasons = find_problem_bands(values, good=good)
    values = values.expand_dims(date=[options.date if options.date is not None else 0])
    return Image(
        values=values,
        facts=facts,
        chosen=chosen,
        reasons={chosen[i]: reason for i, reason in reasons.items()},
    )


def as_float(raster: Raster, values: xr.DataArray, options: ImageOptions) -> xr.DataArray:
    """`values`, bands of `raster` as stored, as float32: NaN where no data, unpacked and scaled.

    Infinite values stay for the scene to count.
    """
    stated = [] if options.nodata is None else np.ravel(options.nodata).tolist()
    numbers = without_nodata(values, [*stated, raster.nodata])
    scale = raster.scale * (1.0 if options.scale is None else options.scale)
    offset = raster.offset * (1.0 if options.scale is None else options.scale) + (options.offset or 0.0)
    if scale != 1.0:
        numbers = numbers * np.float32(scale)
    if offset != 0.0:
        numbers = numbers + np.float32(offset)
    numbers.attrs = {}
    return numbers


def without_nodata(values: xr.DataArray, nodata: Iterable[float | None]) -> xr.DataArray:
    """`values` as stored, as float32 with NaN for some of them."""
    # float64 beyond float32 becomes infinite, which a scene takes as no data
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float32)
    for value in {value for value in nodata if value is not None and np.isfinite(value)}:
        # compared as stored: -3.4e38 in double precision is not the float32 in the file
        stored = values.dtype.type(value) if values.dtype.kind == "f" else value
        numbers = numbers.where(values != stored)
    return numbers


def band_facts(raster: Raster, options: ImageOptions) -> BandFacts:
    """What the user, then the sensor, then the file says about the bands.

    Raises:
        SceneError: not one wavelength a band, an unknown sensor.
        FileFormatError: a table of wavelengths that cannot be read.
    """
    wavelength, fwhm, names = raster.wavelength, raster.fwhm, raster.band_name
    if options.sensor is not None:
        bands = sensor_bands(options.sensor, n_bands=raster.n_bands, band_name=names, source=str(raster.path))
        names = tuple(band.name for band in bands)
        wavelength = np.array([band.wavelength for band in bands], np.float64)
        fwhm = np.array([band.fwhm for band in bands], np.float64)
    if options.wavelengths is not None:
        given = options.wavelengths
        # widths of the file belong to its own centres
        fwhm = None
        if isinstance(given, (str, Path)):
            wavelength, fwhm = read_wavelengths(given)
        else:
            wavelength = _numbers(given, "wavelengths")
        _check_length(wavelength, "wavelengths", raster)
    if options.fwhm is not None:
        fwhm = _numbers(options.fwhm, "fwhm")
    if fwhm is not None:
        _check_length(fwhm, "fwhm", raster)
    return BandFacts(wavelength=wavelength, fwhm=fwhm, band_name=names)


def bands_to_leave_out(images: Sequence[Image]) -> list[dict[int, str]]:
    """For each image, chosen bands that carry nothing, with the reason.

    A band without data in one image is left out there (and by the collection everywhere). A band that is
    merely constant, as infrared over a tile of water can be, counts only if it is so in every image.
    """
    same = all(image.chosen == images[0].chosen for image in images)
    if not same:
        return [dict(image.reasons) for image in images]
    everywhere = {band for band in images[0].chosen if all(band in image.reasons for image in images)}
    return [
        {
            band: reason
            for band, reason in image.reasons.items()
            if band in everywhere or reason in ("all nodata", "marked bad by the file")
        }
        for image in images
    ]


def _numbers(given: Any, what: str) -> np.ndarray:
    try:
        return np.asarray(given, np.float64).ravel()
    except (TypeError, ValueError):
        raise SceneError(
            f"{what}= holds something that is no number; give one number a band, in nm"
        ) from None


def _check_length(numbers: np.ndarray, what: str, raster: Raster) -> None:
    if numbers.size != raster.n_bands:
        raise SceneError(
            f"{raster.path}: has {raster.n_bands} bands, but {what} has {numbers.size} values; give one a "
            f"band of the "
            "file, in nm"
        )
