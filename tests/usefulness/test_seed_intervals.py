"""Means and gains over seeds: intervals of Student's t, none from a single seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from specdm.errors import ConfigError
from specdm.evaluation.usefulness.paired import mean_interval, paired_interval

VALUES = st.lists(st.floats(-1, 1).map(lambda value: round(value, 4)), min_size=2, max_size=12)


@given(VALUES, st.integers(0, 1000))
def test_the_interval_is_that_of_a_paired_t_test(ours, seed):
    rivals = np.array(ours) - 0.02 + np.random.default_rng(seed).normal(0, 0.03, len(ours))
    found = paired_interval(ours, rivals)
    test = stats.ttest_rel(ours, rivals)
    low, high = test.confidence_interval(0.95)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert found.above_zero == (test.pvalue < 0.05 and found.mean > 0)
    assert found.std == pytest.approx(np.std(np.array(ours) - rivals, ddof=1))
    assert found.n == len(ours)


def test_pairs_tell_what_means_do_not():
    ours = np.array([0.5, 0.6, 0.7, 0.4, 0.8])
    gain = paired_interval(ours, ours - [0.02, 0.03, 0.02, 0.03, 0.025])
    assert gain.above_zero and gain.mean == pytest.approx(0.025)
    mine, theirs = mean_interval(ours), mean_interval(ours - 0.025)
    assert theirs.high > mine.low


def test_one_seed_has_no_interval_and_equal_ones_have_no_width():
    one = paired_interval([0.5], [0.4])
    assert (one.n, one.std, one.low, one.high) == (1, None, None, None)
    assert not one.above_zero and one.mean == pytest.approx(0.1)
    same = mean_interval([0.5, 0.5, 0.5])
    assert (same.low, same.high, same.std) == (0.5, 0.5, 0.0)
    assert same.to_record() == {"mean": 0.5, "std": 0.0, "n": 3, "low": 0.5, "high": 0.5}


def test_what_cannot_be_averaged_is_refused():
    with pytest.raises(ConfigError, match="same seeds"):
        paired_interval([1, 2], [1])
    with pytest.raises(ConfigError, match="at least one"):
        mean_interval([])
    with pytest.raises(ConfigError, match="1 of 2 values"):
        mean_interval([1, float("nan")])
