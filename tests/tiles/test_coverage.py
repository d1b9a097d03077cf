"""Ground that overlapping windows show counts once."""

import numpy as np
import pytest
from made_scenes import amount_scene, dated_scene, made_scene

from specdm.tiles.coverage import class_shares, layer_shares, mean_amounts
from specdm.tiles.tiling import tile_scenes


def shares_of(mask, values):
    counts = np.array([(mask == value).sum() for value in values], float)
    return counts / counts.sum()


def test_shares_of_every_layer_are_those_of_the_scene(monkeypatch):
    monkeypatch.setattr("specdm.tiles.coverage.COUNT_BATCH", 5)
    scene = dated_scene(layers=["before", "after"])
    tiles = tile_scenes(scene, size=8, stride=3, split="none")
    masks = scene.dataset["mask"].values
    shares = layer_shares(tiles)
    assert shares.shape == (2, 2)
    for layer in range(2):
        assert shares[layer] == pytest.approx(shares_of(masks[layer], [1, 4]))
    assert class_shares(tiles) == pytest.approx(shares[0])


def test_an_unlabelled_layer_has_no_shares():
    scene = dated_scene(layers=["before", "after"])
    scene.dataset["mask"][1] = -1
    shares = layer_shares(tile_scenes(scene, size=8, split="none"))
    assert shares[0].sum() == pytest.approx(1)
    assert not shares[1].any()


@pytest.mark.parametrize("sum_to_one", [False, True])
def test_mean_amounts_are_those_of_the_scene(sum_to_one):
    scene = amount_scene(sum_to_one=sum_to_one)
    tiles = tile_scenes(scene, size=8, stride=3, split="none")
    assert mean_amounts(tiles) == pytest.approx(np.nanmean(scene.dataset["amount"].values, axis=(1, 2)), rel=1e-5)


def test_sets_without_labels_or_amounts():
    masked, amounts = tile_scenes(made_scene(), size=8), tile_scenes(amount_scene(), size=8)
    assert mean_amounts(masked).shape == (0,)
    assert class_shares(amounts).shape == (0,)
    assert layer_shares(amounts).shape == (0, 0)
    scene = amount_scene()
    scene.dataset["amount"][1] = np.nan
    assert list(np.isnan(mean_amounts(tile_scenes(scene, size=8)))) == [False, True, False]
