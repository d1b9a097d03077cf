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
    ("all_ground", "expected"), [(True, [GRASS, GRASS, ROOF, NONE]), (False, [GRASS, NONE, ROOF, NONE])]
)
def test_unsure_ground_stays_unlabelled(all_ground: bool, expected: list[int]):
    tiles = class_tiles([[[[ROOF, ROOF], [NONE, GRASS]]]], images=with_chances(0.1, 0.4, 0.9, NAN))
    read = read_off(tiles, FakeGenerator(), all_ground=all_ground)
    assert labels_of(read) == expected
    assert labels_of(tiles) == [ROOF, ROOF, NONE, GRASS]
    assert read.dataset["mask"].dtype == np.int16 and read.classes == CLASSES
    np.testing.assert_array_equal(read.images(), tiles.images())


def test_of_every_class_the_surest_half_is_labelled():
    tiles = class_tiles([[[[NONE, NONE], [NONE, NONE]]]], images=with_chances(0.55, 0.54, 0.05, 0.06))
    assert labels_of(read_off(tiles, FakeGenerator())) == [ROOF, NONE, GRASS, GRASS]


@pytest.mark.parametrize("all_ground", [True, False])
def test_labels_are_kept_where_asked(all_ground: bool):
    tiles = class_tiles([[[[ROOF, NONE], [NONE, GRASS]]]], images=with_chances(0.1, 0.4, 0.9, NAN))
    unsure = GRASS if all_ground else NONE
    read = read_off(tiles, FakeGenerator(), keep_labels=True, all_ground=all_ground)
    assert labels_of(read) == [ROOF, unsure, ROOF, GRASS]


def test_every_layer_is_read_and_kept_by_itself():
    masks = [[[[NONE, ROOF], [NONE, NONE]], [[NONE, NONE], [ROOF, NONE]]]]
    tiles = class_tiles(masks, images=with_chances(0.9, 0.1, 0.9, 0.1), layers=["one", "other"])
    read = read_off(tiles, FakeGenerator(), keep_labels=True)
    assert labels_of(read, 0) == [ROOF, ROOF, ROOF, GRASS]
    assert labels_of(read, 1) == [GRASS, ROOF, ROOF, ROOF]


@pytest.mark.parametrize(("keep", "expected"), [(False, [5, 6, 7, NAN]), (True, [1, 6, 7, 2])])
def test_amounts_are_all_taken(keep: bool, expected: list[float]):
    tiles = amount_tiles([[[[1, NAN], [NAN, 2]]]], images=with_chances(0, 0, 0, 0, amounts=(5, 6, 7, NAN)))
    read = read_off(tiles, FakeGenerator(), keep_labels=keep)
    np.testing.assert_array_equal(read.amounts().ravel(), expected)
    assert read.dataset["amount"].dtype == np.float32
    np.testing.assert_array_equal(tiles.amounts().ravel(), [1, NAN, NAN, 2])


def test_masks_and_amounts_together():
    tiles = class_tiles(
        [[[[NONE, ROOF], [NONE, NONE]]]], images=with_chances(0.9, 0.1, 0.5, 0.1, amounts=(5, 6, 7, 8)),
        amounts=np.float32([[[[1, NAN], [NAN, NAN]]]]), quantities=HEIGHT,
    )  # fmt: skip
    read = read_off(tiles, FakeGenerator(), keep_labels=True)
    assert labels_of(read) == [ROOF, ROOF, NONE, GRASS] and read.amounts().ravel().tolist() == [1, 6, 7, 8]


def test_a_model_without_reader_reads_nothing():
    with pytest.raises(ModelError, match="cannot read masks"):
        read_off(class_tiles([[[[3, 3], [3, 3]]]]), FakeGenerator(reader=None), keep_labels=True)
