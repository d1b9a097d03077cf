"""Tiles as networks train on them: what is standardised, what is a target, which tiles are kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tiny_tiles import CLASSES, amount_tiles, class_tiles, noise

from specdm.errors import TileError
from specdm.evaluation.usefulness import parts
from specdm.evaluation.usefulness.parts import Part, Standard, Targets, telling_tiles
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

AS_IT_IS = Standard(np.zeros(6, np.float32), np.ones(6, np.float32))
"""Of two dates with three bands."""


def labelled(*labels: int, size: int = 2, **facts) -> TileSet:
    """A tile a label, with one labelled pixel; -1 for a tile without."""
    masks = np.full((len(labels), 1, size, size), -1)
    masks[:, 0, 0, 1] = labels
    return class_tiles(masks, **facts)


def test_channels_are_dates_first():
    tiles = labelled(3, 7, dates=2)
    images = tiles.images()
    shown = AS_IT_IS.images(tiles, np.array([1, 0]))
    assert shown.shape == (2, 6, 2, 2) and shown.dtype == np.float32
    for date in range(2):
        for band in range(3):
            np.testing.assert_array_equal(shown[:, 3 * date + band], images[::-1, date, band])


def test_a_pixel_without_data_is_the_mean():
    images = noise(4, 2, 3, 2, 2) + 5
    images[1, 0, 2, 0, 1] = np.nan
    tiles = labelled(3, 7, 3, 7, images=images)
    standard = Standard.of(tiles)
    shown = standard.images(tiles, np.arange(4))
    assert shown[1, 2, 0, 1] == 0 and np.isfinite(shown).all()
    assert (shown == 0).sum() == 1
    known = np.delete(images[:, 0, 2].ravel(), 5)
    assert standard.mean[2] == pytest.approx(known.mean()) and standard.std[2] == pytest.approx(known.std())


def test_bands_without_spread():
    images = noise(3, 1, 3, 2, 2)
    images[:, :, 0], images[:, :, 1] = np.nan, 0.1
    standard = Standard.of(labelled(3, 7, 3, images=images))
    np.testing.assert_array_equal(standard.mean[:2], np.float32([0, 0.1]))
    np.testing.assert_array_equal(standard.std[:2], [1, 1])
    # a band that is constant in training must not blow up elsewhere
    shown = standard.images(labelled(3, images=images[:1] + 2), np.array([0]))
    np.testing.assert_allclose(shown[0, 1], 2)
    np.testing.assert_array_equal(shown[0, 0], 0)


@given(st.integers(0, 1000), st.floats(1, 1e4), st.floats(-1e3, 1e3), st.floats(0, 0.8))
def test_known_pixels_have_mean_0_and_spread_1(seed, spread, level, unknown):
    random = np.random.default_rng(seed)
    images = (level + spread * random.standard_normal((4, 1, 2, 4, 4))).astype(np.float32)
    images[random.random(images.shape) < unknown] = np.nan
    tiles = labelled(3, 7, 3, 7, size=4, images=images)
    known = np.moveaxis(np.isfinite(images[:, 0]), 1, 0)
    shown = np.moveaxis(Standard.of(tiles).images(tiles, np.arange(4)), 1, 0)
    for values, where in zip(shown, known, strict=True):
        assert values[where].mean() == pytest.approx(0, abs=0.01)
        assert values[where].std() == pytest.approx(1, rel=0.01)
        assert (values[~where] == 0).all()


def test_statistics_are_of_tiles_from_first_to_last(monkeypatch):
    monkeypatch.setattr(parts, "STANDARD_TILES", 3)
    values = np.array([0.0, 50, 3, 50, 6])
    images = np.broadcast_to(values[:, None, None, None, None], (5, 1, 3, 2, 2))
    assert Standard.of(labelled(3, 3, 3, 3, 3, images=images)).mean[0] == 3
    amounts = np.broadcast_to(values[:, None, None, None], (5, 1, 2, 2))
    assert Targets.of(amount_tiles(amounts)).mean == 3


def test_classes_are_positions():
    masks = np.array([[[[3, 7], [-1, 7]]], [[[-1, -1], [-1, -1]]]])
    tiles = class_tiles(masks)
    targets = Targets.of(tiles)
    assert (targets.layers, targets.classes, targets.quantities, targets.outputs) == (1, 2, 0, 2)
    found = targets.of_tiles(tiles, np.array([0, 1]))
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, [[[[0, 1], [-1, 1]]], [[[-1, -1], [-1, -1]]]])


def test_every_layer_has_outputs_for_its_classes():
    three = Classes.create([1, 2, 3])
    masks = np.full((1, 2, 2, 2), 3)
    targets = Targets.of(class_tiles(masks, dates=2, layers=["before", "after"], classes=three))
    assert targets.outputs == 6
    # two pixels; the outputs of the first layer come first
    outputs = torch.tensor([[0.0, 0, 1, 0, 1, 0], [2, 0, 1, 0, 0, 3]]).T.reshape(1, 6, 1, 2)
    found = targets.predicted(outputs)
    assert found.dtype == torch.int64
    np.testing.assert_array_equal(found, [[[[2, 0]], [[1, 2]]]])


def test_quantities_are_standardised_and_given_back():
    both = Quantities.create(["height", "cover"], units=["m", "%"])
    amounts = np.array([[[[10.0, 20], [30, np.nan]], [[0, 50], [np.nan, 50]]]])
    tiles = amount_tiles(amounts, quantities=both)
    targets = Targets.of(tiles)
    assert (targets.layers, targets.classes, targets.quantities, targets.outputs) == (0, 0, 2, 2)
    # of the pixels where each is known: 10, 20 and 30; 0, 50 and 50
    mean, std = np.array([20, 100 / 3]), np.array([np.sqrt(200 / 3), np.sqrt(5000 / 9)])
    np.testing.assert_allclose(targets.mean, mean, rtol=1e-6)
    np.testing.assert_allclose(targets.std, std, rtol=1e-6)
    found = targets.of_tiles(tiles, np.array([0]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (amounts - mean[:, None, None]) / std[:, None, None], rtol=1e-5)
    np.testing.assert_allclose(targets.predicted(torch.from_numpy(found)), amounts, rtol=1e-5)


def test_quantities_known_in_different_places_and_few_tiles_are_standardised(monkeypatch):
    monkeypatch.setattr(parts, "STANDARD_TILES", 2)
    amounts = np.full((9, 2, 2, 2), np.nan)
    amounts[4, 0], amounts[7, 1] = [[1, 3], [1, 3]], [[20, 20], [40, 40]]
    targets = Targets.of(amount_tiles(amounts, quantities=Quantities.create(["a", "b"])))
    np.testing.assert_allclose(targets.mean, [2, 30])
    np.testing.assert_allclose(targets.std, [1, 10])


def test_a_quantity_of_one_value_stays_finite():
    tiles = amount_tiles(np.full((2, 1, 2, 2), 4.0))
    targets = Targets.of(tiles)
    np.testing.assert_allclose(targets.of_tiles(tiles, np.arange(2)), 0)
    np.testing.assert_allclose(targets.predicted(torch.zeros(1, 1, 2, 2)), 4)


def test_masks_come_before_amounts():
    tiles = class_tiles(
        np.full((1, 1, 2, 2), 3), amounts=np.ones((1, 1, 2, 2), np.float32), quantities=Quantities.create(["height"])
    )
    assert Targets.of(tiles).quantities == 0


def test_nothing_to_learn():
    with pytest.raises(TileError, match="neither masks nor amounts"):
        Targets.of(class_tiles(np.full((1, 1, 2, 2), -1), classes=None))
    with pytest.raises(TileError, match="no pixel has known amounts"):
        Targets.of(amount_tiles(np.full((2, 1, 2, 2), np.nan)))


def part_of(tiles: TileSet, **options) -> Part:
    return Part.of(tiles, standard=Standard.of(tiles), targets=Targets.of(tiles), **({"most": 100} | options))


@pytest.mark.parametrize("batch", [1, 2, 256])
def test_only_telling_tiles_are_kept(monkeypatch, batch):
    tiles = labelled(-1, 7, -1, 3, -1)
    amounts = np.full((5, 2, 2, 2), np.nan)
    amounts[1, 0, 0, 1], amounts[3, 1, 1, 1] = 1, 2
    of_amounts = amount_tiles(amounts, quantities=Quantities.create(["a", "b"]))
    amount_targets = Targets(0, 0, 2, np.zeros(2, np.float32), np.ones(2, np.float32))
    standard = Standard.of(tiles)
    monkeypatch.setattr(parts, "STANDARD_TILES", batch)
    np.testing.assert_array_equal(telling_tiles(tiles, Targets.of(tiles)), [1, 3])
    np.testing.assert_array_equal(telling_tiles(of_amounts, amount_targets), [1, 3])
    part = Part.of(tiles, standard=standard, targets=Targets.of(tiles), most=100)
    assert len(part) == 2
    np.testing.assert_array_equal(part.images, standard.images(tiles, np.array([1, 3])))
    np.testing.assert_array_equal(part.targets[:, 0, 0, 1], [1, 0])


def test_no_tile_tells():
    tiles = labelled(-1, -1)
    part = part_of(tiles)
    assert len(part) == 0
    assert part.images.shape == (0, 3, 2, 2) and part.targets.shape == part.weights.shape == (0, 1, 2, 2)


def test_most_is_drawn_by_seed():
    tiles = labelled(*[-1, 3, 7, 3] * 5)
    whole, some, again = part_of(tiles), part_of(tiles, most=4, seed=1), part_of(tiles, most=4, seed=1)
    assert len(whole) == 15 and len(some) == 4
    assert torch.equal(some.images, again.images) and torch.equal(some.targets, again.targets)
    others = [part_of(tiles, most=4, seed=seed) for seed in range(2, 6)]
    assert any(not torch.equal(some.images, other.images) for other in others)
    # drawn tiles are four different ones, each with its own mask
    places = [int((whole.images == image).all(dim=(1, 2, 3)).nonzero()) for image in some.images]
    assert len(set(places)) == 4
    assert torch.equal(some.targets, whole.targets[places])
    assert torch.equal(part_of(tiles, most=15).images, whole.images)


def test_weights_go_with_their_tiles():
    tiles = labelled(-1, 7, 3, 7)
    weights = np.broadcast_to(np.float32([0.1, 0.2, np.nan, 0.4])[:, None, None, None], (4, 1, 2, 2))
    assert part_of(tiles, weights=weights).weights[:, 0, 1, 1].tolist() == pytest.approx([0.2, 1.0, 0.4])
    some = part_of(tiles, weights=weights, most=2, seed=3)
    whole = part_of(tiles, weights=weights)
    for image, weight in zip(some.images, some.weights, strict=True):
        place = int((whole.images == image).all(dim=(1, 2, 3)).nonzero())
        assert torch.equal(weight, whole.weights[place])
    default = part_of(tiles).weights
    assert default.shape == (3, 1, 2, 2) and default.dtype == torch.float32 and (default == 1).all()


def test_weights_of_layers_and_of_quantities():
    two = class_tiles(np.full((1, 2, 2, 2), 3), dates=2, layers=["before", "after"])
    assert part_of(two).weights.shape == (1, 2, 2, 2)
    amounts = amount_tiles(noise(2, 2, 2, 2), quantities=Quantities.create(["a", "b"]))
    assert part_of(amounts).weights.shape == (2, 1, 2, 2)


def test_a_change_is_made_to_all_three():
    part = part_of(labelled(7, 3, 7)).apply(lambda values: values[1:])
    assert len(part) == len(part.images) == len(part.targets) == len(part.weights) == 2
    assert part.targets[0, 0, 0, 1] == CLASSES.values.index(3)
