"""Unreliable pixels become unlabelled, unreliable tiles are left out, and both can be counted."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.errors import ConfigError, TileError
from specdm.evaluation.reliability import keep_reliable, mark_unreliable


def scores_of(tiles, layers: int = 1) -> np.ndarray:
    scores = np.random.default_rng(0).random((len(tiles), layers, tiles.size, tiles.size)).astype(np.float32)
    if tiles.layers:
        scores[tiles.masks() < 0] = np.nan
    return scores


def test_pixels_below_a_threshold_become_unlabelled(land):
    scores = scores_of(land)
    marked = mark_unreliable(land, scores, below=0.3).masks()
    low = scores < 0.3
    assert (marked[low] == -1).all()
    np.testing.assert_array_equal(marked[~low], land.masks()[~low])
    assert land.masks()[low].min() > 0  # the tiles given are as they were


def test_the_worst_share_is_marked_and_no_more(land):
    scores = scores_of(land)
    known = np.isfinite(scores)
    marked = mark_unreliable(land, scores, share=0.2).masks()
    gone = known & (marked == -1)
    assert gone.sum() == round(0.2 * known.sum())
    assert scores[gone].max() <= scores[known & ~gone].min()
    even = np.where(known, np.float32(0.5), np.nan)
    assert (known & (mark_unreliable(land, even, share=0.2).masks() == -1)).sum() == gone.sum()


def test_amounts_become_unknown(mixtures):
    scores = scores_of(mixtures)
    amounts = mark_unreliable(mixtures, scores, below=0.5).amounts()
    np.testing.assert_array_equal(np.isnan(amounts).all(axis=1), scores[:, 0] < 0.5)
    np.testing.assert_array_equal(np.isnan(amounts).any(axis=1), scores[:, 0] < 0.5)


def test_tiles_below_a_threshold_are_left_out_and_counted(land):
    scores = np.linspace(0, 1, len(land)).astype(np.float32)
    scores[5] = np.nan
    kept, report = keep_reliable(land, scores, below=0.5)
    expected = np.flatnonzero(~(scores < 0.5))
    np.testing.assert_array_equal(kept.masks(), land.masks(expected))
    assert (report.tiles, report.kept, report.dropped) == (len(land), len(expected), len(land) - len(expected))
    assert report.mean_score_after > 0.7 > report.mean_score_before
    assert f"{report.dropped} of {len(land)}" in report.words()


def test_bad_requests_say_what_to_do(land):
    scores = scores_of(land)
    for given in ({}, {"below": 0.5, "share": 0.2}):
        with pytest.raises(ConfigError, match="give either"):
            mark_unreliable(land, scores, **given)
    with pytest.raises(ConfigError, match="expected 0 to 1"):
        mark_unreliable(land, scores, below=1.5)
    with pytest.raises(TileError, match="compute the reliability of these tiles"):
        mark_unreliable(land, scores[:3], below=0.5)
    with pytest.raises(TileError, match="tile scores of shape"):
        keep_reliable(land, np.ones(3), below=0.5)
