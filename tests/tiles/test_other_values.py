"""The same tiles with other values."""

from __future__ import annotations

import numpy as np

from specdm.tiles.other_values import with_values
from specdm.tiles.tileset import TileSet


def test_only_what_is_named_is_other(little_tiles: TileSet) -> None:
    other = little_tiles.masks()[::-1]
    found = with_values(little_tiles, {"mask": other})
    assert np.array_equal(found.masks(), other) and found.where == little_tiles.where
    assert found.classes == little_tiles.classes and found.layers == little_tiles.layers
    assert np.array_equal(found.images(), little_tiles.images(), equal_nan=True)
    assert found.dataset["window_y"].equals(little_tiles.dataset["window_y"])
    assert not np.array_equal(little_tiles.masks(), other)
    assert with_values(little_tiles, {"mask": other}, where="elsewhere").where == "elsewhere"
