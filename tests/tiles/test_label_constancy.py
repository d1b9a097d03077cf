"""How far the class of a labelled pixel holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from specdm.scenes.classes import UNLABELLED, Classes
from specdm.tiles.label_constancy import MOST_TILES, label_constancy
from specdm.tiles.tileset import TileSet

CLASSES = Classes.create([3, 8], ["grass", "soil"])
NAMED = {"split": "train", "source": "fields"}


def tiles_of(labels: np.ndarray) -> TileSet:
    """Tiles of class positions `(n, y, x)`, -1 where unlabelled."""
    masks = np.array([3, 8, UNLABELLED], np.int16)[labels][:, None]
    images = np.zeros((len(labels), 1, 2, *labels.shape[1:]), np.float32)
    return TileSet.from_arrays(images=images, masks=masks, classes=CLASSES, wavelength=[500.0, 600.0], **NAMED)


@given(st.integers(0, 999), st.integers(0, 3), st.integers(1, 5))
def test_is_what_counting_pairs_says(seed: int, most: int, size: int) -> None:
    labels = np.random.default_rng(seed).integers(-1, 2, (2, size, size))
    same, pairs = np.zeros(most + 1), np.zeros(most + 1)
    places = [(y, x) for y in range(size) for x in range(size)]
    for tile in labels:
        for one in places:
            for other in places:
                apart = max(abs(one[0] - other[0]), abs(one[1] - other[1]))
                if 0 < apart <= most and tile[one] >= 0 and tile[other] >= 0:
                    pairs[apart:] += 1
                    same[apart:] += tile[one] == tile[other]
    expected = np.where(pairs > 0, same / np.maximum(pairs, 1), 0.0)
    expected[0] = 1.0
    np.testing.assert_allclose(label_constancy(tiles_of(labels), layer=0, most_reach=most), expected)


def test_fields_hold_and_boards_do_not() -> None:
    rows, columns = np.mgrid[:32, :32]
    fields, board = np.stack([columns // 16, rows // 16]), ((rows + columns) % 2)[None]
    assert (label_constancy(tiles_of(fields), layer=0)[1:] > 0.9).all()
    assert label_constancy(tiles_of(board), layer=0)[1:].max() < 0.6


def test_many_tiles_are_looked_at_here_and_there() -> None:
    labels = np.zeros((MOST_TILES + 44, 4, 4), int)
    labels[:, :2] = -1
    found = label_constancy(tiles_of(labels), layer=0)
    assert found == pytest.approx([1.0, 1.0, 1.0, 1.0])


def test_nothing_labelled() -> None:
    assert list(label_constancy(tiles_of(np.full((1, 4, 4), -1)), layer=0)) == [1.0, 0.0, 0.0, 0.0]
