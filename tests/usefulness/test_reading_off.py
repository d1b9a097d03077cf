"""Masks and amounts that a model reads off the images of tiles: what is kept, and what stays unlabelled."""

from __future__ import annotations

import numpy as np
import pytest
from fake_generator import FakeGenerator, labels_of, with_chances
from tiny_tiles import CLASSES, GRASS, HEIGHT, NONE, ROOF, amount_tiles, class_tiles

from specdm.errors import ModelError
from specdm.evaluation.usefulness.material import read_off

NAN = float("nan")


@pytest.mark.parametrize(
    ("least", "expected"),
    [(0.0, [GRASS, GRASS, ROOF, NONE]), (0.8, [GRASS, NONE, ROOF, NONE]), (0.95, [NONE, NONE, NONE, NONE])],
)
def test_unsure_ground_stays_unlabelled(least: float, expected: list[int]):
    tiles = class_tiles([[[[ROOF, ROOF], [NONE, GRASS]]]], images=with_chances(0.1, 0.4, 0.9, NAN))
    read = read_off(tiles, FakeGenerator(), keep_labels=False, least=least)
    assert labels_of(read) == expected
    assert labels_of(tiles) == [ROOF, ROOF, NONE, GRASS]
    assert read.dataset["mask"].dtype == np.int16 and read.classes == CLASSES
    np.testing.assert_array_equal(read.images(), tiles.images())


def test_confidence_of_least_is_enough():
    tiles = class_tiles([[[[NONE, NONE], [NONE, NONE]]]], images=with_chances(0.75, 0.74, 0.25, 0.26))
    assert labels_of(read_off(tiles, FakeGenerator(), keep_labels=False, least=0.75)) == [ROOF, NONE, GRASS, NONE]


@pytest.mark.parametrize("least", [0.0, 0.8])
def test_labels_are_kept_where_asked(least: float):
    tiles = class_tiles([[[[ROOF, NONE], [NONE, GRASS]]]], images=with_chances(0.1, 0.4, 0.9, NAN))
    unsure = GRASS if least == 0 else NONE
    read = read_off(tiles, FakeGenerator(), keep_labels=True, least=least)
    assert labels_of(read) == [ROOF, unsure, ROOF, GRASS]


def test_every_layer_is_read_and_kept_by_itself():
    masks = [[[[NONE, ROOF], [NONE, NONE]], [[NONE, NONE], [ROOF, NONE]]]]
    tiles = class_tiles(masks, images=with_chances(0.9, 0.1, 0.9, 0.1), layers=["one", "other"])
    read = read_off(tiles, FakeGenerator(), keep_labels=True, least=0.8)
    assert labels_of(read, 0) == [ROOF, ROOF, ROOF, GRASS]
    assert labels_of(read, 1) == [GRASS, ROOF, ROOF, ROOF]


@pytest.mark.parametrize(("keep", "expected"), [(False, [5, 6, 7, NAN]), (True, [1, 6, 7, 2])])
def test_amounts_are_all_taken(keep: bool, expected: list[float]):
    tiles = amount_tiles([[[[1, NAN], [NAN, 2]]]], images=with_chances(0, 0, 0, 0, amounts=(5, 6, 7, NAN)))
    read = read_off(tiles, FakeGenerator(), keep_labels=keep, least=0.99)
    np.testing.assert_array_equal(read.amounts().ravel(), expected)
    assert read.dataset["amount"].dtype == np.float32
    np.testing.assert_array_equal(tiles.amounts().ravel(), [1, NAN, NAN, 2])


def test_masks_and_amounts_together():
    tiles = class_tiles(
        [[[[NONE, ROOF], [NONE, NONE]]]], images=with_chances(0.9, 0.1, 0.5, 0.1, amounts=(5, 6, 7, 8)),
        amounts=np.float32([[[[1, NAN], [NAN, NAN]]]]), quantities=HEIGHT,
    )  # fmt: skip
    read = read_off(tiles, FakeGenerator(), keep_labels=True, least=0.8)
    assert labels_of(read) == [ROOF, ROOF, NONE, GRASS] and read.amounts().ravel().tolist() == [1, 6, 7, 8]


def test_a_model_without_reader_reads_nothing():
    with pytest.raises(ModelError, match="cannot read masks"):
        read_off(class_tiles([[[[3, 3], [3, 3]]]]), FakeGenerator(reader=None), keep_labels=True, least=0.5)
