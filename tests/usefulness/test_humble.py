"""Rivals on single spectra: they learn each pixel of ground once, and say nothing where there is no data."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from little_scenes import make_little_scene

from specdm.errors import ConfigError, TileError
from specdm.evaluation.usefulness import humble
from specdm.evaluation.usefulness.humble import humble_amounts, humble_prediction
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.labelled_pixels import labelled_places
from specdm.tiles.tileset import TileSet

KINDS = ("svm", "forest")


@pytest.fixture(scope="module")
def land() -> tuple[TileSet, TileSet]:
    """Overlapping training tiles, and tiles of the same kind of ground with other noise."""
    train = make_little_scene().tile(size=16, stride=8, split="none")
    return train, make_little_scene(seed=1, height=16, width=32).tile(size=16, stride=16, split="none")


@pytest.mark.parametrize("kind", KINDS)
def test_classes_are_read_from_spectra(land, kind):
    train, test = land
    found = humble_prediction(kind, train=train, test=test, seed=0)
    assert found.shape == test.masks().shape and found.dtype == np.int64
    truth = test.classes.index_of(test.masks())
    assert (found == truth)[truth >= 0].mean() > 0.95
    assert found.min() >= 0  # every pixel has data, labelled or not
    np.testing.assert_array_equal(found, humble_prediction(kind, train=train, test=test, seed=0))


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_without_data_are_neither_learnt_nor_named(land, kind):
    train, test = (TileSet(tiles.dataset.copy(deep=True)) for tiles in land)
    test.dataset["image"].values[0, 0, 3, :4, 5] = np.nan
    train.dataset["image"].values[2, :, :, 4:8, 4:8] = np.nan
    train.dataset["mask"].values[2, :, 4:8, 4:8] = -1
    found = humble_prediction(kind, train=train, test=test, seed=0)
    assert (found[0, 0, :4, 5] == -1).all()
    assert (found == -1).sum() == 4


def test_a_label_on_a_pixel_without_data_is_not_learnt(land, monkeypatch):
    train, test = TileSet(land[0].dataset.copy(deep=True)), land[1]
    train.dataset["image"].values[:, :, 0, :, 3] = np.nan
    learnt = []
    true_svm = humble._svm

    def spy(spectra, labels, *, seed):
        learnt.append(spectra)
        return true_svm(spectra[::10], labels[::10], seed=seed)

    monkeypatch.setattr(humble, "_svm", spy)
    humble_prediction("svm", train=train, test=test, seed=0)
    assert np.isfinite(learnt[0]).all()
    train.dataset["image"].values[:] = np.nan
    with pytest.raises(TileError, match="no labelled pixel with data"):
        humble_prediction("svm", train=train, test=test, seed=0)


def test_overlapping_tiles_add_nothing(land, monkeypatch):
    train, test = land
    learnt = []
    true_forest = humble._forest

    def spy(spectra, labels, *, seed):
        learnt.append((spectra, labels))
        return true_forest(spectra[:50], labels[:50], seed=seed)

    monkeypatch.setattr(humble, "_forest", spy)
    humble_prediction("forest", train=train, test=test, seed=0)
    scene = make_little_scene()
    assert len(train) * 256 > 2 * 48 * 40
    assert len(learnt[0][1]) == (scene.dataset["mask"].values >= 0).sum()
    assert len(np.unique(learnt[0][0], axis=0)) == len(learnt[0][0])
    # few of many: seeded, and every class stays
    monkeypatch.setattr(humble, "MOST_PIXELS", {"forest": 120})
    for seed in (0, 0, 1):
        humble_prediction("forest", train=train, test=test, seed=seed)
    sizes = [len(labels) for _, labels in learnt[1:]]
    assert sizes == [120] * 3
    assert all((np.bincount(labels, minlength=3) >= 30).all() for _, labels in learnt[1:])
    np.testing.assert_array_equal(learnt[1][0], learnt[2][0])
    assert (learnt[1][0] != learnt[3][0]).any()


def test_spectra_and_labels_are_of_the_same_pixels(land, monkeypatch):
    train, _ = land
    monkeypatch.setattr("specdm.evaluation.looks.BATCH_VALUES", 12 * 256 * 3)
    monkeypatch.setattr("specdm.tiles.labelled_pixels.COUNT_BATCH", 7)
    places, labels = labelled_places(train, lambda part: train.classes.index_of(train.masks(part)[:, 0]))
    tile, y, x = np.unravel_index(places[::5], (len(train), 16, 16))
    np.testing.assert_array_equal(humble._spectra(train, places[::5])[0], train.images()[tile, 0, :, y, x])
    np.testing.assert_array_equal(train.classes.values_of(labels[::5]), train.masks()[tile, 0, y, x])


@pytest.mark.parametrize("kind", KINDS)
def test_change_is_read_from_both_dates(kind):
    random = np.random.default_rng(0)
    ground = random.integers(0, 2, (8, 2, 8, 8))
    images = (ground + random.normal(0, 0.1, ground.shape))[:, :, None].repeat(3, axis=2)
    tiles = TileSet.from_arrays(
        images=images.astype(np.float32), masks=(ground[:, :1] != ground[:, 1:]).astype(np.int16), layers=["change"],
        classes=Classes.create([0, 1]), dates=["a", "b"], split=["train"] * 4 + ["test"] * 4, source="s",
    )  # fmt: skip
    found = humble_prediction(kind, train=tiles.train, test=tiles.test, seed=0)
    assert (found == tiles.test.masks()).mean() > 0.99


def test_each_layer_is_learnt_by_itself():
    random = np.random.default_rng(0)
    masks = random.integers(0, 2, (4, 2, 8, 8)).astype(np.int16)
    images = np.stack([masks, masks[:, ::-1]], axis=2) + random.normal(0, 0.1, (4, 2, 2, 8, 8))
    tiles = TileSet.from_arrays(
        images=images.astype(np.float32), masks=masks, classes=Classes.create([0, 1]), layers=["a", "b"],
        dates=["a", "b"], split="train", source="s",
    )  # fmt: skip
    np.testing.assert_array_equal(humble_prediction("forest", train=tiles, test=tiles, seed=0), masks)


def test_rare_classes_do_not_stop_the_search(land):
    train, test = TileSet(land[0].dataset.copy(deep=True)), land[1]
    masks = train.dataset["mask"].values
    for value, most in ((2, 1), (5, 3)):
        own = np.flatnonzero(masks == value)
        masks.ravel()[own[most:]] = -1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # scikit-learn warns of classes that are in fewer pixels than folds
        found = humble_prediction("svm", train=train, test=test, seed=0)
    assert (found >= 0).all()
    masks[masks != 7] = -1
    for kind in KINDS:
        assert (humble_prediction(kind, train=train, test=test, seed=0) == 2).all()


@pytest.fixture(scope="module")
def mixtures() -> TileSet:
    random = np.random.default_rng(5)
    amounts = random.dirichlet([1, 1, 1], (6, 8, 8)).transpose(0, 3, 1, 2).astype(np.float32)
    pure = random.random((3, 7)) * 1000
    images = np.einsum("nkyx,kb->nbyx", amounts, pure) + random.normal(0, 5, (6, 7, 8, 8))
    amounts[0, 1, 2, 2] = np.nan
    images[5, :, 0, 0] = np.nan
    return TileSet.from_arrays(
        images=images[:, None].astype(np.float32), amounts=amounts, split=["train"] * 4 + ["test"] * 2, source="s",
        quantities=Quantities.create(["a", "b", "c"]),
    )  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_amounts_are_read_from_spectra(mixtures, kind):
    found = humble_amounts(kind, train=mixtures.train, test=mixtures.test, seed=0)
    truth = mixtures.test.amounts()
    assert found.shape == truth.shape and found.dtype == np.float32
    assert np.isnan(found[1, :, 0, 0]).all() and np.isnan(found).sum() == 3
    known = np.isfinite(found)
    error, spread = np.abs(found - truth)[known].mean(), truth[known].std()
    assert error < 0.3 * spread
    np.testing.assert_array_equal(found, humble_amounts(kind, train=mixtures.train, test=mixtures.test, seed=0))


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_quantity(mixtures, kind):
    dataset = mixtures.dataset.isel(quantity=[0])
    dataset["amount"].attrs.update(Quantities.create(["a"]).to_attrs())
    one = TileSet(dataset)
    found = humble_amounts(kind, train=one.train, test=one.test, seed=0)
    assert found.shape == (2, 1, 8, 8)
    assert np.corrcoef(found[0].ravel(), one.test.amounts()[0].ravel())[0, 1] > 0.95


def test_requests_that_cannot_be_met_say_why(land, mixtures):
    train, test = land
    with pytest.raises(ConfigError, match="svm, forest"):
        humble_prediction("tree", train=train, test=test, seed=0)
    with pytest.raises(TileError, match="humble_amounts"):
        humble_prediction("svm", train=mixtures, test=mixtures, seed=0)
    with pytest.raises(TileError, match="humble_prediction"):
        humble_amounts("svm", train=train, test=test, seed=0)
    with pytest.raises(TileError, match="same dates and bands"):
        humble_prediction("svm", train=train, test=mixtures, seed=0)
    nothing = TileSet(train.dataset.copy(deep=True))
    nothing.dataset["mask"].values[:] = -1
    with pytest.raises(TileError, match="no labelled pixel with data in layer class"):
        humble_prediction("forest", train=nothing, test=test, seed=0)
    unknown = TileSet(mixtures.dataset.copy(deep=True))
    unknown.dataset["amount"].values[:, 0] = np.nan
    with pytest.raises(TileError, match="all amounts are known"):
        humble_amounts("svm", train=unknown, test=unknown, seed=0)
