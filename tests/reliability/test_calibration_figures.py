"""The figures against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import ConfigError
from specdm.evaluation.reliability import auroc, expected_calibration_error, reliability_diagram, risk_coverage


def test_auroc_counts_pairs_and_leaves_nan_out():
    score = np.array([0.9, 0.8, 0.7, 0.2, np.nan])
    wrong = np.array([False, True, False, True, True])
    assert auroc(score, wrong) == pytest.approx(3 / 4)
    assert np.isnan(auroc(score[:1], wrong[:1]))


def test_calibration_error_by_hand():
    score = np.array([0.95] * 4 + [0.5] * 4)
    wrong = np.array([False] * 3 + [True] + [False] * 2 + [True] * 2)
    assert expected_calibration_error(score, wrong, bins=10) == pytest.approx(0.5 * 0.20)
    diagram = reliability_diagram(score, wrong, bins=10)
    np.testing.assert_allclose(diagram.score, [0.5, 0.95])
    np.testing.assert_allclose(diagram.right, [0.5, 0.75])
    np.testing.assert_allclose(diagram.share, [0.5, 0.5])
    assert expected_calibration_error(np.ones(5), np.zeros(5, bool)) == 0


def test_risk_falls_as_the_least_reliable_are_left_out():
    score = np.linspace(0, 1, 100)
    coverage, risk = risk_coverage(score, score < 0.2, points=10)
    np.testing.assert_allclose(coverage[[0, -1]], [1.0, 0.1])
    assert risk[0] == pytest.approx(0.2)
    assert risk[1] == pytest.approx(0.1 / 0.9, abs=0.02)
    assert (risk[2:] == 0).all()


def test_what_is_no_probability_is_refused():
    with pytest.raises(ConfigError, match="expected probabilities"):
        auroc(np.array([1.5]), np.array([True]))
    with pytest.raises(ConfigError, match="same shape"):
        reliability_diagram(np.ones(3), np.ones(2, bool))
