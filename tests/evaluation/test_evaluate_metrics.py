"""Each number moves the right way when what it measures is spoilt, and only then."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from specdm.errors import TileError
from specdm.evaluation import METRICS, evaluate
from specdm.evaluation.spectra import spectral_angle_deg
from specdm.scenes.classes import Classes
from specdm.tiles.tileset import TileSet

WAVELENGTH = np.linspace(450.0, 1000.0, 12)


@pytest.fixture(scope="module")
def good(real, twin):
    return evaluate(twin(), real=real).metrics


def blur(images, masks):
    return uniform_filter(images, (0, 0, 0, 3, 3), mode="nearest"), masks


def test_twins_of_real_tiles_are_as_good_as_real(good):
    assert good["synthetic.lda_ceiling"] > 0.9
    assert good["synthetic.lda_ratio"] == pytest.approx(1.0, abs=0.02)
    for lag in (1, 4, 8):
        assert good[f"synthetic.texture_ratio_lag{lag}"] == pytest.approx(1.0, abs=0.05)
    assert good["synthetic.band_std_ratio"] == pytest.approx(1.0, abs=0.02)
    assert good["synthetic.class_mean_angle_deg_worst"] < 0.05
    assert good["synthetic.classes_missing"] == 0
    assert good["synthetic.labelled_share"] == 1.0
    assert good["synthetic.frechet_spectral"] < good["real.frechet_spectral_floor"]


def test_overlap_does_not_count_ground_twice(good, real):
    assert good["real.training_pixels"] == 48 * 64
    assert good["real.labelled_pixels"] == 48 * 64
    assert good["real.training_tiles"] == len(real.train)
    assert good["real.heldout_tiles"] == 3
    # these twins show the middle of the scene more often than the ground has it
    assert good["synthetic.class_frequency_worst_factor"] > 1.0


def test_masks_of_other_tiles_lower_the_agreement_alone(real, twin, good):
    swapped = evaluate(twin(lambda i, m: (i, np.roll(m, 7, axis=0))), real=real).metrics
    assert swapped["synthetic.lda_ratio"] < good["synthetic.lda_ratio"] - 0.2
    assert swapped["synthetic.class_mean_angle_deg_worst"] > good["synthetic.class_mean_angle_deg_worst"] + 3
    assert swapped["synthetic.texture_ratio_lag1"] == good["synthetic.texture_ratio_lag1"]
    assert swapped["synthetic.class_frequency_worst_factor"] == good["synthetic.class_frequency_worst_factor"]


def test_a_shift_of_the_masks_by_two_pixels_is_found(real, twin, good):
    shifted = evaluate(twin(lambda i, m: (i, np.roll(m, 2, axis=-1))), real=real).metrics
    assert shifted["synthetic.lda_ratio"] < good["synthetic.lda_ratio"] - 0.05


def test_blur_lowers_texture_most_between_neighbours(real, twin, good):
    smooth = evaluate(twin(blur), real=real).metrics
    assert smooth["synthetic.texture_ratio_lag1"] < 0.7
    assert smooth["synthetic.texture_ratio_lag1"] < smooth["synthetic.texture_ratio_lag4"] < 1.0
    assert smooth["synthetic.band_std_ratio"] < good["synthetic.band_std_ratio"] - 0.02


def test_noise_raises_texture_and_spread(real, twin):
    random = np.random.default_rng(3)

    def roughen(images, masks):
        return images + random.normal(0, 600, images.shape), masks

    rough = evaluate(twin(roughen), real=real).metrics
    assert rough["synthetic.texture_ratio_lag1"] > 1.4
    assert rough["synthetic.band_std_ratio"] > 1.02


def test_too_little_contrast_lowers_the_spread_and_moves_the_cloud(real, twin, good):
    def flatten(images, masks):
        mean = images.mean(axis=(0, 3, 4), keepdims=True)
        return mean + 0.5 * (images - mean), masks

    flat = evaluate(twin(flatten), real=real).metrics
    assert flat["synthetic.band_std_ratio"] == pytest.approx(0.5, abs=0.02)
    assert flat["synthetic.frechet_spectral"] > good["synthetic.frechet_spectral"] + 1


def test_a_dropped_class_is_reported_missing_by_name(real, twin):
    result = evaluate(twin(lambda i, m: (i, np.where(m == 9, -1, m))), real=real)
    assert result.metrics["synthetic.classes_missing"] == 1
    assert result.metrics["synthetic.class_frequency_worst_factor"] > 100
    assert result.metrics["synthetic.labelled_share"] < 1
    assert any("roof" in note for note in result.notes)
    roof = next(record for record in result.classes if record.name == "roof")
    assert roof.synthetic_share == 0
    assert roof.synthetic_mean is None
    assert roof.mean_angle_deg is None
    assert roof.real_mean is not None


def test_wrong_frequencies_are_measured_as_a_factor(real, twin):
    def half_the_water(images, masks):
        water = np.flatnonzero(masks == 7)
        masks.reshape(-1)[water[::2]] = -1
        return images, masks

    assert (
        1.5
        < evaluate(twin(half_the_water), real=real).metrics["synthetic.class_frequency_worst_factor"]
        < 2.1
    )


def test_a_brighter_class_keeps_its_angle_a_bent_one_does_not(real, twin, good):
    def brighter(images, masks):
        return np.where(masks[:, :, None] == 2, images * 1.3, images), masks

    def bent(images, masks):
        tilt = np.linspace(0.7, 1.3, 12)[:, None, None]
        return np.where(masks[:, :, None] == 2, images * tilt, images), masks

    key = "synthetic.class_mean_angle_deg_worst"
    assert evaluate(twin(brighter), real=real).metrics[key] == pytest.approx(good[key], abs=0.05)
    assert evaluate(twin(bent), real=real).metrics[key] > 3


def test_class_spectra_and_agreement_are_of_the_right_class(real, twin):
    result = evaluate(twin(lambda i, m: (np.where(m[:, :, None] == 5, i + 100, i), m)), real=real)
    assert [record.value for record in result.classes] == [2, 5, 7, 9]
    for record, plain in zip(result.classes, evaluate(twin(), real=real).classes, strict=True):
        rise = np.array(record.synthetic_mean) - np.array(plain.synthetic_mean)
        # the twins weigh the fields by their overlap, and fields differ in brightness: the shape is the same
        assert spectral_angle_deg(np.array(record.real_mean), np.array(plain.synthetic_mean)) < 0.5
        np.testing.assert_allclose(rise, 100.0 if record.value == 5 else 0.0, atol=0.5)
        assert min(record.real_std) > 0
    assert sum(record.real_share for record in result.classes) == pytest.approx(1)
    assert result.classes[0].agreement > 0.9


def test_a_faithful_codec_loses_nothing(real, twin, codec):
    m = evaluate(twin(), real=real, model=codec(lambda i, k: (i, k))).metrics
    assert m["codec.spectral_angle_deg"] == pytest.approx(0, abs=0.01)
    assert m["codec.mask_accuracy"] == 1
    assert m["codec.lda_ratio"] == 1
    assert m["codec.lda_accuracy_original"] > 0.9
    assert m["codec.texture_ratio_lag1"] == 1
    assert m["synthetic.lda_ratio"] == pytest.approx(1.0, abs=0.02)


def test_what_a_codec_loses_is_seen_and_not_held_against_synthetic_tiles(real, twin, codec):
    random = np.random.default_rng(5)

    def lossy(images, masks):
        images = uniform_filter(images, (0, 0, 0, 7, 7), mode="nearest")
        wrong = random.random(masks.shape) < 0.1
        return images + random.normal(0, 60, images.shape), np.where(wrong, 2, masks)

    m = evaluate(twin(lossy), real=real, model=codec(lossy)).metrics
    assert m["codec.spectral_angle_deg"] > 1
    assert 0.88 < m["codec.mask_accuracy"] < 0.97
    assert m["codec.lda_ratio"] < 1
    assert m["codec.lda_accuracy_reconstructed"] < m["codec.lda_accuracy_original"]
    assert m["codec.texture_ratio_lag1"] < 0.9
    # synthetic tiles as smooth as the codec leaves real ones are not too smooth
    assert m["synthetic.texture_ratio_lag1"] == pytest.approx(1.0, abs=0.1)


def test_nodata_pixels_change_nothing(real, twin, good):
    def holes(images, masks):
        images[:, :, :, 3:5, 3:5] = np.nan
        images[0, 0, 4, 8, 8] = np.nan
        return images, masks

    with_holes = TileSet(real.dataset.copy(deep=True))
    with_holes.dataset["image"].values[:, :, :, 9:11, 2:4] = np.nan
    found = evaluate(twin(holes), real=with_holes).metrics
    for key in ("synthetic.lda_ratio", "synthetic.texture_ratio_lag1", "synthetic.band_std_ratio"):
        assert found[key] == pytest.approx(good[key], abs=0.06)
    assert np.isfinite(found["synthetic.frechet_spectral"])


def test_the_same_seed_gives_the_same_numbers(real, twin, good):
    assert evaluate(twin(), real=real, seed=0).metrics == good


def test_without_held_out_tiles_notes_say_why(real, twin, codec):
    result = evaluate(twin(), real=real.train, model=codec(lambda i, k: (i, k)))
    assert result.metrics["codec.lda_ratio"] is None
    assert result.metrics["real.frechet_spectral_floor"] is None
    assert any("codec.lda_ratio" in note and "validation or test" in note for note in result.notes)
    assert result.metrics["synthetic.lda_ratio"] > 0.9


def test_validation_tiles_stand_in_for_test_tiles(real, twin, codec):
    without_test = real.select(np.flatnonzero(real.split != "test"))
    result = evaluate(twin(), real=without_test, model=codec(lambda i, k: (i, k)))
    assert result.metrics["codec.lda_ratio"] == 1
    assert result.settings["codec.lda on split"] == "val"


def test_one_class_leaves_the_classifier_out_and_says_so(real, twin):
    one = TileSet(real.dataset.copy(deep=True))
    one.dataset["mask"].values[one.dataset["mask"].values != 2] = -1
    result = evaluate(twin(lambda i, m: (i, np.where(m == 2, m, -1))), real=one)
    assert result.metrics["synthetic.lda_ratio"] is None
    assert any("fewer than two classes" in note for note in result.notes)
    assert result.metrics["synthetic.texture_ratio_lag1"] is not None
    assert result.metrics["synthetic.class_frequency_worst_factor"] == 1


def test_spectra_that_are_all_the_same_leave_the_classifier_out_and_say_so(real, twin):
    flat = TileSet(real.dataset.copy(deep=True))
    flat.dataset["image"].values[:] = 300.0
    result = evaluate(twin(), real=flat)
    assert result.metrics["synthetic.lda_ratio"] is None
    assert any("all their spectra are the same" in note for note in result.notes)
    assert result.metrics["synthetic.class_frequency_worst_factor"] is not None


def test_nothing_labelled_still_judges_the_images(real, twin):
    bare = TileSet(real.dataset.copy(deep=True))
    bare.dataset["mask"].values[:] = -1
    metrics = evaluate(twin(lambda i, m: (i, np.full_like(m, -1))), real=bare).metrics
    assert metrics["synthetic.class_frequency_worst_factor"] is None
    assert metrics["synthetic.classes_missing"] is None
    assert metrics["synthetic.band_std_ratio"] > 0.9


@pytest.mark.parametrize("n_bands", [1, 2])
def test_few_bands(real, twin, n_bands):
    few = TileSet(real.dataset.isel(band=slice(n_bands)))
    synthetic = TileSet(twin().dataset.isel(band=slice(n_bands)))
    metrics = evaluate(synthetic, real=few).metrics
    assert metrics["synthetic.texture_ratio_lag1"] == pytest.approx(1.0, abs=0.1)
    assert metrics["synthetic.frechet_spectral"] is not None


def test_several_dates_are_judged_together(real, twin):
    def later(images):
        return np.concatenate([images, images * 0.5 + 10], axis=1)

    def two_dates(tiles):
        return TileSet.from_arrays(
            images=later(tiles.images()), masks=tiles.masks(), classes=tiles.classes, split=tiles.split,
            source="fields", wavelength=WAVELENGTH, window_y=tiles.dataset["window_y"].values,
            window_x=tiles.dataset["window_x"].values,
        )  # fmt: skip

    result = evaluate(two_dates(twin()), real=two_dates(real))
    assert len(result.classes[0].real_mean) == 24
    assert result.metrics["synthetic.lda_ratio"] == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"wavelength": WAVELENGTH + 30}, "480 to 1030 nm"),
        ({"wavelength": None}, "unknown"),
        ({"classes": Classes.create([2, 5, 7, 9], ["grass", "soil", "water", "roof"])}, "soil"),
    ],
)
def test_tiles_of_another_sensor_or_other_classes_are_refused(real, twin, options, word):
    with pytest.raises(TileError, match=word):
        evaluate(twin(**options), real=real)


def test_tiles_of_other_bands_are_refused(real, twin):
    with pytest.raises(TileError, match="11 bands"):
        evaluate(TileSet(twin().dataset.isel(band=slice(11))), real=real)


def test_sets_without_the_tiles_asked_for_are_refused(real, twin):
    with pytest.raises(TileError, match="no tiles to judge"):
        evaluate(twin().select(slice(0)), real=real)
    with pytest.raises(TileError, match="no training tiles"):
        evaluate(twin(), real=real.test)


def test_every_number_is_explained(real, twin, codec):
    metrics = evaluate(twin(), real=real, model=codec(lambda i, k: (i, k))).metrics
    assert set(metrics) <= set(METRICS)
    assert all(METRICS[key].sentence for key in metrics)
