"""Masks and amounts that a model reads off the images of tiles: what is kept, and what stays unlabelled."""

from __future__ import annotations

import numpy as np
import pytest
from fake_generator import FakeGenerator, labels_of, with_chances
from hypothesis import given
from hypothesis import strategies as st
from tiny_tiles import CLASSES, GRASS, HEIGHT, NONE, ROOF, amount_tiles, class_tiles

from specdm.errors import ModelError
from specdm.evaluation.usefulness.material import LEAST_SURE, SUREST_SHARE, read_off, sure_pixels

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


@given(st.integers(0, 9999), st.integers(1, 3), st.integers(1, 4), st.booleans())
def test_what_is_sure(seed: int, layers: int, classes: int, gaps: bool):
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.full(classes, 0.4), (2, layers, 3, 3)).transpose(0, 1, 4, 2, 3)
    if gaps:
        chances[:, :, :, 0] = 0.0
    found, confidence, sure = chances.argmax(axis=2), chances.max(axis=2), sure_pixels(chances)
    assert sure[confidence >= LEAST_SURE].all() and not sure[confidence == 0].any()
    for layer in range(layers):
        for c in range(classes):
            own = (found[:, layer] == c) & (confidence[:, layer] > 0)
            kept = own & sure[:, layer]
            assert kept.sum() >= own.sum() * SUREST_SHARE
            if kept.any() and (own & ~kept).any():
                assert confidence[:, layer][kept].min() > confidence[:, layer][own & ~kept].max()
                assert confidence[:, layer][own & ~kept].max() < LEAST_SURE


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
