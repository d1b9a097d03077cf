"""What the tags of a GDAL raster say about its bands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from specdm.scenes.wavelengths import to_nanometres, unit_of_light

_DESCRIBED = re.compile(r"^(?P<name>.*?)\s*\(?(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[^\W\d_]+)\)?$")


@dataclass(frozen=True)
class BandTags:
    """Centres and widths in nm, names, marks (False where bad), remarks; None where the file is silent."""

    wavelength: np.ndarray | None = None
    fwhm: np.ndarray | None = None
    band_name: tuple[str, ...] | None = None
    good: np.ndarray | None = None
    attributes: dict[str, Any] = field(default_factory=dict)


def read_band_tags(file: Any, bands: Sequence[int] | None = None) -> BandTags:
    """Tags of bands of an open rasterio file, numbered from 1 (default: all), from the most exact place that has them
    for every band:

    1. tags of each band (`wavelength`, `wavelength_units`, `fwhm`, `bbl`), as EnMAP-Box and ENVI users write
    them; 2. lists of the whole file under the same names, also in the ENVI domain;
    3. the IMAGERY domain of each band (`CENTRAL_WAVELENGTH_UM`, `FWHM_UM`), rounded by some writers;
    4. descriptions that hold number and unit, "band 3 (429.294 Nanometers)"; "B02 10 m" says how large a pixel is.
    """
    bands = file.indexes if bands is None else bands
    count = len(bands)
    band_tags = [_lower(file.tags(i)) for i in bands]
    file_tags = {**_lower(file.tags(ns="ENVI")), **_lower(file.tags())}
    imagery = [_lower(file.tags(i, ns="IMAGERY")) for i in bands]
    descriptions = tuple(file.descriptions[i - 1] for i in bands)
    described = [_DESCRIBED.match(text or "") for text in descriptions]
    attributes: dict[str, Any] = {}

    unit = _unit(band_tags[0] if band_tags else {}) or _unit(file_tags)
    wavelength = widths = None
    centres = _per_band(band_tags, "wavelength", "wavelengths", "center_wavelength", "central_wavelength")
    if centres is None:
        centres = _listed(file_tags, count, "wavelength", "wavelengths")
    if centres is not None:
        wavelength = _noted(to_nanometres(centres, unit), attributes)
        widths = _per_band(band_tags, "fwhm", "bandwidth")
        if widths is None:
            widths = _listed(file_tags, count, "fwhm")
        if widths is not None:
            widths = _noted(to_nanometres(widths, unit, width_of=centres), attributes)
    if wavelength is None:
        centres = _per_band(imagery, "central_wavelength_um")
        if centres is not None:
            wavelength = _noted(to_nanometres(centres, "um"), attributes)
    if wavelength is not None and widths is None:
        widths = _per_band(imagery, "fwhm_um")
        if widths is not None:
            widths = _noted(to_nanometres(widths, "um", width_of=wavelength / 1e3), attributes)
    if wavelength is None and described and all(m is not None and unit_of_light(m["unit"]) for m in described):
        units = {m["unit"] for m in described if m is not None}
        if len(units) == 1:
            numbers = np.array([float(m["number"]) for m in described if m is not None])
            wavelength = _noted(to_nanometres(numbers, units.pop()), attributes)

    marks = _per_band(band_tags, "bbl")
    if marks is None:
        marks = _listed(file_tags, count, "bbl")
    return BandTags(
        wavelength=wavelength,
        fwhm=widths if wavelength is not None else None,
        band_name=_names(descriptions),
        good=None if marks is None else marks != 0,
        attributes=attributes,
    )


def _names(descriptions: tuple[str | None, ...]) -> tuple[str, ...] | None:
    if not descriptions or not all(descriptions):
        return None
    names = []
    for text in descriptions:
        match = _DESCRIBED.match(text or "")
        # the wavelength is kept as a number; repeating it in the name would only lengthen every legend
        named = match is not None and unit_of_light(match["unit"]) and match["name"].strip(" -_:(")
        names.append(match["name"].strip(" -_:(") if match and named else str(text))
    return tuple(names)


def _lower(tags: Mapping[str, str]) -> dict[str, str]:
    return {key.lower().replace(" ", "_"): value for key, value in tags.items()}


def _unit(tags: Mapping[str, str]) -> str | None:
    return next(
        (tags[key] for key in ("wavelength_units", "wavelength_unit", "wavelengthunits") if key in tags), None
    )


def _per_band(tags: list[dict[str, str]], *keys: str) -> np.ndarray | None:
    for key in keys:
        if tags and all(key in band for band in tags):
            return _numbers([band[key] for band in tags])
    return None


def _listed(tags: Mapping[str, str], count: int, *keys: str) -> np.ndarray | None:
    for key in keys:
        if key in tags:
            numbers = _numbers([n for n in re.split(r"[,;\s]+", tags[key].strip("{}[]() \n")) if n])
            if numbers is not None and numbers.size == count:
                return numbers
    return None


def _numbers(texts: list[str]) -> np.ndarray | None:
    try:
        return np.array([float(text) for text in texts])
    except ValueError:
        return None


def _noted(result: tuple[np.ndarray | None, str | None], attributes: dict[str, Any]) -> np.ndarray | None:
    numbers, remark = result
    if remark:
        attributes.setdefault("wavelength_remark", remark)
    return numbers
