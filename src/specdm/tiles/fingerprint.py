"""What tells one tile set from another."""

from __future__ import annotations

import json
from hashlib import sha256

import numpy as np

from specdm.tiles.tileset import TileSet

LOOKED_AT = 64
"""Tiles of which all values count, spread over the set; of the others their number."""


def fingerprint(tiles: TileSet) -> str:
    """Alike for tiles of the same bands, classes and values, wherever they lie."""
    chosen = np.unique(np.linspace(0, max(0, len(tiles) - 1), LOOKED_AT).round().astype(int))
    some = tiles.select(chosen[chosen < len(tiles)])
    wavelength = None if tiles.wavelength is None else tiles.wavelength.tolist()
    classes, quantities = tiles.classes, tiles.quantities
    facts = [
        len(tiles), tiles.size, list(map(str, tiles.dates)), list(tiles.layers), list(tiles.band_name), wavelength,
        None if classes is None else [list(classes.values), list(classes.names)],
        None if quantities is None else [list(quantities.names), quantities.sum_to_one],
    ]  # fmt: skip
    digest = sha256(json.dumps(facts).encode())
    parts = [some.images()]
    parts += [some.masks()] if tiles.layers else []
    parts += [some.amounts()] if quantities is not None else []
    for values in parts:
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()
