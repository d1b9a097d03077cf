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

SENSORS: dict[str, tuple[SensorBand, ...]] = {"sentinel2": _SENTINEL2}

# Band orders of whole products, by number of bands: Level-2A leaves out the cirrus band B10.
_PRODUCTS: dict[str, dict[int, tuple[SensorBand, ...]]] = {
    "sentinel2": {13: _SENTINEL2, 12: tuple(band for band in _SENTINEL2 if band.name != "B10")},
}


def sensor_bands(
    sensor: str, *, n_bands: int, band_name: Sequence[str] | None, source: str
) -> tuple[SensorBand, ...]:
    """The sensor's bands in the order of a file: by the file's own band names, else by a whole product's
    count.

    Args:
        sensor: a key of `SENSORS`; case, blanks and dashes do not matter.
        n_bands: bands in the file.
        band_name: names in the file, if any.
        source: the file, for messages.

    Raises:
        SceneError: unknown sensor, or neither names nor number of bands tell which bands these are.
    """
    key = re.sub(r"[\s_\-]", "", sensor.lower())
    if key not in SENSORS:
        raise SceneError(f"sensor {sensor!r} is not known; expected one of {', '.join(sorted(SENSORS))}")
    by_name = {band.name: band for band in SENSORS[key]}
    named = [by_name.get(_normalised(name)) for name in band_name or ()]
    if named and all(named) and len({band.name for band in named if band}) == n_bands:
        return tuple(band for band in named if band)
    if n_bands in _PRODUCTS[key]:
        return _PRODUCTS[key][n_bands]
    counts = " or ".join(str(count) for count in sorted(_PRODUCTS[key]))
    raise SceneError(
        f"{source}: has {n_bands} bands and no band names that tell which of {sensor} they are; expected "
        f"{counts} "
        "bands, or give wavelengths="
    )


def _normalised(name: str) -> str:
    """ "b2", "Band 2" and "B02" are one band."""
    match = re.fullmatch(r"(?:b|band)[\s_]?0*(\d{1,2})(a?)", name.strip().lower())
    if match is None:
        return name
    digits, letter = match.groups()
    return f"B{digits}A" if letter else f"B{int(digits):02d}"
