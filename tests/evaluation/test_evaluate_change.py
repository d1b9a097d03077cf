"""A change mask of two dates: each number moves when what it measures is spoilt, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from made_pairs import Codec, real_tiles, scene, twin
from sklearn.metrics import roc_auc_score

from specdm.evaluation import METRICS, evaluate
from specdm.evaluation.change_map import unchanged_positions
from specdm.scenes.classes import Classes
from specdm.tiles.tileset import TileSet


@pytest.fixture(scope="module")
def real():
    return real_tiles(layer_a_date=False)


@pytest.fixture(scope="module")
def good(real):
    return evaluate(twin(real), real=real).metrics


def test_twins_of_real_pairs_are_as_good_as_real(good):
    assert good["change.auc_real"] > 0.97
    assert good["change.auc_ratio"] == pytest.approx(1.0, abs=0.01)
    assert good["change.unchanged_angle_ratio"] == pytest.approx(1.0, abs=0.02)
    assert 1.0 <= good["change.share_factor"] < 1.3
    assert good["change.share_real"] == pytest.approx(8 / 38.4, abs=0.1)
    assert "change.contradictions" not in good
    assert "change.transition_distance" not in good


def test_ground_counts_once(real, good):
    first = scene()[1][:, :, :64]
    assert good["change.share_real"] == pytest.approx((first[0] != first[1]).mean(), abs=1e-9)


def test_masks_of_other_tiles_lower_the_auc_alone(real, good):
    swapped = evaluate(twin(real, lambda i, m: (i, np.roll(m, 3, axis=0))), real=real).metrics
    assert swapped["change.auc_ratio"] < 0.8
    assert METRICS["change.auc_ratio"].verdict(swapped["change.auc_ratio"]) == "miss"
    assert swapped["change.share_factor"] == good["change.share_factor"]


def test_too_little_change_is_a_factor(real, good):
    def calm(images, masks):
        changed = np.flatnonzero(masks == 2)
        masks.reshape(-1)[changed[: len(changed) * 3 // 4]] = -1
        return images, masks

    found = evaluate(twin(real, calm), real=real).metrics
    assert found["change.share_synthetic"] < good["change.share_synthetic"] / 2
    assert found["change.share_factor"] > 1.5


def test_without_any_change_there_is_a_factor_and_no_auc(real):
    result = evaluate(twin(real, lambda i, m: (i, np.where(m == 2, 1, m))), real=real)
    assert result.metrics["change.auc_ratio"] is None
    assert any("change.auc_ratio" in note and "changed and unchanged" in note for note in result.notes)
    assert result.metrics["change.share_factor"] > 100


def test_unchanged_ground_must_change_as_much_as_it_really_does(real):
    def frozen(images, masks):
        images[:, 1] = np.where(masks[:, :1] == 1, images[:, 0], images[:, 1])
        return images, masks

    def restless(images, masks):
        images[:, 1] *= np.linspace(0.8, 1.25, 12)[:, None, None]
        return images, masks

    key = "change.unchanged_angle_ratio"
    assert evaluate(twin(real, frozen), real=real).metrics[key] == pytest.approx(0.0, abs=0.01)
    assert evaluate(twin(real, restless), real=real).metrics[key] > 1.2


def test_season_and_light_do_not_count_as_change(real, good):
    def dimmed(tiles):
        images = tiles.images().copy()
        images[:, 1] = 0.1 * images[:, 1] + 100
        return TileSet(tiles.dataset.assign(image=(tiles.dataset["image"].dims, images)))

    changed = np.moveaxis(real.masks(), 1, -1)[..., 0] == 2
    images = dimmed(real).images()
    plain = np.linalg.norm(images[:, 1] - images[:, 0], axis=1)
    assert roc_auc_score(changed.ravel(), plain.ravel()) < 0.9
    found = evaluate(dimmed(twin(real)), real=dimmed(real)).metrics
    assert found["change.auc_real"] == pytest.approx(good["change.auc_real"], abs=1e-6)
    # but a season of its own is no change that the masks know of
    bright = twin(real, lambda i, m: (np.where(np.arange(2)[:, None, None, None] == 1, 1.5 * i, i), m))
    assert evaluate(bright, real=real).metrics["change.auc_ratio"] < good["change.auc_ratio"] - 0.02


def test_unlabelled_pixels_and_pixels_without_data_are_left_out(real, good):
    def holes(images, masks):
        images[:, 1, 4, 2:6, 2:6] = np.nan
        masks[:, :, 9:12, 9:12] = -1
        images[:, :, :, 9:12, 9:12] = 1e4 * np.random.default_rng(2).random((len(images), 2, 12, 3, 3))
        return images, masks

    found = evaluate(twin(real, holes), real=real).metrics
    for key in ("change.auc_synthetic", "change.unchanged_angle_synthetic_deg"):
        assert found[key] == pytest.approx(good[key], rel=0.05)


@pytest.mark.parametrize(
    ("names", "unchanged"),
    [
        (["changed", "unchanged"], [1]),
        (["No change", "Change"], [0]),
        (["built", "no-change land", "NON_CHANGED water"], [1, 2]),
        (["not changed", "changed"], [0]),
        (["background", "new building"], [0]),
    ],
)
def test_the_class_that_says_unchanged(names, unchanged):
    assert unchanged_positions(Classes.create(list(range(len(names))), names)).tolist() == unchanged


def test_without_such_a_name_the_lowest_value_is_unchanged():
    assert unchanged_positions(Classes.create([9, 4], ["new", "old"])).tolist() == [1]


def test_the_codec_is_judged_date_by_date(real):
    found = evaluate(twin(real), real=real, model=Codec()).metrics["codec.spectral_angle_deg"]
    bend = np.linspace(0.7, 1.3, 12)
    spectra = scene()[0][1][:, :, 64:].reshape(12, -1)
    cosine = (spectra * spectra * bend[:, None]).sum(0)
    cosine /= np.linalg.norm(spectra, axis=0) * np.linalg.norm(spectra * bend[:, None], axis=0)
    # the first date is as it was
    assert found == pytest.approx(np.degrees(np.arccos(cosine)).mean() / 2, rel=0.02)


def test_one_date_has_no_change(real):
    def first(tiles):
        return TileSet(tiles.dataset.isel(date=[0]))

    result = evaluate(first(twin(real)), real=first(real))
    assert not any(key.startswith("change.") for key in result.metrics)
    assert not any("change." in note for note in result.notes)
