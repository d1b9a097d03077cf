"""Published band centres of sensors whose files do not state them; used only if the user names one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from specdm.errors import SceneError


@dataclass(frozen=True)
class SensorBand:
    """One band: its name, centre and width in nm."""

    name: str
    wavelength: float
    fwhm: float


# Nominal values of ESA's mission specification, the same for all satellites of the mission.
_SENTINEL2 = (
    SensorBand("B01", 443, 20),
    SensorBand("B02", 490, 65),
    SensorBand("B03", 560, 35),
    SensorBand("B04", 665, 30),
    SensorBand("B05", 705, 15),
    SensorBand("B06", 740, 15),
    SensorBand("B07", 783, 20),
    SensorBand("B08", 842, 115),
    SensorBand("B8A", 865, 20),
    SensorBand("B09", 945, 20),
    SensorBand("B10", 1375, 30),
    SensorBand("B11", 1610, 90),
    SensorBand("B12", 2190, 180),
)



def _sentinel2(names: str) -> tuple[SensorBand, ...]:
    by_name = {band.name: band for band in _SENTINEL2}
    return tuple(by_name[name] for name in names.split())


# The data set SegMunich holds ten Sentinel-2 bands, and there are two accounts of which: its paper and card say
# the first, its authors agreed to the second when asked (danfenghong/IEEE_TPAMI_SpectralGPT, issue 31, March 2025).
_SEGMUNICH_CARD = _sentinel2("B01 B02 B03 B04 B05 B06 B07 B8A B11 B12")
_SEGMUNICH_AUTHORS = _sentinel2("B02 B03 B04 B05 B06 B07 B08 B8A B11 B12")

SENSORS: dict[str, tuple[SensorBand, ...]] = {
    "sentinel2": _SENTINEL2,
    "segmunichcard": _SEGMUNICH_CARD,
    "segmunichauthors": _SEGMUNICH_AUTHORS,
}

# Band orders of whole products, by number of bands: Level-2A leaves out the cirrus band B10.
_PRODUCTS: dict[str, dict[int, tuple[SensorBand, ...]]] = {
    "sentinel2": {13: _SENTINEL2, 12: tuple(band for band in _SENTINEL2 if band.name != "B10")},
    "segmunichcard": {10: _SEGMUNICH_CARD},
    "segmunichauthors": {10: _SEGMUNICH_AUTHORS},
}


def sensor_bands(
    sensor: str, *, n_bands: int, band_name: Sequence[str] | None, source: str
) -> tuple[SensorBand, ...]:
    """The sensor's bands in the order of a file: by the file's own band names, else by a whole product's
    count.

    Args:
        sensor: a key of `SENSORS`; case, blanks and dashes do not matter. With a colon and band names behind it
            ("sentinel2:B02,B03,B04,B08") these are the bands of the file, in this order.
        n_bands: bands in the file.
        band_name: names in the file, if any.
        source: the file, for messages.

    Raises:
        SceneError: unknown sensor or band, or neither names nor number of bands tell which bands these are.
    """
    asked, _, listed = sensor.partition(":")
    key = re.sub(r"[\s_\-]", "", asked.lower())
    if key not in SENSORS:
        raise SceneError(f"sensor {asked!r} is not known; expected one of {', '.join(sorted(SENSORS))}")
    by_name = {band.name: band for band in SENSORS[key]}
    if listed:
        return _listed_bands(listed, by_name, n_bands=n_bands, source=source)
    named = [by_name.get(normalised_band(name)) for name in band_name or ()]
    if named and all(named) and len({band.name for band in named if band}) == n_bands:
        return tuple(band for band in named if band)
    if n_bands in _PRODUCTS[key]:
        return _PRODUCTS[key][n_bands]
    counts = " or ".join(str(count) for count in sorted(_PRODUCTS[key]))
    raise SceneError(
        f"{source}: has {n_bands} bands and no band names that tell which of {sensor} they are; expected "
        f"{counts} bands, or name them (sensor=\"{asked}:B02,B03,...\"), or give wavelengths="
    )


def _listed_bands(
    listed: str, by_name: dict[str, SensorBand], *, n_bands: int, source: str
) -> tuple[SensorBand, ...]:
    names = [normalised_band(name) for name in re.split(r"[,;\s]+", listed) if name]
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise SceneError(f"there is no band {unknown[0]} among {', '.join(by_name)}; correct the names after sensor=")
    if len(names) != n_bands or len(set(names)) < len(names):
        raise SceneError(
            f"{source}: has {n_bands} bands, but sensor= names {len(set(names))} different ones ({', '.join(names)}); "
            "name each band of the file once"
        )
    return tuple(by_name[name] for name in names)


def normalised_band(name: str) -> str:
    """ "b2", "Band 2" and "B02" are one band."""
    match = re.fullmatch(r"(?:b|band)[\s_]?0*(\d{1,2})(a?)", name.strip().lower())
    if match is None:
        return name
    digits, letter = match.groups()
    return f"B{digits}A" if letter else f"B{int(digits):02d}"
