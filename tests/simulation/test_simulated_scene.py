"""A simulated scene is what it says it is: linear mixtures, known noise, borders within pixels, any bands."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from specdm.errors import SceneError
from specdm.simulation import SensorNoise, Simulated, simulate_scene
from specdm.simulation.bands import Bands
from specdm.simulation.library import GRID, load_library

if importlib.util.find_spec("earthlib") is None or importlib.util.find_spec("xleaf") is None:
    pytest.skip('needs pip install "specdm[simulate]"', allow_module_level=True)


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    return simulate_scene(size=(40, 48), seed=3)


def unmixed(spectra: np.ndarray, endmembers: np.ndarray) -> np.ndarray:
    """Fully constrained linear unmixing: not negative, with a heavy row that makes the sum one."""
    from scipy.optimize import nnls

    system = np.vstack([endmembers.T, np.ones(len(endmembers))])
    return np.stack([nnls(system, np.append(spectrum, 1.0))[0] for spectrum in spectra])


def some_pixels(simulated: Simulated, count: int = 150) -> tuple[np.ndarray, np.ndarray]:
    """Noise-free spectra `(pixel, band)` and abundances `(pixel, k)` of some pixels."""
    k, bands = simulated.endmembers.shape
    step = max(1, simulated.noise_free[0].size // count)
    return simulated.noise_free.reshape(bands, -1).T[::step], simulated.abundances.reshape(k, -1).T[::step]


def test_unmixing_the_noise_free_image_returns_the_abundances(simulated: Simulated) -> None:
    spectra, truth = some_pixels(simulated)
    assert np.abs(unmixed(spectra, simulated.endmembers) - truth).max() < 1e-4


def test_unmixing_holds_for_the_few_bands_of_sentinel2() -> None:
    simulated = simulate_scene(size=(16, 16), sensor="sentinel2", seed=1, classes=("cereal", "bare soil", "water"))
    spectra, truth = some_pixels(simulated)
    assert np.abs(unmixed(spectra, simulated.endmembers) - truth).max() < 1e-4


def test_abundances_are_parts_of_a_pixel(simulated: Simulated) -> None:
    assert simulated.abundances.min() >= 0
    np.testing.assert_allclose(simulated.abundances.sum(axis=0), 1.0, atol=1e-12)
    assert len(simulated.endmember_names) == len(simulated.endmembers) == len(simulated.abundances)
    assert simulated.endmembers.min() > 0 and simulated.endmembers.max() < 1


def test_scene_holds_mask_and_amounts(simulated: Simulated) -> None:
    scene, amounts = simulated.scene, simulated.abundances_scene
    assert scene.dataset.attrs["note"] == "simulated, known truth"
    assert scene.classes is not None and len(scene.classes) == 9
    winners = scene.classes.index_of(scene.dataset["mask"].values[0])
    np.testing.assert_array_equal(winners, simulated.class_shares.argmax(axis=0))
    assert amounts.quantities is not None and amounts.quantities.sum_to_one
    assert amounts.quantities.names == simulated.endmember_names
    np.testing.assert_allclose(amounts.dataset["amount"].values, simulated.abundances, atol=1e-6)
    assert (scene.task, amounts.task) == ("segmentation", "regression")
    assert scene.units == "reflectance" and scene.dataset["image"].dtype == np.float32


def test_borders_are_mixed_within_pixels(simulated: Simulated) -> None:
    largest = simulated.class_shares.max(axis=0)
    mixed = largest < 0.95
    assert 0.05 < mixed.mean() < 0.6
    # mixed pixels lie on borders: of two neighbours of different class at least one is nearly always mixed
    mask = simulated.scene.dataset["mask"].values[0]
    border = mask[:, 1:] != mask[:, :-1]
    assert (mixed[:, 1:] | mixed[:, :-1])[border].mean() > 0.7
    # and one of them is what its parts say: water's amount is water's area, in what light there is
    water = simulated.endmember_names.index("water")
    area = simulated.class_shares[list(simulated.scene.classes.names).index("water")]
    np.testing.assert_allclose(simulated.abundances[water], area * simulated.light, atol=1e-5)
    assert ((area > 0.1) & (area < 0.9)).any()


def test_mixed_pixels_can_be_left_unlabelled() -> None:
    simulated = simulate_scene(size=(24, 24), wavelengths=[450, 550, 650, 850], fwhm=20, label_above=0.8)
    unlabelled = simulated.scene.dataset["mask"].values[0] == -1
    np.testing.assert_array_equal(unlabelled, simulated.class_shares.max(axis=0) < 0.8)
    assert 0 < unlabelled.mean() < 0.9


def test_noise_has_the_covariance_given() -> None:
    wavelength = np.array([450.0, 550, 650, 850, 1650])
    root = np.random.default_rng(5).normal(0, 0.004, (5, 5))
    covariance = root @ root.T
    simulated = simulate_scene(size=(96, 96), wavelengths=wavelength, fwhm=20, noise=covariance, subpixels=1)
    noise = simulated.scene.dataset["image"].values[0] - simulated.noise_free
    sample = np.cov(noise.reshape(5, -1))
    np.testing.assert_array_equal(simulated.noise_covariance, covariance)
    assert np.linalg.norm(sample - covariance) < 0.05 * np.linalg.norm(covariance)
    neighbours = (noise[:, :, 1:] * noise[:, :, :-1]).mean(axis=(1, 2)) / noise.var(axis=(1, 2))
    assert np.abs(neighbours).max() < 0.06  # independent from pixel to pixel


def test_noise_in_words() -> None:
    spec = SensorNoise(snr=50, correlation=100)
    simulated = simulate_scene(size=(64, 64), wavelengths=[650, 700, 850], fwhm=20, noise=spec, subpixels=1)
    noise = (simulated.scene.dataset["image"].values[0] - simulated.noise_free).reshape(3, -1)
    np.testing.assert_allclose(noise.std(axis=1), simulated.noise_free.mean(axis=(1, 2)) / 50, rtol=0.06)
    related = np.corrcoef(noise)
    assert related[0, 1] == pytest.approx(np.exp(-0.5), abs=0.05)
    assert related[0, 2] == pytest.approx(np.exp(-2), abs=0.06)


def test_without_noise_the_image_is_the_truth() -> None:
    simulated = simulate_scene(size=(16, 16), wavelengths=[450, 650, 850], fwhm=20, noise=None)
    np.testing.assert_allclose(simulated.scene.dataset["image"].values[0], simulated.noise_free, atol=1e-6)


@pytest.mark.parametrize("snr", [50, np.int64(50), np.float32(50)])
def test_a_signal_to_noise_ratio_is_any_number(snr: object) -> None:
    found, worded = (
        simulate_scene(size=(16, 16), wavelengths=[450, 650, 850], fwhm=20, noise=noise)
        for noise in (snr, SensorNoise(snr=50.0))
    )
    np.testing.assert_array_equal(found.scene.dataset["image"].values, worded.scene.dataset["image"].values)


def test_same_seed_same_scene() -> None:
    options = {"size": (20, 24), "wavelengths": [450, 650, 850, 1650], "fwhm": 20.0}
    first, again, other = (simulate_scene(seed=seed, **options) for seed in (4, 4, 5))
    assert first.scene.dataset.equals(again.scene.dataset)
    np.testing.assert_array_equal(first.abundances, again.abundances)
    assert not np.array_equal(first.scene.dataset["mask"].values, other.scene.dataset["mask"].values)
    assert not np.allclose(first.endmembers, other.endmembers)


def test_sentinel2_has_its_bands() -> None:
    simulated = simulate_scene(size=(32, 32), sensor="Sentinel-2", seed=2)
    scene = simulated.scene
    assert scene.band_name[:4] == ("B01", "B02", "B03", "B04") and scene.n_bands == 13
    assert scene.fwhm is not None and scene.fwhm[7] == 115
    assert any("1375 nm" in line for line in scene.problems)  # the cirrus band, where nothing was measured
    names = list(simulated.endmember_names)
    red, infrared = scene.band_name.index("B04"), scene.band_name.index("B08")
    grass, water = (simulated.endmembers[names.index(name)] for name in ("grass", "water"))
    assert grass[infrared] > 4 * grass[red] and water[infrared] < 0.03


def test_bands_are_means_weighted_by_a_gaussian() -> None:
    bands = Bands.create(wavelengths=[600, 900], fwhm=[50, 10])
    assert bands.see(np.ones(len(GRID))) == pytest.approx([1, 1])
    assert bands.see(GRID) == pytest.approx([600, 900], abs=0.01)
    line = np.zeros(len(GRID))
    line[int(625 - GRID[0])] = 1.0  # half a width away: half of what the centre would give
    centre = np.zeros(len(GRID))
    centre[int(600 - GRID[0])] = 1.0
    assert bands.see(line)[0] / bands.see(centre)[0] == pytest.approx(0.5, abs=1e-3)


def test_enmap_has_224_bands() -> None:
    assert len(Bands.create(sensor="enmap")) == 224


def test_library_is_in_order() -> None:
    """Kinds and spectra belong together: soils brighten towards the infrared, asphalt is dark throughout."""
    library = load_library()
    asphalt = library.of_kinds([("built", "asphalt")])
    assert asphalt.sum() > 5 and library.reflectance[asphalt].max() < 0.35
    soils = library.of_kinds([("bare", "soil")])
    assert soils.sum() > 1000 and (library.at(1650)[soils] > library.at(480)[soils]).mean() > 0.99


def test_season_greens_and_ripens_the_cereal() -> None:
    options = {"size": (24, 24), "wavelengths": [650, 850], "fwhm": 20.0, "classes": ("cereal", "water")}

    def dry_share(date: str) -> float:
        seen = simulate_scene(date=date, **options)
        return float(seen.abundances[seen.endmember_names.index("dry plants")].mean())

    assert dry_share("2024-07-25") > 3 * dry_share("2024-05-20")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"classes": ("cereal", "lava")}, "'lava' is not known"),
        ({"classes": ("water", "roads")}, "no open land"),
        ({"wavelengths": [300, 600]}, "300 nm is outside"),
        ({"wavelengths": [500, 600], "fwhm": [10, 10, 10]}, "3 band widths for 2"),
        ({"sensor": "landsat"}, "expected aviris, enmap, sentinel2"),
        ({"date": "June"}, "give it as in 2024-06-10"),
        ({"noise": np.eye(3)}, "3 x 3; expected 2 x 2"),
        ({"noise": np.array([[1.0, 2.0], [2.0, 1.0]])}, "is no covariance"),
        ({"size": (2, 2)}, "too small"),
        ({"haze": 2.0}, "haze=2.0 is out of range"),
    ],
)
def test_bad_arguments_give_one_clear_line(options: dict, words: str) -> None:
    if "wavelengths" not in options and "sensor" not in options:
        options = options | {"wavelengths": [500, 850]}
    with pytest.raises(SceneError, match=words) as error:
        simulate_scene(**({"size": (12, 12)} | options))
    assert "\n" not in str(error.value)
