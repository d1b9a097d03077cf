"""The score finds planted errors, by each evidence where it can, and says nothing of unlabelled ground."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from specdm.errors import TileError
from specdm.evaluation.reliability import RealEvidence, Rule, auroc, plant_errors, reliability
from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.posterior import Posterior
from specdm.tiles.tileset import TileSet


@pytest.fixture(scope="module")
def evidence(land):
    return RealEvidence.fit(land)


@pytest.mark.parametrize(
    ("kind", "least"),
    [("region_random", 0.95), ("other_tile", 0.95), ("salt_and_pepper", 0.95), ("shift_2", 0.95), ("dilate_2", 0.9)],
)
def test_planted_errors_have_low_scores(land, evidence, kind, least):
    planted = plant_errors(land.test, kind, seed=0, real=land)
    found = reliability(planted.tiles, real=evidence)
    assert auroc(found.pixel[planted.judged], planted.wrong[planted.judged]) > least


def test_each_evidence_alone_sees_what_it_can(land, evidence):
    def told(kind: str) -> dict[str, float]:
        planted = plant_errors(land.test, kind, seed=0, real=land)
        found = reliability(planted.tiles, real=evidence).evidences
        return {name: auroc(score[planted.judged], planted.wrong[planted.judged]) for name, score in found.items()}

    shift, swap = told("shift_2"), told("region_random")
    assert set(shift) == {"spectral", "edge"}
    assert shift["edge"] > 0.9
    assert swap["spectral"] > 0.95
    # where borders lie says nothing of which class it is
    assert swap["edge"] < 0.7


def test_score_is_high_on_right_labels_and_nan_without(land, evidence):
    tiles = land.select(np.arange(20))
    found = reliability(tiles, real=evidence)
    unlabelled = tiles.masks() < 0
    assert np.isnan(found.pixel[unlabelled]).all() and np.isfinite(found.pixel[~unlabelled]).all()
    assert found.pixel.dtype == np.float32 and found.pixel.shape == tiles.masks().shape
    assert found.tile.mean() > 0.9
    np.testing.assert_allclose(found.tile, np.nanmean(found.pixel, axis=(1, 2, 3)), rtol=1e-5)


def test_tile_scores_fall_with_the_error_rate(land, evidence):
    shares = (0.0, 0.1, 0.3, 0.6)
    scores = [
        reliability(plant_errors(land.test, "salt_and_pepper", seed=0, share=s).tiles, real=evidence).tile.mean()
        for s in shares
    ]
    assert all(more > less + 0.05 for more, less in pairwise(scores))


def test_same_tiles_same_scores_whatever_is_beside_them(land, evidence):
    whole = reliability(land.test, real=evidence).pixel
    np.testing.assert_allclose(reliability(land.test.select([2]), real=evidence).pixel[0], whole[2], atol=1e-5)
    np.testing.assert_array_equal(reliability(land.test, real=land).pixel, whole)


def test_change_masks_are_judged_by_the_change_of_the_spectra(changed_land):
    evidence = RealEvidence.fit(changed_land)
    assert evidence.change is not None
    for kind in ("change_missed", "change_invented"):
        planted = plant_errors(changed_land.test, kind, seed=0)
        found = reliability(planted.tiles, real=evidence)
        assert set(found.rules[0].evidences) == {"spectral", "edge", "change"}
        for score in (found.pixel, found.evidences["change"]):
            assert auroc(score[planted.judged], planted.wrong[planted.judged]) > 0.95


@pytest.mark.parametrize("kind", ["amounts_other_tile", "amounts_exchanged", "amounts_shift_4"])
def test_amounts_are_judged_by_what_is_read_off_the_image(mixtures, kind):
    planted = plant_errors(mixtures.test, kind, seed=0)
    found = reliability(planted.tiles, real=mixtures)
    assert found.pixel.shape == planted.wrong.shape
    assert auroc(found.pixel[planted.judged], planted.wrong[planted.judged]) > 0.9


def test_a_posterior_is_an_evidence_of_its_own(land, evidence):
    tiles = land.test
    truth = land.classes.index_of(tiles.masks())
    sure = np.stack([np.where(truth == position, 0.96, 0.02) for position in range(3)], axis=2).astype(np.float32)
    sure = np.where(truth[:, :, None] >= 0, sure, np.float32(1 / 3))
    planted = plant_errors(tiles, "region_nearest", seed=0, real=land)
    features = evidence.class_features(planted.tiles, posterior=Posterior(sure))
    at = planted.judged
    assert auroc(1 / (1 + np.exp(-features["consistency.pixel"][at])), planted.wrong[at]) > 0.99
    assert features["consistency.margin"][at].min() == pytest.approx(0.94, abs=1e-5)
    rule = Rule(("consistency",), {"consistency.pixel": 1.0}, bias=0.0)
    found = reliability(planted.tiles, real=evidence, posterior=Posterior(sure), rule=rule)
    assert found.pixel[planted.wrong].max() < 0.1 and found.pixel[at & ~planted.wrong].min() > 0.9
    with pytest.raises(TileError, match="compute the posterior of these tiles"):
        reliability(tiles.select([0]), real=evidence, posterior=Posterior(sure))
    with pytest.raises(TileError, match="expected 1"):
        reliability(tiles, real=evidence, posterior=Posterior(sure * 2))


def test_what_cannot_be_judged_is_refused(land, mixtures):
    bare = TileSet.from_arrays(
        images=land.images(), masks=np.full_like(land.masks(), -1), split="train", source="bare"
    )
    with pytest.raises(TileError, match="nothing to judge"):
        reliability(bare, real=land)
    with pytest.raises(TileError, match="nothing can be"):
        RealEvidence.fit(bare)
    with pytest.raises(TileError, match="mask layers"):
        reliability(land, real=mixtures)
    ones, classes = np.ones_like(land.masks()), Classes.create([1, 3])
    others = TileSet.from_arrays(images=land.images(), masks=ones, classes=classes, split="train", source="x")
    with pytest.raises(TileError, match=r"the classes of .* are grass \(2\)"):
        reliability(land, real=others)
    turned = TileSet.from_arrays(
        images=land.images()[:, :, ::-1].copy(), masks=land.masks(), classes=land.classes, split="train", source="x",
        wavelength=np.linspace(900, 450, land.n_bands),
    )  # fmt: skip
    straight = TileSet(land.dataset.assign_coords(wavelength=("band", np.linspace(450, 900, land.n_bands))))
    with pytest.raises(TileError, match="wavelengths"):
        reliability(turned, real=straight)


def fields_of(land: TileSet, masks: np.ndarray) -> TileSet:
    return TileSet(land.dataset.assign(mask=land.dataset["mask"].copy(data=masks.astype(np.int16))))


def test_a_single_field_of_every_class_is_enough(land):
    """Each in one block, so that no fold has seen the class of the block that it judges."""
    truth = land.masks()[:, 0]
    masks = np.full_like(truth, -1)
    for value in land.classes.values:
        tile = next(t for t in np.flatnonzero(land.split == "train") if (truth[t, :8, :8] == value).sum() > 20)
        masks[tile, :8, :8] = np.where(truth[tile, :8, :8] == value, value, -1)
    evidence = RealEvidence.fit(fields_of(land, masks[:, None]))
    ranks = evidence.classes[0][1].ranks
    assert all(not len(values) for values in ranks["pixel"]), "held-out ground says nothing of any class"
    found = reliability(land.test, real=evidence)
    assert np.isfinite(found.pixel[land.test.masks() >= 0]).all() and np.nanmean(found.pixel) > 0.5


def test_a_class_that_no_real_tile_shows_has_no_score(land):
    masks = np.where(land.masks() == 7, -1, land.masks())
    found = reliability(land.test, real=fields_of(land, masks)).pixel
    truth = land.test.masks()
    assert np.isnan(found[truth == 7]).all() and np.isfinite(found[(truth >= 0) & (truth != 7)]).all()


@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_a_class_of_one_field_is_learnt_however_few_windows_are_read(land, monkeypatch, seed):
    monkeypatch.setattr("specdm.evaluation.reliability.real_ground.MOST_PIXELS", 8 * land.size**2)
    masks, train = land.masks().copy(), np.flatnonzero(land.split == "train")
    showing = [tile for tile in train if (masks[tile] == 7).mean() > 0.2]
    for tile in set(train) - {showing[-1]}:
        masks[tile][masks[tile] == 7] = -1
    found = reliability(land.test, real=fields_of(land, masks), seed=seed).pixel
    assert np.nanmean(found[land.test.masks() == 7]) > 0.8


def test_amounts_are_judged_one_by_one_where_others_are_unknown(mixtures):
    """Half of the ground knows the first quantity, the other half the rest; what has no spectrum has no score."""
    free = Quantities.create(["a", "b", "c"], units="t")
    known = mixtures.amounts().copy()
    known[:, 0, :, :8], known[:, 1:, :, 8:] = np.nan, np.nan
    images = mixtures.images().copy()
    images[:, :, :, 0] = np.nan

    def made(amounts: np.ndarray) -> TileSet:
        coords = {"split": mixtures.split, "source": "m"} | {
            key: mixtures.dataset[key].values for key in ("window_y", "window_x")
        }
        return TileSet.from_arrays(images=images, amounts=amounts, quantities=free, **coords)

    right = made(known)
    moved = known.copy()
    test = np.flatnonzero(mixtures.split == "test")
    moved[test] = np.where(np.isnan(known[test]), np.nan, mixtures.amounts()[np.roll(test, 1)])
    good, bad = (reliability(tiles.test, real=right).pixel for tiles in (right, made(moved)))
    assert np.isnan(good[..., 0, :]).all() and np.isfinite(good[..., 1:, :]).all()
    assert np.nanmean(good) > 0.8 and np.nanmean(bad) < np.nanmean(good) - 0.4
