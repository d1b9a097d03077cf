"""Whether two tile sets can be compared, or stand in one batch, at all."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from specdm.errors import TileError
from specdm.scenes.band_names import are_default
from specdm.scenes.task import CHANGE_LAYER
from specdm.tiles.tileset import TileSet

SAME_WAVELENGTH_NM = 0.5


def check_alike(synthetic: TileSet, real: TileSet, *, advice: str) -> None:
    """Make sure that two tile sets have the same bands, dates, masks, classes and quantities.

    Args:
        synthetic, real: the two.
        advice: what to do otherwise, the end of the message.

    Raises:
        TileError: they differ; the first difference is named.
    """
    for what, words in _FACTS.items():
        found, wanted = words(synthetic), words(real)
        if found != wanted:
            raise _different(what, synthetic, found, real, wanted, advice)
    one, other = synthetic.wavelength, real.wavelength
    if one is None or other is None:
        if one is not other:
            known = ["unknown" if wavelength is None else "known" for wavelength in (one, other)]
            raise _different("wavelengths", synthetic, known[0], real, known[1], advice)
        names = [tuple(tiles.band_name) for tiles in (synthetic, real)]
        if names[0] != names[1] and not any(are_default(one) for one in names):
            band = next(i for i, (own, its) in enumerate(zip(*names, strict=True)) if own != its)
            own, its = (f"{one[band]} for band {band + 1}" for one in names)
            raise _different("names of bands", synthetic, own, real, its, advice)
    # tenths of a nanometre do not matter
    elif (apart := np.abs(one - other)).max(initial=0.0) > SAME_WAVELENGTH_NM:
        band = int(apart.argmax())
        found, wanted = (f"{w.min():g} to {w.max():g} nm, band {band + 1} at {w[band]:g} nm" for w in (one, other))
        raise _different("wavelengths", synthetic, found, real, wanted, advice)


def _different(what: str, one: TileSet, found: str, other: TileSet, wanted: str, advice: str) -> TileError:
    return TileError(f"the {what} of {one.where} are {found}, those of {other.where} are {wanted}; {advice}")


def _images(tiles: TileSet) -> str:
    return f"{tiles.n_dates} dates of {tiles.n_bands} bands"


def _sensors(tiles: TileSet) -> str:
    if tiles.date_sensor is None:
        return "the same for all dates"
    return ", ".join(f"{len(tiles.bands_of(i))} bands for date {date}" for i, date in enumerate(tiles.dates))


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
    "mask layers": _layers,
    "classes": _classes,
    "quantities": _quantities,
}
