"""Planted errors are where they say, and are what they say."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import ConfigError, TileError
from specdm.evaluation.reliability import KINDS, kinds_for, plant_errors
from specdm.evaluation.reliability.class_distances import class_distances
from specdm.evaluation.reliability.mask_shapes import dilated, eroded, regions, shifted


@pytest.mark.parametrize("which", ["land", "changed_land", "mixtures"])
def test_wrong_is_where_labels_differ_and_only_there(which, request):
    tiles = request.getfixturevalue(which).test
    for kind in kinds_for(tiles):
        planted = plant_errors(tiles, kind, seed=1)
        again = plant_errors(tiles, kind, seed=1)
        assert planted.wrong.any(), kind
        assert not (planted.wrong & ~planted.judged).any()
        np.testing.assert_array_equal(planted.wrong, again.wrong)
        np.testing.assert_array_equal(planted.tiles.images(), tiles.images())
        if tiles.classes is not None:
            before, after = tiles.masks(), planted.tiles.masks()
            both = (before >= 0) & (after >= 0)
            np.testing.assert_array_equal(planted.judged, both)
            np.testing.assert_array_equal(planted.wrong, both & (before != after))
        else:
            off = np.abs(planted.tiles.amounts() - tiles.amounts()).max(axis=1) > 0.1
            np.testing.assert_array_equal(planted.wrong[:, 0], np.nan_to_num(off).astype(bool))
            planted.tiles.quantities.check(planted.tiles.amounts(), where="planted")


def test_a_tile_has_its_own_errors_whatever_tiles_are_beside_it(land):
    whole = plant_errors(land.test, "salt_and_pepper", seed=4, real=land)
    first = plant_errors(land.test.select([0, 1]), "salt_and_pepper", seed=4, real=land)
    np.testing.assert_array_equal(whole.wrong[:2], first.wrong)
    assert not np.array_equal(whole.wrong, plant_errors(land.test, "salt_and_pepper", seed=5, real=land).wrong)


def test_shift_moves_and_unlabels_the_edge():
    labels = np.arange(16).reshape(4, 4)
    np.testing.assert_array_equal(shifted(labels, 1, 0, fill=-1)[1:], labels[:-1])
    np.testing.assert_array_equal(shifted(labels, 0, -2, fill=-1)[:, :2], labels[:, 2:])
    assert (shifted(labels, 0, -2, fill=-1)[:, 2:] == -1).all()


def test_borders_move_by_so_many_pixels():
    labels = np.zeros((9, 12), np.int64)
    labels[:, 6:] = 1
    labels[0, 0] = -1
    grown = dilated(labels, 1, radius=2)
    assert (grown[1:, 4:] == 1).all() and (grown[1:, :4] == 0).all()
    lost = eroded(labels, 1, radius=2)
    assert (lost[:, 8:] == 1).all() and (lost[1:, :8] == 0).all()


def test_regions_share_sides():
    labels = np.array([[0, 1, -1], [1, 0, 0]])
    np.testing.assert_array_equal(regions(labels), [[0, 2, -1], [3, 1, 1]])


def test_swap_goes_to_the_nearest_class_and_takes_one_whole_region(land):
    distances = class_distances(land, 0)
    assert distances[0].argsort()[1] == 1  # grass and soil are made alike
    planted = plant_errors(land.test, "region_nearest", seed=2, real=land)
    classes = land.classes
    layers = (land.test.masks(), planted.tiles.masks(), planted.wrong)
    for before, after, wrong in zip(*(layer[:, 0] for layer in layers), strict=True):
        was, now = np.unique(before[wrong]), np.unique(after[wrong])
        assert len(was) == len(now) == 1
        apart = distances[classes.position(int(was[0]))].copy()
        apart[classes.position(int(was[0]))] = np.inf
        assert classes.position(int(now[0])) == apart.argmin()
        assert len(np.unique(regions(classes.index_of(before))[wrong])) == 1


def test_other_tile_is_never_the_tile_itself(land):
    tiles = land.test
    planted = plant_errors(tiles, "other_tile", seed=0)
    own, given = tiles.masks(), planted.tiles.masks()
    for at in range(len(tiles)):
        assert not np.array_equal(own[at], given[at])
        assert any(np.array_equal(given[at], own[other]) for other in range(len(tiles)) if other != at)


def test_salt_and_pepper_falls_on_the_share_that_is_asked(land):
    planted = plant_errors(land, "salt_and_pepper", seed=0, share=0.3)
    assert planted.wrong.sum() / planted.judged.sum() == pytest.approx(0.3, abs=0.02)


def test_change_is_missed_or_invented(changed_land):
    tiles = changed_land.test
    missed = plant_errors(tiles, "change_missed", seed=0)
    assert (tiles.masks()[missed.wrong] == 2).all()
    invented = plant_errors(tiles, "change_invented", seed=0)
    assert (tiles.masks()[invented.wrong] == 1).all()
    assert (invented.tiles.masks()[invented.wrong] == 2).all()
    # a change of its own, not the rest of one that is there
    assert invented.wrong.sum(axis=(1, 2, 3)).min() >= 12


def test_bad_requests_say_what_to_do(land, mixtures):
    with pytest.raises(ConfigError, match="choose one of shift_1"):
        plant_errors(land, "rotate")
    with pytest.raises(ConfigError, match="share is 2"):
        plant_errors(land, "salt_and_pepper", share=2)
    with pytest.raises(TileError, match="change_missed cannot be planted"):
        plant_errors(land, "change_missed")
    with pytest.raises(TileError, match="give donors="):
        plant_errors(land.select([0]), "other_tile")
    assert set(kinds_for(land)) | set(kinds_for(mixtures)) <= set(KINDS)
