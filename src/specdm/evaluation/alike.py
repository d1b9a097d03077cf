"""Whether two tile sets can be compared at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specdm.errors import TileError
from specdm.scenes.task import CHANGE_LAYER
from specdm.tiles.tileset import TileSet

SAME_WAVELENGTH_NM = 0.5


def check_alike(synthetic: TileSet, real: TileSet) -> None:
    """Raise TileError if the two cannot be compared, naming the first difference."""
    for what, words in _FACTS.items():
        found, wanted = words(synthetic), words(real)
        # wavelengths are compared as numbers: two lists may read alike, and tenths of a nanometre do not matter
        if (found != wanted) if words is not _wavelengths else not _same_wavelengths(synthetic, real):
            raise TileError(
                f"the {what} of {synthetic.where} are {found}, those of {real.where} are {wanted}; "
                "compare synthetic tiles with the real tiles their model was trained on"
            )


def _same_wavelengths(synthetic: TileSet, real: TileSet) -> bool:
    one, other = synthetic.wavelength, real.wavelength
    if one is None or other is None:
        return one is other
    return bool(np.allclose(one, other, rtol=0, atol=SAME_WAVELENGTH_NM))


def _images(tiles: TileSet) -> str:
    return f"{tiles.n_dates} dates of {tiles.n_bands} bands"


def _sensors(tiles: TileSet) -> str:
    if tiles.date_sensor is None:
        return "the same for all dates"
    return ", ".join(f"{len(tiles.bands_of(i))} bands for date {date}" for i, date in enumerate(tiles.dates))


def _wavelengths(tiles: TileSet) -> str:
    wavelength = tiles.wavelength
    if wavelength is None:
        return "unknown"
    return f"{wavelength[0]:g} to {wavelength[-1]:g} nm"


def _layers(tiles: TileSet) -> str:
    # names of dates may differ, what the layers are about may not
    if tiles.layers == (CHANGE_LAYER,):
        return "one of change"
    return f"{len(tiles.layers)}" if tiles.layers else "none"


def _classes(tiles: TileSet) -> str:
    # order counts: positions of one set must mean the same in the other
    classes = tiles.classes
    if classes is None:
        return "none"
    return ", ".join(f"{name} ({value})" for value, name in zip(classes.values, classes.names, strict=True))


def _quantities(tiles: TileSet) -> str:
    quantities = tiles.quantities
    if quantities is None:
        return "none"
    names = ", ".join(quantities.label(position) for position in range(len(quantities)))
    return f"{names}, which sum to one" if quantities.sum_to_one else names


_FACTS: dict[str, Callable[[TileSet], str]] = {
    "images": _images,
    "bands": _sensors,
    "wavelengths": _wavelengths,
    "mask layers": _layers,
    "classes": _classes,
    "quantities": _quantities,
}
