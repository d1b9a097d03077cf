"""Names of bands that nobody named."""

from __future__ import annotations

from collections.abc import Sequence


def default_band_names(n: int) -> list[str]:
    """ "band 1", "band 2" and so on."""
    return [f"band {number}" for number in range(1, n + 1)]


def are_default(names: Sequence[str]) -> bool:
    """Whether these are the names of bands that nobody named, and so tell nothing."""
    return list(names) == default_band_names(len(names))
