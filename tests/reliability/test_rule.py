"""A rule weighs evidence, is calibrated, and comes back from its JSON."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import ConfigError
from specdm.evaluation.reliability import Rule, auroc, default_rule, default_rules, expected_calibration_error, fit_rule
from specdm.evaluation.reliability.rule import FREE

NAMES = ["spectral.pixel", "spectral.region", "edge.distance"]


@pytest.fixture(scope="module")
def pixels():
    """Three data sets: the first feature tells, the second says the opposite of the truth, the third nothing."""
    random = np.random.default_rng(0)
    wrong = random.random(6000) < 0.2
    good = np.where(wrong, -1.0, 1.0) * 1.5 + random.normal(0, 1.5, 6000)
    bad = np.where(wrong, 1.0, -1.0) + random.normal(0, 2.0, 6000)
    return np.column_stack([good, bad, random.normal(size=6000)]), wrong, np.arange(6000) % 3


def test_rule_ranks_is_calibrated_and_never_turns_evidence_round(pixels):
    table, wrong, groups = pixels
    rule = fit_rule(table, wrong, groups, names=NAMES)
    score = rule.probability_right(dict(zip(NAMES, table.T, strict=True)))
    assert auroc(score, wrong) > 0.9
    assert expected_calibration_error(score, wrong) < 0.02
    assert "spectral.region" not in rule.weights
    assert rule.weights["spectral.pixel"] > 0.5
    assert rule.evidences == ("spectral", "edge")
    assert rule.fitted_on == ("0", "1", "2")


def test_slope_comes_from_the_data_sets_left_out(pixels):
    table, wrong, groups = pixels
    # in one of three sets the evidence says nothing, so that it must be trusted less on a new one
    lost = table.copy()
    lost[groups == 2, 0] = np.random.default_rng(1).permutation(lost[groups == 2, 0])
    sure, careful = (fit_rule(x[:, :1], wrong, groups, names=NAMES[:1]) for x in (table, lost))
    assert sure.slope == pytest.approx(1.0, abs=0.1)
    assert careful.slope < 0.9


def test_groups_count_alike_and_pixels_by_their_weight(pixels):
    table, wrong, groups = pixels
    rule = fit_rule(table[:, :1], wrong, groups, names=NAMES[:1])
    # a set in which the evidence says nothing, once as large as the others and once with a tenth of the pixels
    lost = table[:, :1].copy()
    lost[groups == 2] = np.random.default_rng(1).permutation(lost[groups == 2])
    few = np.flatnonzero((groups != 2) | (np.arange(len(wrong)) < 600))
    whole = fit_rule(lost, wrong, groups, names=NAMES[:1]).weights["spectral.pixel"]
    assert fit_rule(lost[few], wrong[few], groups[few], names=NAMES[:1]).weights["spectral.pixel"] == pytest.approx(
        whole, rel=0.1
    )
    assert whole < 0.8 * rule.weights["spectral.pixel"]
    heavy = fit_rule(table[:, :1], wrong, groups, names=NAMES[:1], weight=np.where(wrong, 10.0, 1.0))
    assert heavy.probability_right({NAMES[0]: np.zeros(1)}) < rule.probability_right({NAMES[0]: np.zeros(1)}) - 0.2


def test_json_keeps_the_rule(pixels):
    table, wrong, groups = pixels
    rule = fit_rule(table, wrong, groups, names=NAMES)
    assert Rule.from_json(rule.to_json()) == rule
    for text, words in (("{", "no JSON"), ("{}", "evidences"), ('{"evidences": ["edge"], "weights": 3}', "items")):
        with pytest.raises(ConfigError, match=words):
            Rule.from_json(text)


def test_bad_tables_are_refused(pixels):
    table, wrong, groups = pixels
    with pytest.raises(ConfigError, match="all 6000 pixels are right"):
        fit_rule(table, np.zeros_like(wrong), groups, names=NAMES)
    spoilt = table.copy()
    spoilt[3, 1] = np.nan
    with pytest.raises(ConfigError, match=r"spectral\.region is not finite"):
        fit_rule(spoilt, wrong, groups, names=NAMES)
    with pytest.raises(ConfigError, match="2 names"):
        fit_rule(table, wrong, groups, names=NAMES[:2])
    with pytest.raises(ConfigError, match=r"needs the feature spectral\.pixel"):
        fit_rule(table, wrong, groups, names=NAMES).probability_right({"edge.side": np.zeros(1)})


def test_rules_of_the_package():
    for evidences in (("spectral",), ("edge",), ("spectral", "edge"), ("change",), ("amounts",)):
        rule = default_rule(evidences)
        assert set(rule.evidences) == set(evidences)
        assert len(rule.fitted_on) > 2
    assert set(default_rule(("spectral", "edge", "change")).evidences) == {"spectral", "edge", "change"}
    assert all(weight > 0 for rule in default_rules() for name, weight in rule.weights.items() if name not in FREE)
    with pytest.raises(ConfigError, match="there is no rule of nothing"):
        default_rule(())
