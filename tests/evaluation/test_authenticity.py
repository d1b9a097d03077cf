"""Copies are found, however turned and smoothed; real tiles of other ground are not taken for copies."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_tiles import as_tiles
from scipy.ndimage import gaussian_filter, uniform_filter

from specdm.evaluation.authenticity import judge_scores
from specdm.evaluation.case import Case
from specdm.evaluation.copies import judge_copies
from specdm.evaluation.record import Evaluation

SIZE = 16


def cut(seed: int, *, height: int, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Tiles `(n, 1, band, y, x)` of patchy ground with water (all alike but for noise), and their windows."""
    random = np.random.default_rng(seed)
    patches = [gaussian_filter(random.normal(0, 1, (height, 160)), 3, mode="wrap") for _ in range(4)]
    mixing = np.random.default_rng(99).normal(0, 1, (12, 4))
    image = 1000 + 300 * np.tensordot(mixing, np.stack([one / one.std() for one in patches]), 1)
    image[:, :32] = 500
    image += random.normal(0, 20, image.shape)
    yx = np.array([(y, x) for y in range(0, height - SIZE + 1, stride) for x in range(0, 160 - SIZE + 1, stride)])
    return np.stack([image[None, :, y : y + SIZE, x : x + SIZE] for y, x in yx]), yx


@pytest.fixture(scope="module")
def ground():
    images, yx = cut(0, height=160, stride=8)
    masks = np.full((len(images), 1, SIZE, SIZE), 2)
    return as_tiles(images, masks, split="train", source="patches", window_y=yx[:, 0], window_x=yx[:, 1])


def judged(images, real) -> Evaluation:
    synthetic = as_tiles(images, np.full((len(images), 1, SIZE, SIZE), 2))
    result = Evaluation()
    judge_copies(result, Case(synthetic, real, layers=(0,), model=None, seed=0))
    return result


@pytest.mark.parametrize(
    "change",
    [
        lambda images: images,
        lambda images: np.rot90(images, 1, axes=(-2, -1)),
        lambda images: images[..., ::-1],
        lambda images: uniform_filter(images, (0, 0, 0, 3, 3), mode="nearest"),
        lambda images: np.rot90(uniform_filter(images, (0, 0, 0, 3, 3), mode="nearest")[..., ::-1], 3, axes=(-2, -1)),
    ],
    ids=["as they are", "turned", "flipped", "smoothed", "all of it"],
)
def test_a_copied_training_set_is_flagged(ground, change):
    result = judged(change(ground.images()), ground)
    # that includes water, which holds nothing but noise
    assert result.metrics["authenticity.flagged_share"] >= 0.99
    assert result.metrics["authenticity.beyond_chance"] < 1e-6
    assert result.metrics["authenticity.distance_ratio"] < 0.5


def test_real_tiles_of_other_ground_are_not(ground):
    shares = []
    for seed in (1, 2, 3):
        images, _ = cut(seed, height=160, stride=16)
        metrics = judged(images, ground).metrics
        shares.append(metrics["authenticity.flagged_share"])
        assert metrics["authenticity.beyond_chance"] > 0.01
        assert metrics["authenticity.distance_ratio"] == pytest.approx(1, abs=0.15)
    assert np.mean(shares) <= 0.03


def test_the_few_copies_are_shown_beside_what_they_copy(ground):
    images, _ = cut(1, height=160, stride=16)
    images[[4, 40]] = ground.images(np.array([200, 300]))
    result = judged(images, ground)
    assert {(record.synthetic, record.real) for record in result.neighbours[:2]} == {(4, 200), (40, 300)}
    assert all(record.flagged for record in result.neighbours[:2])
    assert len(result.neighbours) == 12
    assert result.neighbours[0].real_name == str(ground.dataset["tile_name"].values[result.neighbours[0].real])


def test_tiles_without_data_in_places_are_still_found(ground):
    images = ground.images()[::7].copy()
    images[..., :5, :6] = np.nan
    assert judged(images, ground).metrics["authenticity.flagged_share"] >= 0.98


def test_too_few_real_tiles_say_nothing(real, twin):
    result = Evaluation()
    judge_copies(result, Case(twin(), real, layers=(0,), model=None, seed=0))
    assert result.metrics["authenticity.flagged"] is None
    assert any("at least 50" in note for note in result.notes)


def test_a_short_reference_makes_the_verdict_less_sure():
    random = np.random.default_rng(0)
    reference, score = random.random(199), np.r_[np.zeros(6), random.random(194) + 0.1]
    sure, unsure = (judge_scores(score, reference, independent=n) for n in (199, 20))
    assert sure.flagged.sum() == unsure.flagged.sum() == 6
    assert sure.chance == pytest.approx(0.01)
    assert sure.beyond_chance < unsure.beyond_chance < 1


def test_records_survive_their_file(ground, tmp_path):
    result = judged(ground.images()[:60], ground)
    again = Evaluation.from_json(result.to_json(tmp_path / "evaluation.json"))
    assert again.neighbours == result.neighbours
