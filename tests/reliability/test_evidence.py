"""The parts of the evidence against what is known of made data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_t

from specdm.evaluation.looks import Looks
from specdm.evaluation.reliability.class_features import log_odds
from specdm.evaluation.reliability.class_shapes import DEGREES, ClassShapes
from specdm.evaluation.reliability.consistency import sureness
from specdm.evaluation.reliability.edge_evidence import gradient_alignment, side_logits
from specdm.evaluation.reliability.neighbourhood import (
    across_border,
    alike_mean,
    all_regions,
    group_mean,
    moved,
    neighbour_scale,
    same_label_mean,
    window_sum,
)
from specdm.evaluation.reliability.real_ground import RealGround
from specdm.evaluation.reliability.registration import band_margins, shift_log_odds
from specdm.evaluation.reliability.spectral_evidence import fit_spectral_evidence


def halves(width: int = 16, at: int = 8) -> np.ndarray:
    labels = np.zeros((1, width, width), np.int64)
    labels[..., at:] = 1
    return labels


def test_shapes_are_t_distributions_and_few_pixels_share_the_common_one():
    random = np.random.default_rng(0)
    x = np.concatenate([random.normal(0, 1, (500, 3)), random.normal(4, 2, (500, 3)), random.normal(-5, 1, (3, 3))])
    labels = np.repeat([0, 1, 3], [500, 500, 3])
    shapes = ClassShapes.fit(x, labels, n_classes=4, prior=50.0)
    assert shapes.known.tolist() == [True, True, False, True]
    own = multivariate_t(shapes.mean[1], np.linalg.inv(shapes.factor[1] @ shapes.factor[1].T), df=DEGREES)
    got, want = shapes.log_likelihood(x[:50])[:, 1], own.logpdf(x[:50])
    np.testing.assert_allclose(got - got[0], want - want[0], atol=1e-8)
    assert np.exp(shapes.log_determinant[3]) > 1e-2  # three pixels alone have no covariance
    assert np.isnan(shapes.log_likelihood(x[:2])[:, 2]).all()


def test_spectral_evidence_is_calibrated_on_ground_it_has_not_seen():
    random = np.random.default_rng(0)
    n, blocks = 6000, np.arange(6000) // 100
    labels = random.integers(0, 3, n)
    # every block has an offset of its own, so that pixels of a block are no news of the next block
    offset = random.normal(0, 0.8, (60, 4))[blocks]
    x = np.eye(3, 4)[labels] * 2.5 + offset + random.normal(0, 0.7, (n, 4))
    train = blocks < 40
    evidence, held = fit_spectral_evidence(x[train], labels[train], blocks[train], n_classes=4, seed=0)
    p = np.exp(evidence.log_probabilities(x[~train]))
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)
    assert p[:, 3].max() < 1e-6  # a class that nothing is known of
    sure = p.max(axis=1)
    assert abs(sure.mean() - (p.argmax(axis=1) == labels[~train]).mean()) < 0.06
    assert len(held.folds) == 4
    said = np.exp(held.log_probabilities(x[train], blocks[train]))
    for block in range(4):
        own = held.folds[held.fold_of[held.blocks == block][0]]
        np.testing.assert_allclose(said[blocks[train] == block], np.exp(own.log_probabilities(x[blocks == block])))
    assert len(set(held.fold_of[:4].tolist())) > 1
    x[0] = np.nan
    np.testing.assert_allclose(evidence.log_probabilities(x[:1]), np.log(0.25), atol=1e-6)


def test_real_ground_shows_each_pixel_once(land):
    ground = RealGround.read(Looks(land.train, (0,)), seed=0)
    assert ground.fresh.sum() == len(land.train) * land.size**2
    components, labels, blocks = ground.sample(most=500, seed=0)
    assert len(components) == len(labels) == len(blocks) == 500 and labels.min() >= 0
    assert len(np.unique(ground.blocks)) == 4 * len(land.train)
    order = np.argsort(ground.index)
    np.testing.assert_array_equal(ground.labels[order], land.classes.index_of(land.train.masks()[:, 0]))


def test_windows_and_groups_by_hand():
    values = np.arange(25, dtype=float).reshape(1, 5, 5, 1)
    assert moved(values, 1, -1, fill=-9.0)[0, 2, 2, 0] == values[0, 3, 1, 0]
    assert moved(values, 1, -1, fill=-9.0)[0, 4, 2, 0] == -9
    assert window_sum(values, radius=1)[0, 2, 2, 0] == pytest.approx(values[0, 1:4, 1:4].sum())
    assert window_sum(values, radius=1)[0, 0, 0, 0] == pytest.approx(values[0, :2, :2].sum())
    labels = halves(5, 2)
    mean = same_label_mean(values, labels, radius=1)
    assert mean[0, 2, 2, 0] == pytest.approx(values[0, 1:4, 2:4].mean())
    assert group_mean(values, all_regions(labels))[0, 0, 0, 0] == pytest.approx(values[0, :, :2].mean())
    distance, other = across_border(labels)
    np.testing.assert_allclose(distance[0, 0], [2, 1, 1, 2, 3])
    assert other[0, 0].tolist() == [1, 1, 0, 0, 0]


def test_alike_means_do_not_cross_borders():
    labels = halves()
    spectra = np.where(labels == 1, 10.0, 0.0)[..., None] + np.random.default_rng(0).normal(0, 0.1, (1, 16, 16, 3))
    scale = neighbour_scale(spectra)
    assert scale == pytest.approx(0.02, rel=0.5)
    smooth = alike_mean(labels[..., None].astype(float), spectra, radius=2, scale=4 * scale)
    np.testing.assert_allclose(smooth[..., 0], labels, atol=1e-6)


def test_sides_tell_pixels_on_the_wrong_side():
    truth, mask = halves(16, 8), halves(16, 6)
    spectra = np.where(truth == 1, 2.0, 0.0)[..., None] + np.random.default_rng(0).normal(0, 0.5, (1, 16, 16, 4))
    odds = log_odds(side_logits(spectra.astype(np.float32), mask, scale=0.5), mask)
    wrong = mask != truth
    assert odds[wrong].max() < 0 < np.quantile(odds[~wrong], 0.05)
    # the wrong pixels themselves have no part in what their label is taken to look like
    sides = side_logits(spectra.astype(np.float32), mask, scale=0.5)
    assert np.median((sides[..., 1] - sides[..., 0])[wrong]) < -12
    right, moved_by = gradient_alignment(spectra, truth), gradient_alignment(spectra, mask)
    assert right[0] > moved_by[0] + 0.2
    assert np.isnan(gradient_alignment(spectra, np.zeros_like(truth)))[0]


def test_shifts_are_found_and_right_masks_kept():
    rows, columns = np.indices((24, 24))
    truth = ((rows // 7 + columns // 9) % 2)[None].astype(np.int64)
    logits = np.where(np.arange(2) == truth[..., None], -0.1, -2.4)
    mask = np.full_like(truth, -1)
    mask[:, 2:, 1:] = truth[:, :-2, :-1]
    kept, still = shift_log_odds(logits, mask)
    wrong, labelled = (mask != truth) & (mask >= 0), mask >= 0
    inside = np.zeros_like(labelled)
    inside[:, 2:-2, 2:-2] = True  # at the edges the mask moved back says nothing
    assert kept[wrong & inside].max() < -3 and kept[labelled & ~wrong & inside].min() > 3
    assert 0 < kept[:, -1, -1] < 2
    assert still[0] < -5
    kept, still = shift_log_odds(logits, truth)
    assert kept.min() > 3 and still[0] == 0


def test_bands_take_the_evidence_along_a_border_together():
    truth, mask = halves(16, 8), halves(16, 6)
    random = np.random.default_rng(0)
    # single pixels say little
    margin = np.where(truth == 1, 0.4, -0.4) + random.normal(0, 1.0, truth.shape)
    logits = np.stack([-margin, margin], axis=-1)
    local, along = band_margins(logits, mask, all_regions(mask))
    wrong = mask != truth
    near = np.isfinite(along)
    assert along[wrong].max() < 0 < along[near & (mask == 0)].min()
    alone = (margin < 0)[wrong & (mask == 1)].mean()
    assert (local[wrong] < 0).mean() > alone + 0.05
    assert near.sum() == 16 * 4


def test_sureness_by_hand():
    margin, entropy = sureness(np.log(np.array([[[[0.5, 0.5]], [[0.9, 0.1]]]])))
    np.testing.assert_allclose(margin.ravel(), [0.0, 0.8], atol=1e-6)
    np.testing.assert_allclose(entropy.ravel(), [1.0, 0.469], atol=1e-3)
