"""Distances of bands and spectra on real ground (Indian Pines) grow with what is done to it."""

from __future__ import annotations

import numpy as np
import pytest

from specdm.evaluation.band_distances import band_wasserstein, range_coverage
from specdm.evaluation.case import Case
from specdm.evaluation.frechet import SpectralSpace
from specdm.evaluation.images import judge_images
from specdm.evaluation.pixel_samples import Groups, synthetic_sample, training_sample
from specdm.evaluation.record import Evaluation
from specdm.evaluation.spectral_fidelity import judge_spectra


def test_a_shift_is_measured_in_standard_deviations():
    real = np.random.default_rng(0).normal(5, [1, 10, 0], (4000, 3))
    shifted = real + np.array([0.5, 5, 0])
    found = band_wasserstein(real, shifted)
    np.testing.assert_allclose(found[:2], 0.5, atol=0.02)
    assert np.isnan(found[2])
    assert np.isnan(range_coverage(real, shifted)[2])


def test_half_the_range_is_half_covered():
    real = np.random.default_rng(0).uniform(0, 1, (20_000, 1))
    assert range_coverage(real, real) == pytest.approx(1)
    assert range_coverage(real, real / 2) == pytest.approx(0.5, abs=0.01)
    assert range_coverage(real, real * 5 - 2) == pytest.approx(1)
    assert range_coverage(real, real + 2) == 0


@pytest.fixture(scope="module")
def pines():
    """Every other pixel of Indian Pines to fit on, the rest to spoil, `(m, band)` each; classes of the latter."""
    pytest.importorskip("tensorly")
    from specdm.scenes.samples import indian_pines

    dataset = indian_pines().dataset
    spectra = np.moveaxis(dataset["image"].values[0], 0, -1).reshape(-1, 200)
    return spectra[::2], spectra[1::2], dataset["mask"].values[0].ravel()[1::2]


@pytest.fixture(scope="module")
def space(pines):
    return SpectralSpace.fit(pines[0])


@pytest.mark.parametrize("what", ["noise", "tilt", "shuffled bands", "dropped mode"])
def test_frechet_distance_grows_with_each_fault(pines, space, what):
    real, fresh, labels = pines
    random, std = np.random.default_rng(0), fresh.std(axis=0)
    levels = {
        "noise": lambda level: fresh + random.normal(0, 0.2 * level, fresh.shape) * std,
        "tilt": lambda level: fresh * np.linspace(1 - 0.05 * level, 1 + 0.05 * level, 200),
        "shuffled bands": lambda level: fresh[:, _swapped(20 * level)],
        # woods, soybean and corn, which are common, leave one after the other
        "dropped mode": lambda level: fresh[~np.isin(labels, [14, 11, 2, 10][:level])],
    }[what]
    found = [space.distance(real, fresh), *(space.distance(real, levels(level)) for level in (1, 2, 4))]
    assert min(found[1:]) > 1.5 * found[0]
    # bands that change places may by chance resemble those whose places they take
    assert what == "shuffled bands" or (np.diff(found) > 0).all(), found


def _swapped(n):
    """Positions of 200 bands, `n` from either end changed for each other."""
    order = np.arange(200)
    for place in range(n):
        order[[place, 199 - place]] = order[[199 - place, place]]
    return order


def spectra_judged(synthetic, real) -> Evaluation:
    result, case = Evaluation(), Case(synthetic, real, layers=(0,), model=None, seed=0)
    judge_images(result, case)
    judge_spectra(result, case)
    return result


def test_the_judge_sees_bands_and_angles(real, twin):
    good = spectra_judged(twin(), real)
    bent = spectra_judged(twin(lambda i, m: (i * np.linspace(0.8, 1.2, 12)[:, None, None], m)), real)
    for key in ("band_wasserstein", "band_wasserstein_worst", "class_mean_angle_deg", "nearest_angle_deg"):
        assert bent.metrics[f"synthetic.{key}"] > 2 * good.metrics[f"synthetic.{key}"], key
    assert good.metrics["synthetic.range_coverage"] > 0.97
    flat = spectra_judged(twin(lambda i, m: (1500 + 0.5 * (i - 1500), m)), real)
    assert flat.metrics["synthetic.range_coverage"] == pytest.approx(0.5, abs=0.05)
    # another draw of the same ground is as near as other ground, or nearer
    assert good.metrics["synthetic.nearest_angle_deg"] <= good.metrics["real.nearest_angle_floor_deg"]


def test_intervals_hold_their_numbers(real, twin):
    found = spectra_judged(twin(), real)
    for key in (
        "synthetic.frechet_spectral", "synthetic.band_std_ratio", "synthetic.texture_ratio_lag1",
        "synthetic.band_wasserstein", "synthetic.range_coverage", "synthetic.class_mean_angle_deg",
        "synthetic.nearest_angle_deg",
    ):  # fmt: skip
        low, high = found.intervals[key]
        assert low <= found.metrics[key] <= high, key
        assert high > low, key


def test_materials_stand_in_for_classes():
    from made_mixtures import real_tiles, twin

    real = real_tiles()
    cases = [Case(twin(real, spoil), real, layers=(), model=None, seed=0) for spoil in (None, _swap)]
    assert Groups.of(cases[0]).names == ("tree", "soil", "water")
    angles = []
    for case in cases:
        result = Evaluation()
        judge_spectra(result, case)
        angles.append(result.metrics["synthetic.class_mean_angle_deg"])
    assert angles[1] > 3 * angles[0]


def _swap(images, amounts):
    return images, np.roll(amounts, 7, axis=0)


def test_samples_hold_each_pixel_of_ground_once(real, twin):
    case = Case(twin(), real, layers=(0,), model=None, seed=0)
    groups = Groups.of(case)
    assert len(training_sample(case, groups).spectra) == 48 * 64
    drawn = synthetic_sample(case, groups)
    assert len(drawn.spectra) == len(case.synthetic) * 16 * 16
    assert drawn.tile.max() == drawn.n_tiles - 1
