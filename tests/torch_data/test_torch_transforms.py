"""Transforms: statistics of pixels with data, the same turn for all maps of an item."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import default_collate
from torch_tiles import BANDS, numbered_tiles

from specdm.errors import ConfigError, TileError
from specdm.torch import FillNoData, RandomOrientation, Standardize, TileDataset
from specdm.training.orientations import ORIENTATIONS, orient


def known_values(tiles, date: int) -> np.ndarray:
    """(band, pixels with data) of all tiles."""
    values = np.moveaxis(tiles.images()[:, date].astype(np.float64), 1, 0).reshape(tiles.n_bands, -1)
    return values[:, np.isfinite(values).all(axis=0)]


def test_fit_of_one_date():
    tiles = numbered_tiles(40)
    standard = Standardize.fit(TileDataset(tiles, transform=FillNoData(-1e6)))
    values = known_values(tiles, 0)
    np.testing.assert_allclose(standard.mean, values.mean(axis=1), rtol=1e-6)
    np.testing.assert_allclose(standard.std, values.std(axis=1), rtol=1e-5)


def test_fit_of_two_dates_and_application():
    tiles = numbered_tiles(10, dates=2)
    dataset = TileDataset(tiles)
    standard = Standardize.fit(dataset)
    assert standard.mean.shape == (2, BANDS)
    images = torch.stack([standard(item)["image"] for item in dataset])
    flat = images.permute(1, 2, 0, 3, 4).flatten(2)
    assert flat.isnan().sum() == 10 * 2 * BANDS
    torch.testing.assert_close(flat.nanmean(dim=-1), torch.zeros(2, BANDS), atol=1e-3, rtol=0)
    squares = (flat**2).nanmean(dim=-1)
    torch.testing.assert_close(squares, torch.ones(2, BANDS), atol=1e-3, rtol=0)


def test_fit_keeps_small_spreads_on_large_values():
    tiles = numbered_tiles(20)
    dataset = TileDataset(type(tiles)(tiles.dataset.assign(image=tiles.dataset["image"] + np.float32(1e6))))
    values = known_values(dataset.tiles, 0)
    np.testing.assert_allclose(Standardize.fit(dataset).std, values.std(axis=1), rtol=1e-4)


def test_band_without_data_or_of_one_value():
    tiles = numbered_tiles()
    image = tiles.dataset["image"].copy(deep=True)
    image[:, :, 0] = np.nan
    image[:, :, 1] = 7
    standard = Standardize.fit(TileDataset(type(tiles)(tiles.dataset.assign(image=image))))
    assert standard.mean[:2].tolist() == [0, 7] and standard.std[:2].tolist() == [1, 1]


def test_same_statistics_for_all_dates_and_for_batches():
    dataset = TileDataset(numbered_tiles(dates=2))
    standard = Standardize([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    batch = default_collate([dataset[0], dataset[1]])
    one = standard(dataset[1])["image"]
    torch.testing.assert_close(standard(batch)["image"][1], one, equal_nan=True)
    torch.testing.assert_close(one[1, 2], (dataset[1]["image"][1, 2] - 3) / 4, equal_nan=True)


def test_standard_of_other_bands():
    with pytest.raises(TileError, match=r"does not fit statistics of shape \(2,\)"):
        Standardize([0.0, 0.0], [1.0, 1.0])(TileDataset(numbered_tiles())[0])


@pytest.mark.parametrize(
    ("mean", "std"), [([0.0], [1.0, 1.0]), (0.0, 1.0), ([0.0], [0.0]), ([np.nan], [1.0]), ([0.0], [np.inf])]
)
def test_statistics_that_are_none(mean, std):
    with pytest.raises(ConfigError):
        Standardize(mean, std)


def test_fill():
    item = TileDataset(numbered_tiles(quantities=1))[0]
    item["amount"][0, 1, 1] = torch.nan
    filled = FillNoData(-5)(item)
    assert (filled["image"][:, 0, 0] == -5).all() and not filled["image"].isnan().any()
    torch.testing.assert_close(filled["image"][:, 1:], item["image"][:, 1:])
    # unknown amounts are no missing data: the loss has to see them
    assert filled["amount"][0, 1, 1].isnan() and item["image"].isnan().any()
    with pytest.raises(ConfigError, match="expected a finite number"):
        FillNoData(float("nan"))


def maps(n: int = 5) -> dict:
    """Maps that all hold the number of the pixel, in several shapes."""
    pixel = torch.arange(n * n).reshape(n, n)
    return {
        "image": pixel.float().expand(3, n, n),
        "mask": pixel.clone(),
        "amount": pixel.float().expand(2, n, n),
        "weight": pixel.float(),
        "index": 3,
        "name": "x",
    }


@given(seed=st.integers(0, 2**40), number=st.integers(0, 2**40))
def test_one_turn_for_all_maps(seed, number):
    turned = RandomOrientation(seed=seed)(maps() | {"index": number})
    for key in ("image", "amount"):
        for layer in turned[key]:
            assert torch.equal(layer, turned["mask"].float())
    assert torch.equal(turned["weight"], turned["mask"].float())
    assert any(torch.equal(turned["mask"], orient(maps()["mask"], turn)) for turn in range(ORIENTATIONS))


def test_seeded_turns_depend_on_the_draw_alone():
    def turn_of(seed: int, **item: int) -> tuple[int, ...]:
        return tuple(RandomOrientation(seed=seed)(maps() | item)["mask"].flatten().tolist())

    torch.manual_seed(0)
    first = [turn_of(4, index=i) for i in range(64)]
    torch.manual_seed(1)
    assert [turn_of(4, index=i) for i in range(64)] == first
    assert [turn_of(5, index=i) for i in range(64)] != first
    assert len(set(first)) == ORIENTATIONS
    # a tile that is drawn again is turned anew
    assert len({turn_of(4, index=1, draw=i) for i in range(64)}) == ORIENTATIONS
    assert turn_of(4, index=9, draw=1) == turn_of(4, index=1)


def test_turns_without_a_seed_follow_torch():
    turn = RandomOrientation()
    torch.manual_seed(0)
    first = [turn(maps())["mask"] for _ in range(20)]
    torch.manual_seed(0)
    assert all(torch.equal(turn(maps())["mask"], mask) for mask in first)
    assert len({tuple(mask.flatten().tolist()) for mask in first}) > 3


def test_weight_of_one_number_is_left_alone():
    item = RandomOrientation(seed=1)(maps() | {"weight": torch.tensor(0.5)})
    assert item["weight"].item() == 0.5
    assert RandomOrientation(seed=1)(maps() | {"weight": torch.tensor([0.5, 1.0])})["weight"].tolist() == [0.5, 1.0]


def test_together():
    dataset = TileDataset(numbered_tiles())
    dataset.transform = nn.Sequential(Standardize.fit(dataset), FillNoData(0.0), RandomOrientation(seed=0))
    assert all(item["image"].isfinite().all() for item in dataset)
    with pytest.raises(ConfigError, match="seed is -1"):
        RandomOrientation(seed=-1)
