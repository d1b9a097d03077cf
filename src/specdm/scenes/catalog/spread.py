"""Band centres of sets that publish only the range of their sensor: nominal, and used only when asked for."""

from __future__ import annotations

SPREAD_NOTE = (
    "Band centres are not published, only their range: wavelengths=\"nominal\" spreads them evenly over it, good for "
    "pictures, not for physics."
)


def spread(first: float, last: float, n_bands: int) -> tuple[float, ...]:
    """Centres in nm, evenly between the ends of the range; entries that have them say so with `SPREAD_NOTE`.

    Args:
        first, last: of the range, nm.
        n_bands: of the sensor as flown, before bands were taken out.
    """
    step = (last - first) / (n_bands - 1)
    return tuple(round(first + step * band, 2) for band in range(n_bands))


def kept(centres: tuple[float, ...], *left_out: tuple[int, int]) -> tuple[float, ...]:
    """Centres without those of the channels (from 1) in the given ranges, first and last of each."""
    out = {channel for first, last in left_out for channel in range(first, last + 1)}
    return tuple(centre for channel, centre in enumerate(centres, start=1) if channel not in out)
