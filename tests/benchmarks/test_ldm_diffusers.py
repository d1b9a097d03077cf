"""The stock model of benchmarks/fidelity.py: what goes in comes out in the same layout."""

from __future__ import annotations

import ldm_diffusers
import numpy as np
import pytest
import torch
from tile_equality import assert_same_images

from specdm.scenes.classes import Classes
from specdm.scenes.quantities import Quantities
from specdm.tiles.tileset import TileSet

SIZE = 16


@pytest.fixture(autouse=True)
def little(monkeypatch) -> None:
    monkeypatch.setattr(ldm_diffusers, "WIDTHS", (32, 64))
    monkeypatch.setattr(ldm_diffusers, "SOLVER_STEPS", 3)


def classes_of_two_dates() -> TileSet:
    random = np.random.default_rng(0)
    images = random.normal(3000, 500, (6, 2, 5, SIZE, SIZE)).astype(np.float32)
    images[0, 0, :, 2:4] = np.nan
    masks = random.choice(np.array([-1, 2, 7], np.int16), (6, 2, SIZE, SIZE))
    return TileSet.from_arrays(
        images=images,
        masks=masks,
        classes=Classes.create([2, 7], ["grass", "water"]),
        wavelength=np.linspace(450, 900, 5),
        dates=["2000", "2003"],
        layers=["2000", "2003"],
        split="train",
        source="made",
        image_units="DN",
    )


def abundances() -> TileSet:
    random = np.random.default_rng(1)
    amounts = random.dirichlet(np.ones(3), (6, SIZE, SIZE)).astype(np.float32).transpose(0, 3, 1, 2)
    amounts[1, :, 0] = np.nan
    return TileSet.from_arrays(
        images=random.random((6, 1, 4, SIZE, SIZE)).astype(np.float32),
        amounts=amounts,
        quantities=Quantities.create(["tree", "soil", "water"], sum_to_one=True),
        split="train",
        source="made",
    )


def test_channels_come_back_as_the_same_tiles() -> None:
    for tiles in (classes_of_two_dates(), abundances()):
        pixels = ldm_diffusers.load_part(tiles, seed=0)
        channels = ldm_diffusers.Channels.fitted(tiles, pixels)
        values = channels.of(pixels)
        assert torch.isfinite(values).all()
        back = channels.tile_set(values, seed=3, first=5)
        known = np.isfinite(tiles.images())
        np.testing.assert_allclose(back.images()[known], tiles.images()[known], rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(back.masks(), tiles.masks())
        given = np.isfinite(tiles.amounts())
        np.testing.assert_allclose(back.amounts()[given], tiles.amounts()[given], atol=1e-5)
        assert set(back.split) == {"synthetic"} and list(back.dataset["index"].values) == list(range(5, 11))


@pytest.mark.parametrize("factor", [1, 2])
def test_trains_and_samples_tiles_like_the_real_ones(factor: int) -> None:
    tiles = classes_of_two_dates()
    drawn, facts = ldm_diffusers.train_and_sample(
        tiles, n=3, minutes=0.01, seed=4, device="cpu", factor=factor, latent_channels=4
    )
    assert drawn.images().shape == (3, 2, 5, SIZE, SIZE) and np.isfinite(drawn.images()).all()
    assert drawn.classes == tiles.classes and drawn.dates == tiles.dates and drawn.layers == tiles.layers
    np.testing.assert_array_equal(drawn.wavelength, tiles.wavelength)
    assert drawn.image_units == "DN" and set(drawn.dataset["seed"].values) == {4}
    assert facts["steps"]["autoencoder"] >= 1 and facts["steps"]["denoiser"] >= 1


def test_abundances_sum_to_one_and_tile_i_depends_on_seed_and_i_only() -> None:
    trained = ldm_diffusers.train(abundances(), minutes=0.01, seed=0, device="cpu", latent_channels=4)
    drawn = trained.sample(3, seed=7)
    np.testing.assert_allclose(drawn.amounts().sum(axis=1), 1, atol=1e-5)
    assert drawn.amounts().min() >= 0
    alone = trained.sample(1, seed=7, first=2)
    assert_same_images(alone.images()[0], drawn.images()[2])
    assert np.abs(drawn.images()[1] - drawn.images()[2]).max() > 1e-3
    assert np.abs(trained.sample(1, seed=8, first=2).images() - alone.images()).max() > 1e-3
