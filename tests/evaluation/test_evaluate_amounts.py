"""Abundances: each number moves when what it measures is spoilt, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from made_mixtures import FREE, PURE, SIZE, Codec, real_tiles, scene, swap_tiles, twin
from scipy.ndimage import gaussian_filter

from specdm.errors import TileError
from specdm.evaluation import METRICS, Evaluation, evaluate
from specdm.evaluation.amount_views import correlation
from specdm.scenes.classes import Classes
from specdm.tiles.tileset import TileSet


@pytest.fixture(scope="module")
def real():
    return real_tiles()


@pytest.fixture(scope="module")
def good(real):
    return evaluate(twin(real), real=real)


def test_twins_of_real_tiles_are_as_good_as_real(good):
    found = good.metrics
    assert found["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.1)
    assert 0 < found["amount.unmixing_rmse_heldout"] < 0.05
    assert found["amount.sum_error_max"] < 1e-6
    assert found["amount.least"] >= 0
    assert found["amount.wasserstein_worst"] < 0.2
    assert found["amount.std_ratio_worst"] == pytest.approx(1.0, abs=0.1)
    for lag in (1, 4, 8):
        assert found[f"amount.correlation_ratio_lag{lag}"] == pytest.approx(1.0, abs=0.05)
    assert set(found) <= set(METRICS)
    assert all(METRICS[key].sentence for key in found)


def test_judges_that_do_not_apply_add_nothing(good):
    silent = ("lda", "class_frequency", "classes_missing", "label", "mask_accuracy", "change.", "regression")
    assert not [key for key in good.metrics if any(word in key for word in silent)]
    assert not [note for note in good.notes if any(word in note for word in silent)]
    assert good.classes == []
    # the images are judged all the same
    assert good.metrics["synthetic.texture_ratio_lag1"] == pytest.approx(1.0, abs=0.05)
    assert good.metrics["synthetic.frechet_spectral"] is not None


def test_abundances_of_other_tiles_raise_the_error_alone(real, good):
    found = evaluate(twin(real, swap_tiles), real=real).metrics
    assert found["amount.rmse_ratio"] > 3
    assert METRICS["amount.rmse_ratio"].verdict(found["amount.rmse_ratio"]) == "miss"
    assert found["amount.wasserstein_worst"] == pytest.approx(good.metrics["amount.wasserstein_worst"])
    assert found["amount.unmixing_rmse_heldout"] == good.metrics["amount.unmixing_rmse_heldout"]


def test_images_of_other_materials_raise_the_error(real):
    def bent(images, amounts):
        return images * np.linspace(0.8, 1.2, 12)[:, None, None], amounts

    assert evaluate(twin(real, bent), real=real).metrics["amount.rmse_ratio"] > 1.3


def test_sums_off_one_and_negative_parts_are_found(real):
    def off(images, amounts):
        amounts[3, :, 2, 2] = [1.002, 0.0, -0.001]
        return images, amounts

    found = evaluate(twin(real, off), real=real).metrics
    assert found["amount.sum_error_max"] == pytest.approx(1e-3, rel=1e-3)
    assert found["amount.least"] == pytest.approx(-1e-3, rel=1e-3)
    for key in ("amount.sum_error_max", "amount.least"):
        assert METRICS[key].verdict(found[key]) == "miss"


def test_given_end_members_are_used(real, good):
    given = evaluate(twin(real), real=real, endmembers=PURE)
    assert given.metrics["amount.unmixing_rmse_heldout"] == pytest.approx(
        good.metrics["amount.unmixing_rmse_heldout"], rel=0.05
    )
    assert "given" in given.settings["amounts read by"]
    wrong = evaluate(twin(real), real=real, endmembers=PURE[[1, 0, 2]])
    assert wrong.metrics["amount.unmixing_rmse_heldout"] > 0.2


@pytest.mark.parametrize(
    ("endmembers", "word"), [(PURE[:2], r"\(3, 12\)"), (PURE[:, :5], "12 bands"), (PURE * np.nan, "numbers")]
)
def test_end_members_that_do_not_fit_are_refused(real, endmembers, word):
    with pytest.raises(TileError, match=word):
        evaluate(twin(real), real=real, endmembers=endmembers)


def test_end_members_without_abundances_are_refused():
    free = real_tiles(FREE)
    with pytest.raises(TileError, match="sum to one"):
        evaluate(twin(free), real=free, endmembers=PURE[:2])


def test_held_out_tiles_go_through_the_codec(real):
    random = np.random.default_rng(3)

    def lossy(images, amounts):
        blurred = gaussian_filter(amounts, (0, 0, 2, 2))
        return images + random.normal(0, 200, images.shape), blurred / blurred.sum(axis=1, keepdims=True)

    faithful = evaluate(twin(real), real=real, model=Codec(lambda i, a: (i, a))).metrics
    assert faithful["codec.amount_rmse"] == 0
    assert faithful["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.1)
    found = evaluate(twin(real, lossy), real=real, model=Codec(lossy))
    assert found.metrics["codec.amount_rmse"] > 0.02
    assert found.metrics["amount.unmixing_rmse_heldout"] > 3 * faithful["amount.unmixing_rmse_heldout"]
    # synthetic tiles as bad as the codec leaves real ones are not worse than real
    assert found.metrics["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.15)
    assert found.settings["amounts of held-out tiles"] == "after the codec"


def test_scattered_amounts_have_nothing_in_common_with_their_neighbours(real):
    def scatter(images, amounts):
        order = np.random.default_rng(2).permutation(SIZE * SIZE)
        return images, amounts.reshape(*amounts.shape[:2], -1)[..., order].reshape(amounts.shape)

    found = evaluate(twin(real, scatter), real=real).metrics
    assert found["amount.correlation_ratio_lag1"] < 0.5
    assert found["amount.wasserstein_worst"] < 0.2


def test_correlation_by_hand():
    board = np.indices((8, 8)).sum(axis=0) % 2.0
    amounts = np.stack([board, np.full((8, 8), 0.5)])[None]
    np.testing.assert_allclose(correlation(amounts, 1), [-1, np.nan])
    np.testing.assert_allclose(correlation(amounts, 2), [1, np.nan])
    assert np.isnan(correlation(amounts, 8)).all()
    amounts[0, 0, 3, 3] = np.nan
    assert correlation(amounts, 2)[0] == pytest.approx(1, abs=0.05)


def test_flat_amounts_have_too_little_spread(real):
    def flat(images, amounts):
        return images, 0.5 * amounts + 0.5 * amounts.mean(axis=(0, 2, 3), keepdims=True)

    result = evaluate(twin(real, flat), real=real)
    assert result.metrics["amount.std_ratio_worst"] == pytest.approx(0.5, abs=0.05)
    assert result.metrics["amount.wasserstein_worst"] > 0.3


def test_without_held_out_tiles_notes_say_why(real):
    result = evaluate(twin(real), real=real.train)
    assert result.metrics["amount.rmse_ratio"] is None
    assert result.metrics["amount.unmixing_rmse_synthetic"] < 0.05
    assert any("amount.unmixing_rmse_heldout" in note and "validation or test" in note for note in result.notes)


def test_records_of_quantities_and_their_file(real, good, tmp_path):
    tree = good.quantities[0]
    amounts = scene()[1][0, :, :64]
    assert [record.name for record in good.quantities] == ["tree", "soil", "water"]
    assert tree.real_mean == pytest.approx(amounts.mean(), rel=1e-4)
    assert tree.real_std == pytest.approx(amounts.std(), rel=1e-4)
    assert tree.rmse_synthetic == pytest.approx(tree.rmse_heldout, rel=0.2)
    assert len(tree.histogram_edges) == len(tree.real_histogram) + 1
    np.testing.assert_allclose(
        tree.real_histogram, np.histogram(amounts, np.linspace(0, 1, 41))[0] / amounts.size, atol=1e-3
    )
    assert sum(tree.synthetic_histogram) == pytest.approx(1, abs=1e-4)
    again = Evaluation.from_json(good.to_json(tmp_path / "evaluation.json"))
    assert again == good
    assert again.quantities == good.quantities


def test_classes_beside_amounts_are_judged_too(real):
    classes = Classes.create([0, 1, 2], ["tree", "soil", "water"])

    def with_masks(tiles):
        masks = tiles.amounts().argmax(axis=1)[:, None].astype(np.int16)
        dataset = tiles.dataset.assign(mask=(("tile", "layer", "y", "x"), masks, classes.to_attrs()))
        return TileSet(dataset.assign_coords(layer=["class"]))

    found = evaluate(with_masks(twin(real)), real=with_masks(real)).metrics
    assert found["synthetic.lda_ratio"] == pytest.approx(1.0, abs=0.05)
    assert found["amount.rmse_ratio"] == pytest.approx(1.0, abs=0.1)


def test_other_quantities_are_refused(real):
    free = real_tiles(FREE)
    with pytest.raises(TileError, match=r"height \(m\)"):
        evaluate(twin(free), real=real)
