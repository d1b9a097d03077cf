"""Whether the tiles of two datasets can stand in one batch."""

from __future__ import annotations

from typing import Any

import numpy as np

from specdm.errors import TileError
from specdm.torch.dataset import TileDataset

SAME_WAVELENGTH_NM = 0.5
"""Tenths of a nanometre do not matter."""


def check_alike(synthetic: TileDataset, real: TileDataset) -> None:
    """Raise TileError, naming the first difference, unless bands, dates, sizes, masks and amounts are the same."""
    found, wanted = _facts(synthetic), _facts(real)
    for what, value in wanted.items():
        if found[what] != value:
            raise _different(what, found[what], value, synthetic, real)
    one, other = synthetic.wavelength, real.wavelength
    if one is None or other is None:
        if one is not other:
            raise _different("wavelengths", _known(one), _known(other), synthetic, real)
    elif (apart := float(np.abs(one - other).max())) > SAME_WAVELENGTH_NM:
        band = int(np.abs(one - other).argmax())
        what = f"wavelengths (by up to {apart:g} nm, in band {band + 1})"
        raise _different(what, f"{one[band]:g} nm", f"{other[band]:g} nm", synthetic, real)


def _facts(dataset: TileDataset) -> dict[str, Any]:
    tiles = dataset.tiles
    classes, quantities = tiles.classes, tiles.quantities
    return {
        "sizes (px)": tiles.size,
        "numbers of dates": tiles.n_dates,
        "numbers of bands": tiles.n_bands,
        "sensors of dates": tiles.date_sensor,
        "sensors of bands": tiles.band_sensor,
        "numbers of mask layers": len(tiles.layers),
        # order counts: positions of one set must mean the same in the other
        "classes": None if classes is None else dict(zip(classes.values, classes.names, strict=True)),
        "amounts": None if quantities is None else quantities.names,
        "unlabelled values": dataset.unlabelled,
    }


def _known(wavelength: np.ndarray | None) -> str:
    return "unknown" if wavelength is None else "known"


def _different(what: str, found: Any, wanted: Any, synthetic: TileDataset, real: TileDataset) -> TileError:
    return TileError(
        f"the {what} of {synthetic.tiles.where} and {real.tiles.where} differ: {_short(found)} and {_short(wanted)}; "
        "mix synthetic tiles with the real tiles their model was trained on"
    )


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 120 else f"{text[:119]}…"
