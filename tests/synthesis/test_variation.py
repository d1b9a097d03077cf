"""Given images varied: drawn from some noise on them, so that their masks still hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from little_scenes import make_little_change

from specdm.errors import ModelError
from specdm.models.known_latents import Start
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet

PLAIN = {"known": ["mask"], "sensor_noise": False, "seed": 3}


@pytest.fixture(scope="module")
def given(little_tiles: TileSet) -> TileSet:
    return little_tiles.train.select([0, 5, 9, 14])


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def test_the_less_noise_the_more_alike(pipeline, given) -> None:
    decoded = pipeline.reconstruct(given).images()
    found = [pipeline.sample(given=given, variation=level, **PLAIN) for level in (0.02, 0.3, 1.0)]
    for tiles in found:
        np.testing.assert_array_equal(tiles.masks(), given.masks())
    alike = [likeness(tiles.images(), decoded) for tiles in found]
    assert alike[0] > 0.99 and alike[0] > alike[1] > alike[2]
    # each is another one of the same image
    again = pipeline.sample(given=given, variation=0.3, **(PLAIN | {"seed": 4}))
    assert np.abs(again.images() - found[1].images()).mean() > 0.01 * given.images().std()


def test_from_noise_alone_it_is_a_new_image(pipeline, given) -> None:
    varied = pipeline.sample(given=given, variation=1.0, **PLAIN)
    new = pipeline.sample(given=given, calibrated=False, **PLAIN)
    np.testing.assert_allclose(varied.images(), new.images(), rtol=1e-5, atol=1e-5)


def test_varied_images_are_not_calibrated(pipeline, given) -> None:
    assert pipeline.calibration is not None
    both = [pipeline.sample(given=given, variation=0.3, calibrated=on, **PLAIN).images() for on in (True, False)]
    np.testing.assert_array_equal(*both)


def test_tiles_do_not_hang_on_the_batch_and_go_round(pipeline, given) -> None:
    whole = pipeline.sample(6, given=given, variation=0.4, **PLAIN)
    apart = pipeline.sample(2, first=3, given=given, variation=0.4, batch_size=1, **PLAIN)
    np.testing.assert_allclose(apart.images(), whole.images()[3:5], rtol=1e-3, atol=1e-2)
    np.testing.assert_array_equal(whole.masks()[4:], given.masks()[:2])
    assert np.abs(whole.images()[4] - whole.images()[0]).mean() > 0


def test_no_data_stays_no_data_and_spoils_nothing(pipeline, given) -> None:
    holed = TileSet(given.dataset.copy(deep=True))
    holed.dataset["image"].values[:, :, :, 2:6, 3:9] = np.nan
    found = pipeline.sample(given=holed, variation=0.3, **PLAIN).images()
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holed.images()))


def test_dates_are_varied_together_or_one_alone(little_change_run) -> None:
    pipeline = SpecDMPipeline.from_pretrained(little_change_run / "model")
    given = make_little_change().tile(size=16, stride=8, split="none").select(slice(0, 3))
    first = next(s.name for s in pipeline.model.streams if s.kind == "image")
    both = pipeline.sample(given=given, known=["mask"], variation=0.3).images()
    assert (np.abs(both - given.images()).mean(axis=(0, 2, 3, 4)) > 0).all()
    second = pipeline.sample(given=given, known=[first, "mask"], variation=0.3).images()
    np.testing.assert_array_equal(second[:, 0], given.images()[:, 0])
    assert np.abs(second[:, 1] - given.images()[:, 1]).mean() > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"known": ["mask"], "variation": 0.0}, "variation is 0.0, expected above 0"),
        ({"known": ["mask"], "variation": 1.5}, "variation is 1.5, expected above 0"),
        ({"known": ["mask"], "variation": float("nan")}, "variation is nan"),
        ({"known": ["image"], "variation": 0.5}, "only images whose masks are known can be varied"),
        ({"area": np.zeros((4, 16, 16), bool), "variation": 0.5}, "only images whose masks are known"),
        ({"known": ["mask"], "variation": 0.5, "evaluations": 4}, "distilled model draws from noise alone"),
        ({"known": ["image", "mask"], "variation": 0.5}, "everything is known"),
    ],
)
def test_variations_that_cannot_be_drawn(pipeline, given, options: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        pipeline.sample(given=given, **options)


def test_images_must_be_such_as_the_models(pipeline, given) -> None:
    with pytest.raises(ModelError, match="are about given tiles"):
        pipeline.sample(2, variation=0.5)
    fewer = TileSet(given.dataset.isel(band=slice(0, 5)))
    with pytest.raises(ModelError, match="5 bands, expected"):
        pipeline.sample(given=fewer, known=["mask"], variation=0.5)
    # which do not matter where images are drawn from noise alone
    assert len(pipeline.sample(given=fewer, known=["mask"], steps=1)) == len(given)


def test_a_start_is_partly_noise_and_so_are_its_levels() -> None:
    start = Start(torch.full((1, 2, 3, 3), 2.0), 0.25)
    torch.testing.assert_close(start.noisy(torch.full((1, 2, 3, 3), 4.0)), torch.full((1, 2, 3, 3), 2.5))
    assert start.grid([1.0, 0.6, 0.25, 0.1, 0.0]) == [0.25, 0.1, 0.0]
