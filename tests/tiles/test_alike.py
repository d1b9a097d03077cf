"""Which tile sets may stand side by side: bands by their names where nobody knows wavelengths."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import TileError
from specdm.scenes.classes import Classes
from specdm.tiles.alike import check_alike
from specdm.tiles.tileset import TileSet


def named(*names: str) -> TileSet:
    return TileSet.from_arrays(
        images=np.zeros((1, 1, 3, 4, 4), np.float32), masks=np.zeros((1, 1, 4, 4), np.int16),
        classes=Classes.create([0, 1]), band_name=names or None, split="train", source="x",
    )  # fmt: skip


def test_bands_of_other_names_are_other_bands() -> None:
    check_alike(named("B1", "B2", "B3"), named("B1", "B2", "B3"), advice="take others")
    with pytest.raises(TileError, match=r"names of bands .* B3 for band 1, .* B1 for band 1; take others"):
        check_alike(named("B3", "B2", "B1"), named("B1", "B2", "B3"), advice="take others")


def test_names_that_nobody_gave_tell_nothing() -> None:
    check_alike(named(), named("B1", "B2", "B3"), advice="take others")
