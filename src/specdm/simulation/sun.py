"""Where the sun stands, and how brightly it lights each pixel of hilly ground."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from specdm.errors import SceneError
from specdm.simulation.draws import generator, smooth_field


@dataclass(frozen=True)
class Sun:
    """The sun at about half past ten in the morning.

    Attributes:
        date: as given, "2024-06-10".
        day: day of the year.
        zenith: degrees from the vertical.
        azimuth: degrees from north, clockwise.
    """

    date: str
    day: int
    zenith: float
    azimuth: float


def sun_at(when: str, *, latitude: float) -> Sun:
    """The sun on a date, by the usual formulas of declination (Cooper 1969) and hour angle.

    Args:
        when: a date as "2024-06-10".
        latitude: degrees north, -60 to 60.

    Raises:
        SceneError: not such a date, or a latitude out of range.
    """
    try:
        day = date.fromisoformat(when).timetuple().tm_yday
    except (TypeError, ValueError):
        raise SceneError(f"date {when!r} is not understood; give it as in 2024-06-10") from None
    if not -60 <= latitude <= 60:
        raise SceneError(f"latitude {latitude} is out of range; expected -60 to 60 degrees")
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    place, hour = np.radians(latitude), np.radians(-22.5)
    up = np.sin(place) * np.sin(declination) + np.cos(place) * np.cos(declination) * np.cos(hour)
    north = np.cos(place) * np.sin(declination) - np.sin(place) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    return Sun(when, day, float(np.degrees(np.arccos(up))), float(np.degrees(np.arctan2(east, north)) % 360))


def illumination(
    shape: tuple[int, int], *, sun: Sun, pixel_size: float, relief: float, haze: float, seed: int
) -> np.ndarray:
    """How much light each pixel gets, as a share of the brightest one.

    The cosine of the sun's angle on the slope (Teillet, Guindon and Goodenough 1982,
    doi:10.1080/07038992.1982.10855028) times a smooth factor for thin haze.

    Args:
        shape: rows and columns.
        sun: the sun.
        pixel_size: metres.
        relief: standard deviation of the ground's height, metres; 0 for a plain.
        haze: most light that haze takes away, 0 to 1.
        seed: of the scene; the ground is the same on all dates, haze is not.

    Returns:
        float64 `(y, x)`, above 0 up to 1.
    """
    height = relief * smooth_field(generator(seed, "ground"), shape, length=600 / pixel_size).astype(np.float64)
    down, right = np.gradient(height, pixel_size)
    zenith, azimuth = np.radians(sun.zenith), np.radians(sun.azimuth)
    towards = right * np.sin(azimuth) - down * np.cos(azimuth)  # how fast the ground rises towards the sun
    cosine = (np.cos(zenith) - np.sin(zenith) * towards) / np.sqrt(1 + right**2 + down**2)
    veil = smooth_field(generator(seed, f"haze {sun.date}"), shape, length=1200 / pixel_size).astype(np.float64)
    light = np.maximum(cosine, 0.1 * np.cos(zenith)) * (1 - haze / (1 + np.exp(-1.5 * veil)))
    return light / light.max()
