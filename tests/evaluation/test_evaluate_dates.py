"""Several dates: a mask a date is judged with its own date's image, two sensors by their own bands."""

from __future__ import annotations

import numpy as np
import pytest
from made_pairs import COVER, DATES, WAVELENGTH, Codec, real_tiles, scene, twin

from specdm.errors import TileError
from specdm.evaluation import METRICS, evaluate
from specdm.evaluation.change_map import count_contradictions, transition_distance, transitions
from specdm.tiles.tileset import TileSet


@pytest.fixture(scope="module")
def real():
    return real_tiles(layer_a_date=False)


@pytest.fixture(scope="module")
def covers():
    return real_tiles(layer_a_date=True)


def test_change_is_derived_from_the_two_masks(covers, real):
    good = evaluate(twin(real), real=real).metrics
    found = evaluate(twin(covers), real=covers).metrics
    for key in ("auc_real", "share_real", "unchanged_angle_real_deg"):
        assert found[f"change.{key}"] == good[f"change.{key}"]
    assert found["change.contradictions"] == 0
    assert found["change.transition_distance"] < 0.15
    assert {key.partition(" [")[0] for key in found} <= set(METRICS)


def test_planted_contradictions_are_counted(covers):
    class Contradicting(TileSet):
        def change_masks(self, index=slice(None)):
            change = super().change_masks(index).copy()
            change[:, 0, :3] = 1 - change[:, 0, :3]
            return change

    synthetic = Contradicting(twin(covers).dataset)
    # `evaluate` takes the synthetic part of a set
    synthetic._part = lambda split: synthetic
    result = evaluate(synthetic, real=covers)
    assert result.metrics["change.contradictions"] == 3 * len(synthetic)
    assert METRICS["change.contradictions"].verdict(result.metrics["change.contradictions"]) == "miss"


def test_contradictions_and_transitions_by_hand():
    masks = np.array([[[[2, 2, 5, -1]], [[2, 5, -1, 7]]]])
    assert count_contradictions(np.array([[[0, 1, -1, -1]]]), masks) == 0
    assert count_contradictions(np.array([[[1, 0, 0, 1]]]), masks) == 4
    table = transitions(np.array([0, 0, 1, -1, 2]), np.array([0, 1, 1, 0, -1]), n_classes=3)
    assert table.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert transition_distance(table, 5 * table) == 0
    assert transition_distance(table, np.diag([0, 0, 1])) == 1
    assert np.isnan(transition_distance(table, 0 * table))


def test_other_changes_are_another_table(covers):
    calm = evaluate(twin(covers), real=covers).metrics["change.transition_distance"]

    def backwards(images, masks):
        return images[:, ::-1], masks[:, ::-1]

    found = evaluate(twin(covers, backwards), real=covers).metrics
    assert found["change.transition_distance"] > calm + 0.1
    assert found["change.share_synthetic"] == pytest.approx(
        evaluate(twin(covers), real=covers).metrics["change.share_synthetic"]
    )


def test_each_mask_is_judged_with_its_own_date_as_if_they_were_separate_tiles(covers):
    def apart(tiles: TileSet) -> TileSet:
        images, masks = tiles.images(), tiles.masks()
        window = {key: np.tile(tiles.dataset[key].values, 2) for key in ("window_y", "window_x")}
        return TileSet.from_arrays(
            images=np.concatenate([images[:, :1], images[:, 1:]]),
            masks=np.concatenate([masks[:, :1], masks[:, 1:]]),
            classes=COVER,
            wavelength=WAVELENGTH,
            split=np.tile(tiles.split, 2),
            source=[f"{name} {date}" for date in (0, 1) for name in tiles.dataset["source"].values],
            **window,
        )

    class Blur:
        def reconstruct(self, tiles: TileSet) -> TileSet:
            images = tiles.images()
            images = images + 0.5 * (np.roll(images, 1, -1) - images)
            return TileSet(tiles.dataset.assign(image=(tiles.dataset["image"].dims, images)))

    def noisy(images, masks):
        return images + np.random.default_rng(4).normal(0, 400, images.shape), masks

    synthetic = twin(covers, noisy)
    together = evaluate(synthetic, real=covers, model=Blur(), network=None)
    separate = evaluate(apart(synthetic), real=apart(covers), model=Blur(), network=None)
    compared = [
        key
        for key in separate.metrics
        if separate.metrics[key] is not None and not key.startswith(("real.", "synthetic.tiles", "authenticity."))
    ]
    assert len(compared) > 15
    for key in compared:
        assert together.metrics[key] == pytest.approx(separate.metrics[key], rel=1e-4), key
    assert together.metrics["real.training_pixels"] == separate.metrics["real.training_pixels"] / 2
    assert together.metrics["real.labelled_pixels"] == separate.metrics["real.labelled_pixels"]
    for one, other in zip(together.classes, separate.classes, strict=True):
        assert one.agreement == pytest.approx(other.agreement)
        assert one.real_share == pytest.approx(other.real_share)


def test_class_spectra_are_date_after_date(covers):
    result = evaluate(twin(covers), real=covers)
    images, positions = (part[..., :64] for part in scene())
    for position, record in enumerate(result.classes):
        own = [images[date][:, positions[date] == position].mean(axis=1) for date in (0, 1)]
        np.testing.assert_allclose(record.real_mean, np.concatenate(own), rtol=1e-3)


def test_a_class_of_one_date_only_has_no_spectrum_at_the_other(covers):
    def dry(tiles):
        dataset = tiles.dataset.copy(deep=True)
        first = dataset["mask"].values[:, 0]
        first[first == 7] = -1
        return TileSet(dataset)

    result = evaluate(dry(twin(covers)), real=dry(covers))
    water = next(record for record in result.classes if record.name == "water")
    assert water.real_mean[:12] == [None] * 12
    assert None not in water.real_mean[12:]
    assert None not in result.classes[0].real_mean


def test_masks_of_the_other_date_do_not_fit(covers):
    plain = evaluate(twin(covers), real=covers).metrics
    swapped = evaluate(twin(covers, lambda i, m: (i, m[:, ::-1])), real=covers).metrics
    assert swapped["synthetic.lda_ratio"] < plain["synthetic.lda_ratio"] - 0.1


def of_two_sensors(tiles: TileSet) -> TileSet:
    """The first date with the first 7 bands, the second with the last 5."""
    images = tiles.images().copy()
    images[:, 0, 7:] = np.nan
    images[:, 1, :7] = np.nan
    coords = {"date_sensor": ("date", [0, 1]), "band_sensor": ("band", [0] * 7 + [1] * 5)}
    dims = tiles.dataset["image"].dims
    return TileSet(tiles.dataset.assign(image=(dims, images)).assign_coords(coords))


def test_two_sensors_with_one_mask_are_one_long_spectrum_of_own_bands(real):
    result = evaluate(of_two_sensors(twin(real)), real=of_two_sensors(real), model=Codec())
    assert len(result.classes[0].real_mean) == 12
    assert None not in result.classes[0].real_mean
    assert result.metrics["synthetic.lda_ratio"] == pytest.approx(1.0, abs=0.05)
    assert 0 < result.metrics["codec.spectral_angle_deg"] < 10
    assert result.metrics["change.share_factor"] >= 1
    assert "change.auc_ratio" not in result.metrics
    assert any("different sensors" in note for note in result.notes)


def test_two_sensors_with_a_mask_each_are_judged_one_after_the_other(covers):
    result = evaluate(of_two_sensors(twin(covers)), real=of_two_sensors(covers))
    later = f"synthetic.lda_ratio [{DATES[1]}]"
    assert result.metrics["synthetic.lda_ratio"] > 0.9
    assert result.metrics[later] > 0.9
    assert len(result.classes[0].real_mean) == 12
    assert None not in result.classes[0].real_mean
    assert result.metrics["change.contradictions"] == 0
    assert not any(key.startswith("change.") and "[" in key for key in result.metrics)
    assert any(DATES[0] in note and "different sensors" in note for note in result.notes)


def test_other_masks_or_sensors_are_refused(real, covers):
    about_change = TileSet(covers.dataset.isel(layer=[0]).assign_coords(layer=["change"]))
    with pytest.raises(TileError, match="mask layers"):
        evaluate(twin(covers), real=about_change)
    with pytest.raises(TileError, match="7 bands for date"):
        evaluate(of_two_sensors(twin(real)), real=real)
