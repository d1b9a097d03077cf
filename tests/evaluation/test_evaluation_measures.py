"""The formulas, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation.frechet import SpectralSpace
from specdm.evaluation.frequencies import missing, worst_factor
from specdm.evaluation.metrics import METRICS, MetricInfo, info_of
from specdm.evaluation.reading import evenly, some
from specdm.evaluation.spectra import SpectraStatistics, spectral_angle_deg
from specdm.evaluation.texture import mean_squared_difference
from specdm.tiles.coverage import GroundSeen, class_shares


def test_spectral_angle():
    one = np.array([[1.0, 0.0], [1.0, 1.0], [2.0, 2.0], [np.nan, 1.0], [0.0, 0.0]])
    other = np.array([[0.0, 3.0], [1.0, 0.0], [5.0, 5.0], [1.0, 1.0], [1.0, 1.0]])
    np.testing.assert_allclose(spectral_angle_deg(one, other), [90.0, 45.0, 0.0, np.nan, np.nan], atol=1e-5)


def test_statistics_in_batches_are_those_of_all_at_once():
    random = np.random.default_rng(0)
    spectra = random.normal([1e4, 5.0], [1.0, 2.0], (500, 2)).astype(np.float32)
    labels = random.integers(-1, 2, 500)
    spectra[7] = np.nan
    statistics = SpectraStatistics(3, 2)
    for part in np.array_split(np.arange(500), 7):
        statistics.add(spectra[part], labels[part])
    spectra = spectra.astype(np.float64)
    labels[7] = -2
    for position in (0, 1):
        np.testing.assert_allclose(
            statistics.mean[position], spectra[labels == position].mean(axis=0), rtol=1e-9
        )
        np.testing.assert_allclose(
            statistics.std[position], spectra[labels == position].std(axis=0), rtol=1e-6
        )
    assert np.isnan(statistics.mean[2]).all()
    np.testing.assert_allclose(statistics.std[-1], spectra[labels > -2].std(axis=0), rtol=1e-6)
    assert statistics.count[-1] == 499


def test_texture_of_a_slope_and_of_a_nan():
    features = np.tile(np.arange(10.0)[None, :, None, None], (1, 1, 10, 1))
    # rows rise by 1, columns not at all
    assert mean_squared_difference(features, 1) == pytest.approx(0.5)
    assert mean_squared_difference(features, 4) == pytest.approx(8.0)
    assert np.isnan(mean_squared_difference(features, 10))
    features[0, 5, 5] = np.nan
    assert mean_squared_difference(features, 1) == pytest.approx(0.5)


def test_frechet_distance_in_standard_deviations():
    random = np.random.default_rng(0)
    real = random.normal(0, [1.0, 10.0], (20_000, 2))
    space = SpectralSpace.fit(real)
    assert space is not None
    assert space.components == 2
    assert space.distance(real, real) == pytest.approx(0, abs=1e-6)
    # three standard deviations along the second band; and twice the spread there
    assert space.distance(real, real + np.array([0, 30.0])) == pytest.approx(3, rel=0.02)
    assert space.distance(real, real * [1, 2.0]) == pytest.approx(1, rel=0.02)
    assert np.isnan(space.distance(real, real[:1]))
    assert SpectralSpace.fit(np.ones((50, 3))) is None


def test_frequencies():
    ground = np.array([700, 280, 15, 5, 0])
    assert worst_factor(ground, np.array([70, 28, 0, 0, 2])) == pytest.approx(1, abs=0.03)
    assert worst_factor(ground, np.array([70, 7, 0, 0, 0])) == pytest.approx(0.28 * 77 / 7)
    # an absent class gives a large number, not infinity
    assert 20 < worst_factor(ground, np.array([100, 0, 0, 0, 0])) < 30
    assert np.isnan(worst_factor(ground, np.zeros(5)))
    # 0.5 % itself need not be there, above it must
    assert missing(ground, np.array([1, 1, 0, 0, 0])).tolist() == [2]


def test_ground_is_seen_first_once_by_source(real):
    train = np.flatnonzero(real.split == "train")
    fresh = GroundSeen(real).fresh(train)
    assert fresh[0].all()
    assert fresh.sum() == 48 * 64
    renamed = real.dataset.assign_coords(source=("tile", np.arange(len(real)).astype(str)))
    assert GroundSeen(type(real)(renamed)).fresh(train).all()


def test_shares_count_ground_once(real):
    train = np.flatnonzero(real.split == "train")
    labels = real.classes.index_of(real.masks(train)[:, 0])[GroundSeen(real).fresh(train)]
    counts = np.bincount(labels[labels >= 0], minlength=len(real.classes))
    assert class_shares(real.train) == pytest.approx(counts / counts.sum())
    assert class_shares(real.train) != pytest.approx(real.train.label_counts() / real.train.label_counts().sum())


def test_choices_are_bounded_and_rising():
    assert evenly(3, 10).tolist() == [0, 1, 2]
    assert evenly(100, 3).tolist() == [0, 50, 99]
    chosen = some(1000, 10, random=np.random.default_rng(0))
    assert len(set(chosen)) == 10
    assert (np.diff(chosen) > 0).all()


def test_bars_are_those_of_the_issue():
    bars = {key: info.bar for key, info in METRICS.items() if info.bar}
    assert bars == {
        "codec.spectral_angle_deg": (None, 2.0),
        "codec.mask_accuracy": (0.99, None),
        "codec.lda_ratio": (0.95, None),
        "synthetic.lda_ratio": (0.88, None),
        "synthetic.texture_ratio_lag1": (0.7, 1.4),
        "synthetic.texture_ratio_lag4": (0.7, 1.4),
        "synthetic.texture_ratio_lag8": (0.7, 1.4),
        "synthetic.band_std_ratio": (0.9, None),
        "synthetic.class_frequency_worst_factor": (None, 2.0),
        "synthetic.class_mean_angle_deg_worst": (None, 3.0),
        "synthetic.classes_missing": (None, 0.0),
        "change.auc_ratio": (0.95, None),
        "change.share_factor": (None, 1.5),
        "change.unchanged_angle_ratio": (0.8, 1.2),
        "change.contradictions": (None, 0.0),
        "amount.rmse_ratio": (None, 1.3),
        "amount.sum_error_max": (None, 1e-5),
        "amount.least": (0.0, None),
        "sampling.seconds_for_64": (None, 10.0),
        "memory.peak_gb": (None, 6.0),
    }


def test_verdicts_and_how_numbers_read():
    between = MetricInfo(title="", sentence="", bar=(0.7, 1.4))
    assert [between.verdict(value) for value in (0.69, 0.7, 1.4, 1.41, None)] == [
        "miss",
        "pass",
        "pass",
        "miss",
        None,
    ]
    assert between.show_bar() == "0.70 to 1.40"
    assert METRICS["codec.mask_accuracy"].show(0.9934) == "99.3 %"
    assert METRICS["codec.spectral_angle_deg"].show_bar() == "at most 2.00°"
    assert METRICS["synthetic.classes_missing"].show_bar() == "none"
    assert METRICS["training.seconds"].show(412.3) == "412 s"
    assert METRICS["real.training_pixels"].show(16577.0) == "16,577"
    assert info_of("my.own_number").title == "my: own number"
    assert between.show(None) == "n/a"
    assert METRICS["amount.sum_error_max"].show_bar() == "at most 1e-05"
    about = info_of("synthetic.lda_ratio [2003]")
    assert about.title == "Masks fit images (2003)"
    assert about.bar == METRICS["synthetic.lda_ratio"].bar
