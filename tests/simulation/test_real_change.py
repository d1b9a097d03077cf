"""A made second date: what changes is known, what does not change differs by season and noise alone."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy import ndimage
from scipy.stats import rankdata

from specdm.errors import MaskError, SceneError
from specdm.scenes.classes import Classes
from specdm.scenes.scene import Scene
from specdm.simulation.real_change import SEASON, indian_pines_change, made_change
from specdm.simulation.real_fields import change_fields
from specdm.simulation.real_noise import second_look
from specdm.simulation.real_season import Season, season_factor, vegetation_share

WAVELENGTH = np.linspace(430.0, 2400.0, 30)
NOISE_STD = np.linspace(8.0, 30.0, 30)


def fields_scene(*, seed: int = 0, noise: bool = True) -> Scene:
    """60 x 70 px in fields of 8 x 8 px with unlabelled borders: vegetation, soil and concrete, and sensor noise."""
    random = np.random.default_rng(seed)
    edge = 1 / (1 + np.exp(-(WAVELENGTH - 718) / 15)) / (1 + np.exp((WAVELENGTH - 1350) / 60))
    spectra = np.stack([300 + 3000 * edge, 600 + 0.8 * (WAVELENGTH - 400), np.full(30, 1800.0)])
    rows, columns = np.mgrid[:60, :70]
    number = rows // 10 * 7 + columns // 10
    position = random.permutation(np.arange(42) % 3)[number]
    bright = 1 + 0.05 * random.standard_normal(42)[number]
    slow = ndimage.gaussian_filter(random.standard_normal(number.shape), 2.0)
    image = spectra[position].transpose(2, 0, 1) * (bright + 0.1 * slow)
    if noise:
        image = image + NOISE_STD[:, None, None] * random.standard_normal(image.shape)
    mask = np.array([4, 2, 9], np.int16)[position]
    mask[(rows % 10 < 2) | (columns % 10 < 2)] = -1
    return Scene.create(
        image=xr.DataArray(image[None].astype(np.float32), dims=("date", "band", "y", "x"), coords={"date": ["2020"]}),
        mask=xr.DataArray(mask[None], dims=("layer", "y", "x"), coords={"layer": ["class"]}),
        classes=Classes.create([4, 2, 9], ["grass", "soil", "concrete"]),
        wavelength=WAVELENGTH,
        name="fields",
    )


@pytest.fixture(scope="module")
def scene() -> Scene:
    return fields_scene()


@pytest.fixture(scope="module")
def made(scene) -> Scene:
    return made_change(scene, changed_share=0.3)


def auc(score: np.ndarray, truth: np.ndarray) -> float:
    ranks = rankdata(score)
    n = truth.sum()
    return float((ranks[truth].sum() - n * (n + 1) / 2) / (n * (len(truth) - n)))


def angle(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    cosine = (one * other).sum(axis=0) / np.linalg.norm(one, axis=0) / np.linalg.norm(other, axis=0)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def test_first_date_is_the_scene_and_the_mask_says_what_changed(scene, made):
    assert made.dataset["date"].values.tolist() == ["2020", "semi-synthetic"]
    np.testing.assert_array_equal(made.dataset["image"].values[0], scene.dataset["image"].values[0])
    assert made.dataset["layer"].values.tolist() == ["change"]
    assert made.classes.names == ("unchanged", "changed")
    mask, labels = made.dataset["mask"].values[0], scene.dataset["mask"].values[0]
    assert ((mask == -1) == (labels == -1)).all()
    assert (mask == 1).sum() / (mask >= 0).sum() == pytest.approx(0.3, abs=0.03)
    assert made.dataset.attrs["changed_share"] == pytest.approx((mask == 1).sum() / (mask >= 0).sum())
    assert "semi-synthetic" in made.dataset.attrs["note"]
    assert any("semi-synthetic" in line for line in made.problems)


def test_masks_a_date_agree_with_the_change_mask_and_change_whole_fields(scene, made):
    semantic = made_change(scene, changed_share=0.3, masks="classes")
    assert semantic.dataset["layer"].values.tolist() == ["2020", "semi-synthetic"]
    assert semantic.classes == scene.classes
    before, after = semantic.dataset["mask"].values
    np.testing.assert_array_equal(before, scene.dataset["mask"].values[0])
    np.testing.assert_array_equal(np.where(before < 0, -1, before != after), made.dataset["mask"].values[0])
    np.testing.assert_array_equal(semantic.dataset["image"].values, made.dataset["image"].values)
    for value in scene.classes.values:
        fields, count = ndimage.label(before == value, np.ones((3, 3)))
        for field in range(1, count + 1):
            assert len(np.unique(after[fields == field])) == 1


def test_changed_ground_is_made_of_real_pixels_of_the_new_class(scene):
    plain = made_change(scene, changed_share=0.3, masks="classes", season=None, noise=False)
    first, second = plain.dataset["image"].values
    donor = plain.dataset["donor"].values
    np.testing.assert_array_equal(second.reshape(30, -1), first.reshape(30, -1)[:, donor.ravel()])
    before, after = plain.dataset["mask"].values
    changed = (before != after) & (before >= 0)
    assert (before.ravel()[donor[changed]] == after[changed]).all()
    still = (before == after) & (before >= 0)
    np.testing.assert_array_equal(first[:, still], second[:, still])
    # most neighbours were neighbours: texture is kept
    pair = changed[:, 1:] & changed[:, :-1] & (after[:, 1:] == after[:, :-1])
    step = np.abs(donor[:, 1:] - donor[:, :-1])[pair]
    assert np.isin(step, (1, before.shape[1])).mean() > 0.8


def test_change_can_be_told_from_season_and_noise(made):
    first, second = made.dataset["image"].values
    mask = made.dataset["mask"].values[0]
    known = mask >= 0
    assert auc(np.linalg.norm(second - first, axis=0)[known], mask[known] == 1) > 0.9
    angles = angle(first, second)
    assert 0.5 < angles[mask == 0].mean() < 6 < angles[mask == 1].mean()


def test_same_seed_same_scene_and_noise_is_drawn_apart(scene, made):
    again = made_change(scene, changed_share=0.3)
    np.testing.assert_array_equal(again.dataset["image"].values, made.dataset["image"].values)
    other = made_change(scene, changed_share=0.3, seed=1)
    assert (other.dataset["mask"].values != made.dataset["mask"].values).any()
    quiet = made_change(scene, changed_share=0.3, noise=False)
    np.testing.assert_array_equal(quiet.dataset["mask"].values, made.dataset["mask"].values)
    np.testing.assert_array_equal(quiet.dataset["donor"].values, made.dataset["donor"].values)


def test_noise_of_date_2_is_like_that_of_date_1_and_no_copy_of_it(scene):
    clean = fields_scene(noise=False).dataset["image"].values[0].astype(np.float64)
    image = scene.dataset["image"].values[0]
    ground, noise = second_look(image, random=np.random.default_rng(0))
    first, second = image - clean, ground + noise - clean
    inner = scene.dataset["mask"].values[0] >= 0
    for old, new, std in zip(first[:, inner], second[:, inner], NOISE_STD, strict=True):
        assert new.std() == pytest.approx(std, rel=0.45)
        assert abs(np.corrcoef(old, new)[0, 1]) < 0.5
    assert np.mean([new.std() / std for new, std in zip(second[:, inner], NOISE_STD, strict=True)]) == pytest.approx(
        1, abs=0.2
    )
    assert np.abs(noise.mean(axis=(1, 2)) / noise.std(axis=(1, 2))).max() < 0.1


def test_pixels_without_data_stay_without_and_are_not_copied(scene):
    holed = Scene(scene.dataset.copy(deep=True))
    holed.dataset["image"].values[0, 3, 20:30, 20:30] = np.nan
    made = made_change(holed, changed_share=0.3)
    gone = np.isnan(made.dataset["image"].values[1])
    missing = np.isnan(holed.dataset["image"].values[0]).any(axis=0)
    assert not missing.ravel()[made.dataset["donor"].values[made.dataset["mask"].values[0] == 1]].any()
    assert (gone.any(axis=0) <= missing.ravel()[made.dataset["donor"].values]).all()


def test_season_is_smooth_and_stronger_on_vegetation(scene):
    image, labels = scene.dataset["image"].values[0], scene.classes.index_of(scene.dataset["mask"].values[0])
    share = vegetation_share(image, WAVELENGTH)
    assert share[labels == 0].mean() > 0.8 > 0.1 > share[labels == 2].mean()
    fine = np.linspace(400, 2500, 1000)
    factor = season_factor(fine, share, labels, season=SEASON, random=np.random.default_rng(0))
    assert factor.min() > 0.5
    assert factor.max() < 1.6
    assert np.abs(np.diff(np.log(factor), axis=0)).max() < 0.02  # per 2 nm
    steps = np.abs(np.diff(np.log(factor), axis=2)).max(axis=0)
    assert np.quantile(steps, 0.9) < 0.1
    strength = np.log(factor).std(axis=0)
    assert strength[labels == 0].mean() > 3 * strength[labels == 2].mean()
    near, red, water = (int(np.abs(fine - at).argmin()) for at in (900, 670, 1940))
    grass = factor[:, labels == 0].mean(axis=1)
    assert grass[near] > 1 > grass[red]
    assert grass[water] < grass[1000 * (1650 - 400) // 2100]
    nothing = Season(**dict.fromkeys(("growth", "chlorophyll", "red_edge_nm", "water", "brightness", "haze"), 0.0))
    np.testing.assert_allclose(season_factor(fine, share, labels, season=nothing, random=np.random.default_rng(0)), 1)


def test_margins_of_a_field_change_with_it():
    labels = np.full((20, 20), -1)
    labels[5:10, 5:10], labels[5:10, 13:18] = 0, 1
    image = np.zeros((3, 20, 20)) + np.random.default_rng(0).normal(0, 0.01, (3, 20, 20))
    image[:, 3:12, 3:12] += 5.0  # the field reaches two pixels beyond its label
    image[:, 3:12, 12:20] += 9.0
    found = change_fields(labels, image, share=0.5, least_field=5, random=np.random.default_rng(3))
    moved = found.donor != np.arange(400).reshape(20, 20)
    field = found.labels != labels
    assert found.fields == 1
    assert moved[3:12, 3:12].mean() > 0.9 if field[5, 5] else moved[3:12, 13:20].mean() > 0.9
    assert not moved[:2].any()
    assert not moved[14:].any()


def test_on_large_maps_pixels_come_from_around_a_place_and_are_of_the_class():
    random = np.random.default_rng(0)
    labels = np.kron(random.integers(0, 3, (40, 40)), np.ones((15, 15), int))
    image = (labels[None] + random.normal(0, 0.1, (2, *labels.shape))).astype(np.float32)
    found = change_fields(labels, image, share=0.01, least_field=20, random=np.random.default_rng(1))
    changed = found.labels != labels
    assert found.fields > 1 and 0.002 < changed.mean() < 0.012
    np.testing.assert_array_equal(labels.ravel()[found.donor[changed]], found.labels[changed])
    assert (found.donor[~changed] == np.arange(labels.size).reshape(labels.shape)[~changed]).all()


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"changed_share": 0.0}, SceneError, "changed_share is 0"),
        ({"changed_share": 0.3, "least_field": 10_000}, SceneError, "none of 0 fields"),
        ({"masks": "both"}, MaskError, "expected 'change'"),
    ],
)
def test_options_out_of_range(scene, options, error, match):
    with pytest.raises(error, match=match):
        made_change(scene, **options)


def test_scenes_that_cannot_be_made_into_two_dates(scene, made):
    with pytest.raises(SceneError, match="has 2 dates"):
        made_change(made_change(scene, masks="change"))
    with pytest.raises(MaskError, match="no mask"):
        made_change(Scene(scene.dataset.drop_vars(["mask", "layer"])))
    with pytest.raises(SceneError, match="no wavelengths"):
        made_change(Scene(scene.dataset.drop_vars("wavelength")))
    assert made_change(Scene(scene.dataset.drop_vars("wavelength")), season=None).n_dates == 2


def test_indian_pines_is_as_hard_as_its_notes_say():
    pytest.importorskip("tensorly")
    scene = indian_pines_change()
    first, second = scene.dataset["image"].values
    mask = scene.dataset["mask"].values[0]
    known = mask >= 0
    assert known.sum() == 10249
    assert (mask == 1).sum() / known.sum() == pytest.approx(0.2, abs=0.01)
    assert 0.92 < auc(np.linalg.norm(second - first, axis=0)[known], mask[known] == 1) < 0.995
    assert 1.5 < angle(first, second)[mask == 0].mean() < 4
    # neither date is grainier than the other, in the mean over bands
    grain = [np.abs(np.diff(image, axis=2)).mean(axis=(1, 2)) for image in (first, second)]
    assert (grain[1] / grain[0]).mean() == pytest.approx(1, abs=0.3)
