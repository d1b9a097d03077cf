"""Mask files with a layer a class or quantity, which may hold them in different orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from specdm.errors import MaskError
from specdm.scenes.raster import Raster


def layer_names(raster: Raster) -> list[str] | None:
    """What a file calls its layers, or None if it does not name each of them, and each differently."""
    positions = range(1, raster.n_bands + 1)
    if sorted(raster.class_names) == list(positions):
        return [raster.class_names[position] for position in positions]
    if raster.band_name is not None and len(set(raster.band_name)) == raster.n_bands:
        return list(raster.band_name)
    return None


def layers_alike(rasters: Sequence[Raster]) -> list[Raster]:
    """The files with their layers in the order of the first one that names them; files without names stay as they are.

    Raises:
        MaskError: two files with as many layers name them differently.
    """
    named = {i: names for i, raster in enumerate(rasters) if (names := layer_names(raster)) is not None}
    if not named:
        return list(rasters)
    first = min(named)
    return [
        _ordered(raster, named[i], rasters[first], named[first]) if i in named else raster
        for i, raster in enumerate(rasters)
    ]


def _ordered(raster: Raster, names: list[str], first: Raster, wanted: list[str]) -> Raster:
    # of another number of layers its reader speaks
    if names == wanted or len(names) != len(wanted):
        return raster
    if set(names) != set(wanted):
        raise MaskError(
            f"{raster.path}: its layers are {', '.join(names[:20])}, those of {first.path} {', '.join(wanted[:20])}; "
            "name them alike, or give names for all files if they have one order"
        )
    colors = raster.class_colors
    order = np.array([names.index(name) for name in wanted])
    return replace(
        raster,
        values=raster.values.isel(band=order),
        band_name=tuple(wanted),
        class_names=dict(enumerate(wanted, start=1)) if raster.class_names else {},
        class_colors={new: colors[old + 1] for new, old in enumerate(order, start=1) if old + 1 in colors},
    )
