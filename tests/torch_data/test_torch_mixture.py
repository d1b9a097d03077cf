"""MixedDataset: the share asked for, every tile in turn, the same whatever reads it, weights."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader
from torch_tiles import SIZE, numbered_tiles, scored

from specdm.errors import ConfigError, TileError
from specdm.scenes.classes import Classes
from specdm.tiles.store import open_tiles
from specdm.torch import EpochSampler, FillNoData, MixedDataset, RandomOrientation, Standardize, TileDataset

REAL = TileDataset(numbered_tiles(12))
SYNTHETIC = TileDataset(numbered_tiles(30, start=100, split="synthetic"))


def names(mixed: MixedDataset) -> list[str]:
    return [mixed[i]["name"] for i in range(len(mixed))]


@given(ratio=st.floats(0, 1), length=st.integers(1, 60), seed=st.integers(0, 99), epoch=st.integers(0, 5))
def test_share_and_turns(ratio, length, seed, epoch):
    mixed = MixedDataset(REAL, SYNTHETIC, ratio=ratio, length=length, seed=seed)
    mixed.set_epoch(epoch)
    flags = np.array([mixed.source_of(i)[0] for i in range(len(mixed))])
    # every stretch of the training holds its share, to one tile
    counts = np.cumsum(flags)
    assert len(counts) == length and (abs(counts - ratio * np.arange(1, length + 1)) <= 1).all()


@given(ratio=st.floats(0, 1), seed=st.integers(0, 99))
def test_no_tile_comes_again_before_all_came(ratio, seed):
    mixed = MixedDataset(REAL, SYNTHETIC, ratio=ratio, length=20, seed=seed)
    seen: Counter[tuple[bool, int]] = Counter()
    for epoch in range(6):
        mixed.set_epoch(epoch)
        seen.update(mixed.source_of(i) for i in range(20))
    for synthetic, n in ((False, 12), (True, 30)):
        times = [seen[synthetic, place] for place in range(n)]
        assert max(times) - min(times) <= 1
    assert sum(seen.values()) == 120


def test_items_are_those_of_the_sources():
    mixed = MixedDataset(REAL, SYNTHETIC, ratio=0.4, length=10)
    mixed.set_epoch(3)
    for i in range(10):
        synthetic, place = mixed.source_of(i)
        item, wanted = mixed[i], (SYNTHETIC if synthetic else REAL)[place]
        assert item["synthetic"] is synthetic and item["draw"] == 30 + i
        assert item["name"] == wanted["name"] and torch.equal(item["mask"], wanted["mask"])


def test_usual_length():
    assert len(MixedDataset(REAL, SYNTHETIC, ratio=0.5)) == 24
    assert len(MixedDataset(REAL, SYNTHETIC, ratio=0.25)) == 16
    assert len(MixedDataset(REAL, SYNTHETIC, ratio=1)) == 30
    mixed = MixedDataset(REAL, None, ratio=0)
    assert len(mixed) == 12 and sorted(names(mixed)) == sorted(item["name"] for item in REAL)


def test_order_by_seed_and_epoch():
    one, same, other = (MixedDataset(REAL, SYNTHETIC, ratio=0.5, seed=seed) for seed in (1, 1, 2))
    assert names(one) == names(same) != names(other)
    first = names(one)
    backwards = [one[i]["name"] for i in reversed(range(len(one)))]
    assert backwards[::-1] == first
    one.set_epoch(3)
    assert names(one) != first
    one.set_epoch(0)
    assert names(one) == first and one[-1]["name"] == first[-1]
    with pytest.raises(IndexError):
        one[24]


def test_constant_weight_and_unlabelled_value():
    real, synthetic = (TileDataset(one.tiles, unlabelled=255) for one in (REAL, SYNTHETIC))
    mixed = MixedDataset(real, synthetic, ratio=0.5, weight=0.3)
    for item in mixed:
        assert item["weight"].item() == pytest.approx(0.3 if item["synthetic"] else 1.0)
        assert set(item["mask"].unique().tolist()) <= {0, 1, 2, 255}
        tiles = (synthetic if item["synthetic"] else real).tiles
        np.testing.assert_array_equal(item["mask"] == 255, tiles.masks(item["index"])[0, 0] == -1)


@pytest.mark.parametrize(("layers", "quantities", "shape"), [(1, 0, ()), (2, 1, (2,)), (0, 2, ())])
def test_weights_of_reliability(layers, quantities, shape):
    real = TileDataset(numbered_tiles(layers=layers, quantities=quantities))
    synthetic = TileDataset(scored(numbered_tiles(start=50, layers=layers, quantities=quantities)))
    mixed = MixedDataset(real, synthetic, ratio=0.5, weight=0.5, weights="reliability")
    for item in mixed:
        assert item["weight"].shape == (*shape, SIZE, SIZE) and item["weight"].dtype == torch.float32
        columns = [0.125, 0.5, 0.375, 0.375] if item["synthetic"] else [1.0] * SIZE
        torch.testing.assert_close(item["weight"], torch.tensor(columns).expand(*shape, SIZE, SIZE))
    assert next(iter(DataLoader(mixed, batch_size=8)))["weight"].shape == (8, *shape, SIZE, SIZE)


def test_weights_are_turned_with_the_mask():
    tiles = scored(numbered_tiles())
    turn = RandomOrientation(seed=3)
    mixed = MixedDataset(REAL, TileDataset(tiles, transform=turn), ratio=1, weights="reliability")
    plain = MixedDataset(REAL, TileDataset(tiles), ratio=1, weights="reliability")
    for i in range(12):
        item, wanted = mixed[i], turn(plain[i])
        assert torch.equal(item["mask"], wanted["mask"]) and torch.equal(item["weight"], wanted["weight"])
    assert any(not torch.equal(mixed[i]["weight"], plain[i]["weight"]) for i in range(12))


def test_spawned_workers_see_what_one_process_sees(tmp_path):
    numbered_tiles(12).save(tmp_path / "real.zarr")
    scored(numbered_tiles(30, start=100)).save(tmp_path / "synthetic.zarr")
    real = TileDataset(tmp_path / "real.zarr")
    real.transform = nn.Sequential(Standardize.fit(real), FillNoData(0.0), RandomOrientation(seed=1))
    # one by path, one as a lazy tile set
    synthetic = TileDataset(open_tiles(tmp_path / "synthetic.zarr"), transform=real.transform)
    mixed = MixedDataset(real, synthetic, ratio=0.5, weights="reliability")
    mixed.set_epoch(2)
    here = list(DataLoader(mixed, batch_size=6))
    there = list(DataLoader(mixed, batch_size=6, num_workers=2, multiprocessing_context="spawn", timeout=300))
    assert len(here) == len(there) == 4
    for one, other in zip(here, there, strict=True):
        assert one.keys() == other.keys() and one["name"] == other["name"]
        assert all(torch.equal(one[key], other[key]) for key in one if key != "name")


def test_sampler_parts_for_processes():
    mixed = MixedDataset(REAL, SYNTHETIC, ratio=0.5)
    parts = [list(EpochSampler(mixed, processes=2, rank=rank)) for rank in (0, 1)]
    assert sorted(parts[0] + parts[1]) == list(range(24))
    sampler = EpochSampler(mixed)
    assert list(sampler) == list(range(24))
    sampler.set_epoch(4)
    assert mixed.epoch == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": -0.1}, "ratio is -0.1; expected the share"),
        ({"ratio": 1.5}, "0 to 1"),
        ({"ratio": float("nan")}, "ratio is nan"),
        ({"ratio": 0.5, "length": 0}, "length is 0"),
        ({"ratio": 0.5, "seed": -1}, "seed is -1"),
        ({"ratio": 0.5, "weight": -1.0}, "weight is -1.0"),
        ({"ratio": 0.5, "weight": float("inf")}, "weight is inf"),
        ({"ratio": 0.5, "weights": "other"}, "expected 'constant' or 'reliability'"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ConfigError, match=message):
        MixedDataset(REAL, SYNTHETIC, **options)


OTHER_CLASSES = Classes.create([2, 5, 7], ["grass", "water", "bare soil"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"bands": 4}, "images of .* are 1 dates of 4 bands, those of .* are 1 dates of 3 bands"),
        ({"dates": 2}, "images of .* are 2 dates of 3 bands, those of .* are 1 dates of 3 bands"),
        ({"size": 8}, "sizes"),
        ({"layers": 2}, "mask layers of .* are 2, those of .* are 1"),
        ({"classes": OTHER_CLASSES}, "classes"),
        ({"classes": None}, "classes of .* are none, those of"),
        ({"quantities": 2}, "quantities of .* are .*, those of .* are none"),
        (
            {"wavelength": np.array([450.0, 700.0, 900.0])},
            "wavelengths of .*, band 2 at 700 nm, those of .*, band 2 at 675 nm",
        ),
    ],
)
def test_sets_that_do_not_fit(options, message):
    with pytest.raises(TileError, match=message):
        MixedDataset(REAL, TileDataset(numbered_tiles(**options)), ratio=0.5)


def test_sets_with_other_unlabelled_values():
    with pytest.raises(TileError, match=r"unlabelled values .* differ: 255 and -1"):
        MixedDataset(REAL, TileDataset(SYNTHETIC.tiles, unlabelled=255), ratio=0.5)


def test_nothing_to_mix_or_to_weight_by():
    with pytest.raises(TileError, match=r"share of 0\.5 synthetic tiles is asked for, but none are given"):
        MixedDataset(REAL, None, ratio=0.5)
    with pytest.raises(TileError, match="no scores of reliability to weight by; run: specdm reliability"):
        MixedDataset(REAL, SYNTHETIC, ratio=0.5, weights="reliability")
