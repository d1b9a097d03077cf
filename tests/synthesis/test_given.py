"""Tiles completed from what is given of them."""

from __future__ import annotations

import numpy as np
import pytest
from little_scenes import make_little_change

from specdm.errors import ModelError
from specdm.synthesis.composition import balanced_prior
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet


@pytest.fixture(scope="module")
def given(little_tiles: TileSet) -> TileSet:
    return little_tiles.train.select([0, 5, 9, 14])


def test_render_keeps_the_mask_with_its_gaps_and_draws_another_image(pipeline, given) -> None:
    found = pipeline.sample(given=given, known=["mask"], seed=1)
    assert len(found) == len(given)
    np.testing.assert_array_equal(found.masks(), given.masks())
    assert np.isfinite(found.images()).all()
    assert np.abs(found.images() - given.images()).mean() > 0.1 * given.images().std()


def test_annotate_keeps_the_image_and_draws_a_mask(pipeline, given) -> None:
    found = pipeline.sample(given=given, known=["image"], seed=1)
    np.testing.assert_array_equal(found.images(), given.images())
    assert set(np.unique(found.masks())) <= {-1, *pipeline.classes.values}


def test_dense_annotation_labels_all_ground(pipeline, given) -> None:
    assert (pipeline.sample(given=given, known=["image"], dense=True).masks() >= 0).all()


def test_densify_keeps_labels_and_fills_the_rest(pipeline, given) -> None:
    area = np.ones((len(given), given.size, given.size), bool)
    area[:, :2] = False
    found = pipeline.sample(given=given, area=area, dense=True).masks()
    kept = (given.masks() >= 0) & area[:, None]
    np.testing.assert_array_equal(found[kept], given.masks()[kept])
    assert (found >= 0).all()


def test_without_pasting_known_pixels_come_back_from_the_codec(pipeline, given) -> None:
    """As drawn tiles they would be calibrated and get sensor noise."""
    found = pipeline.sample(given=given, known=["image"], paste=False)
    np.testing.assert_allclose(found.images(), pipeline.reconstruct(given).images(), rtol=1e-4, atol=1e-3)
    area = np.zeros((len(given), given.size, given.size), bool)
    area[:, :, : given.size // 2] = True
    half = pipeline.sample(given=given, area=area, paste=False)
    plain = pipeline.sample(given=given, area=area, paste=False, sensor_noise=False, calibrated=False)
    inside = np.broadcast_to(area[:, None, None], half.images().shape)
    np.testing.assert_array_equal(half.images()[inside], plain.images()[inside])
    assert (half.images()[~inside] != plain.images()[~inside]).mean() > 0.9


def test_known_ground_stays_and_the_rest_does_not_see_what_is_hidden(pipeline, given) -> None:
    area = np.zeros((len(given), given.size, given.size), bool)
    area[:, :, : given.size // 2] = True
    found = pipeline.sample(given=given, area=area, seed=2)
    inside = np.broadcast_to(area[:, None, None], given.images().shape)
    np.testing.assert_array_equal(found.images()[inside], given.images()[inside])
    other = TileSet(given.dataset.copy(deep=True))
    hidden = ~np.broadcast_to(area[:, None, None], other.dataset["image"].shape)
    other.dataset["image"].values[hidden] += 100.0
    again = pipeline.sample(given=other, area=area, seed=2)
    np.testing.assert_array_equal(found.images(), again.images())


def test_holes_in_an_image_are_filled(pipeline, given) -> None:
    holed = TileSet(given.dataset.copy(deep=True))
    holed.dataset["image"].values[:, :, :, 2:6, 3:9] = np.nan
    found = pipeline.sample(given=holed, known=["image"])
    assert np.isfinite(found.images()).all()
    whole = np.isfinite(holed.images())
    np.testing.assert_array_equal(found.images()[whole], holed.images()[whole])


def test_tiles_do_not_hang_on_the_batch_and_go_round(pipeline, given) -> None:
    all_at_once = pipeline.sample(6, given=given, known=["mask"], seed=5)
    np.testing.assert_array_equal(all_at_once.masks()[4:], given.masks()[:2])
    apart = pipeline.sample(2, first=3, given=given, known=["mask"], seed=5, batch_size=1)
    np.testing.assert_allclose(apart.images(), all_at_once.images()[3:5], rtol=1e-3, atol=1e-2)
    assert np.abs(all_at_once.images()[4] - all_at_once.images()[0]).mean() > 0, "another draw for the same mask"


def test_second_date_of_the_first(little_change_run) -> None:
    pipeline = SpecDMPipeline.from_pretrained(little_change_run / "model")
    given = make_little_change().tile(size=16, stride=8, split="none").select(slice(0, 3))
    first = next(s.name for s in pipeline.model.streams if s.kind == "image")
    for known in ([first], [first, "mask"]):
        found = pipeline.sample(given=given, known=known, seed=3)
        np.testing.assert_array_equal(found.images()[:, 0], given.images()[:, 0])
        assert np.isfinite(found.images()[:, 1]).all()
        assert np.abs(found.images()[:, 1] - given.images()[:, 1]).mean() > 0


def test_free_quantities_cannot_be_balanced(pipeline) -> None:
    with pytest.raises(ModelError, match="free quantities only"):
        balanced_prior(pipeline.prior, groups=[])


def test_a_balanced_prior_has_as_much_of_every_class(pipeline) -> None:
    even = balanced_prior(pipeline.prior, groups=pipeline.facts.parts)
    share = 1 / len(pipeline.classes)
    assert (even.mean() > 0.6 * share).all()
    assert abs(even.mean() - share).max() < abs(pipeline.prior.mean() - share).max()


def test_balance_orders_it(pipeline) -> None:
    def least(tiles: TileSet) -> float:
        counts = tiles.label_counts()
        return counts.min() / counts.sum()

    assert least(pipeline.sample(24, seed=1, balance=True)) > least(pipeline.sample(24, seed=1))


def test_composition_is_met(pipeline) -> None:
    off: dict[float, list[float]] = {0.0: [], 1.0: []}
    for position, name in enumerate(pipeline.classes.names):
        for strength, errors in off.items():
            counts = pipeline.sample(8, seed=1, composition={name: 0.7}, composition_strength=strength).label_counts()
            errors.append(abs(counts[position] / counts.sum() - 0.7))
    # without the pull some class may come out right by chance
    assert max(off[1.0]) < 0.25 and sum(off[1.0]) < 0.5 * sum(off[0.0]), off


def test_posterior_reads_every_pixel(pipeline, given) -> None:
    found = pipeline.posterior(given, views=3)
    found.check_fits(given)
    again = pipeline.posterior(given, views=3, batch_size=1)
    np.testing.assert_allclose(found.probabilities, again.probabilities, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"known": ["image", "mask"]}, "everything is known"),
        ({"known": ["images"]}, "no part of the model's tiles is called 'images'"),
        ({}, "say what of it is known"),
        ({"known": []}, "nothing of it is said to be known"),
        ({"known": ["mask"], "area": np.ones((2, 3, 3), bool)}, "area is bool of shape"),
        ({"known": ["mask"], "balance": True, "composition": {"grass": 0.5}}, "give one of them"),
        ({"known": ["image"], "balance": True}, "balance is about new tiles"),
        ({"known": ["mask"], "composition": {"grass": 0.5}}, "no composition can be ordered"),
    ],
)
def test_orders_that_cannot_be_carried_out(pipeline, given, options: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message) as error:
        pipeline.sample(given=given, **options)
    assert "\n" not in str(error.value)


def test_given_without_tiles(pipeline) -> None:
    with pytest.raises(ModelError, match="are about given tiles"):
        pipeline.sample(4, known=["mask"])


def test_tiles_of_other_bands_and_sizes(pipeline, given) -> None:
    with pytest.raises(ModelError, match="5 bands, expected"):
        pipeline.sample(given=TileSet(given.dataset.isel(band=slice(0, 5))), known=["image"])
    with pytest.raises(ModelError, match="tiles of 8 px"):
        pipeline.sample(given=TileSet(given.dataset.isel(y=slice(0, 8), x=slice(0, 8))), known=["image"])
    moved = TileSet(given.dataset.assign_coords(wavelength=given.dataset["wavelength"] + 30.0))
    with pytest.raises(ModelError, match="centred elsewhere"):
        pipeline.sample(given=moved, known=["image"])
