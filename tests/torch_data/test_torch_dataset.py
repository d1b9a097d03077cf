"""TileDataset: what an item holds, reading when asked, in workers too."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from torch.utils.data import DataLoader
from torch_tiles import BANDS, SIZE, numbered_tiles

from specdm.errors import ConfigError, TileError
from specdm.tiles.store import open_tiles
from specdm.torch import TileDataset


def test_import_does_not_shadow_torch():
    lines = "import specdm.torch, torch; from specdm.torch import TileDataset; print(torch.zeros(1), TileDataset)"
    run = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "tensor([0.])" in run.stdout and "specdm.torch.dataset.TileDataset" in run.stdout


def test_item_of_one_date():
    tiles = numbered_tiles()
    item = TileDataset(tiles)[5]
    assert set(item) == {"image", "mask", "index", "name"}
    assert item["image"].shape == (BANDS, SIZE, SIZE) and item["image"].dtype == torch.float32
    np.testing.assert_array_equal(item["image"], tiles.images(5)[0, 0])
    assert item["image"].isnan()[:, 0, 0].all()
    assert item["mask"].shape == (SIZE, SIZE) and item["mask"].dtype == torch.int64
    values = tiles.masks(5)[0, 0]
    for position, value in enumerate(tiles.classes.values):
        np.testing.assert_array_equal(item["mask"] == position, values == value)
    np.testing.assert_array_equal(item["mask"] == -1, values == -1)
    assert (item["index"], item["name"]) == (5, "tile 5")


def test_dates_come_first_and_layers_keep_their_axis():
    dataset = TileDataset(numbered_tiles(dates=2, layers=2, quantities=3))
    item = dataset[1]
    assert item["image"].shape == (2, BANDS, SIZE, SIZE)
    assert item["image"][1].nanmean() - item["image"][0].nanmean() == pytest.approx(1000, abs=1)
    assert item["mask"].shape == (2, SIZE, SIZE)
    assert item["amount"].shape == (3, SIZE, SIZE) and item["amount"].dtype == torch.float32
    assert dataset.channels == 2 * BANDS
    batch = next(iter(DataLoader(dataset, batch_size=4)))
    assert batch["image"].shape == (4, 2, BANDS, SIZE, SIZE) and batch["name"][3] == "tile 3"


def test_amounts_without_masks():
    dataset = TileDataset(numbered_tiles(layers=0, quantities=2))
    assert set(dataset[0]) == {"image", "amount", "index", "name"}
    with pytest.raises(TileError, match=r"no masks with classes \(it has the amounts part 0, part 1\)"):
        _ = dataset.num_classes


def test_nothing_labelled():
    dataset = TileDataset(numbered_tiles(classes=None), unlabelled=255)
    assert (dataset[0]["mask"] == 255).all() and dataset.classes is None
    with pytest.raises(TileError, match=r"\(all of it is unlabelled\); give labelled tiles"):
        _ = dataset.num_classes


@pytest.mark.parametrize("unlabelled", [-1, 3, 255])
def test_unlabelled_value(unlabelled):
    tiles = numbered_tiles()
    dataset = TileDataset(tiles, unlabelled=unlabelled)
    np.testing.assert_array_equal(dataset[0]["mask"] == unlabelled, tiles.masks(0)[0, 0] == -1)
    assert dataset.num_classes == 3 and dataset.classes.names[0] == "grass"
    np.testing.assert_array_equal(dataset.wavelength, tiles.wavelength)


@pytest.mark.parametrize("unlabelled", [0, 2, 1.5, True])
def test_unlabelled_value_that_is_a_class(unlabelled):
    with pytest.raises(ConfigError, match="no class position, so not 0 to 2"):
        TileDataset(numbered_tiles(), unlabelled=unlabelled)


def test_splits(tmp_path):
    split = np.array(["train", "test", "train", "val", "test"])
    numbered_tiles(5, split=split).save(tmp_path / "t.zarr")
    dataset = TileDataset(tmp_path / "t.zarr", split="test")
    assert len(dataset) == 2
    assert [item["index"] for item in dataset] == [1, 4] and dataset[-1]["name"] == "tile 4"
    assert len(TileDataset(str(tmp_path / "t.zarr"))) == 5
    with pytest.raises(IndexError):
        dataset[2]
    with pytest.raises(TileError, match="no tile of the split 'synthetic'; it has 2 test, 2 train, 1 val"):
        TileDataset(tmp_path / "t.zarr", split="synthetic")
    with pytest.raises(TileError, match="no split 'training'; expected one of train, val, test, synthetic"):
        TileDataset(tmp_path / "t.zarr", split="training")


def test_empty_and_missing_sets(tmp_path):
    with pytest.raises(TileError, match="holds no tile"):
        TileDataset(numbered_tiles().select([]))
    with pytest.raises(TileError, match="does not exist"):
        TileDataset(tmp_path / "nothing.zarr")
    with pytest.raises(TileError, match="nothing is selected of 12 tiles"):
        TileDataset(numbered_tiles()).select(np.zeros(12, bool))


def test_select_keeps_transform_and_leaves_the_first_alone():
    dataset = TileDataset(numbered_tiles(), transform=lambda item: item | {"seen": True})
    some = dataset.select([7, 3])
    assert [item["index"] for item in some] == [7, 3] and some[0]["seen"]
    assert len(dataset) == 12


def test_transform_in_place_leaves_tiles_alone():
    tiles = numbered_tiles()
    before = tiles.images(0).copy()
    item = TileDataset(tiles)[0]
    item["image"].zero_()
    item["mask"].zero_()
    np.testing.assert_array_equal(tiles.images(0), before)


def test_reads_one_tile_when_asked(tmp_path, monkeypatch):
    dataset = TileDataset(numbered_tiles().save(tmp_path / "t.zarr"))
    asked = []
    whole = type(dataset.tiles).images
    monkeypatch.setattr(type(dataset.tiles), "images", lambda self, index: asked.append(index) or whole(self, index))
    _ = dataset[4]
    assert asked == [4]


def test_store_that_was_replaced(tmp_path):
    numbered_tiles().save(tmp_path / "t.zarr")
    dataset = TileDataset(tmp_path / "t.zarr")
    sent = pickle.dumps(dataset)
    shutil.rmtree(tmp_path / "t.zarr")
    numbered_tiles(4).save(tmp_path / "t.zarr")
    with pytest.raises(TileError, match="had 12 tiles and now has 4"):
        _ = pickle.loads(sent)[0]


def test_path_is_small_to_send(tmp_path):
    numbered_tiles(size=32, bands=20).save(tmp_path / "t.zarr")
    dataset = TileDataset(tmp_path / "t.zarr")
    _ = dataset[0]
    assert len(pickle.dumps(dataset)) < 10_000


def test_relative_path_holds_elsewhere(tmp_path, monkeypatch):
    numbered_tiles().save(tmp_path / "t.zarr")
    monkeypatch.chdir(tmp_path)
    sent = pickle.dumps(TileDataset("t.zarr"))
    monkeypatch.chdir("/")
    assert pickle.loads(sent)[3]["name"] == "tile 3"


class OpenedLog:
    """Calls `open_tiles` and writes down which process did."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, store: Path):
        with self.path.open("a") as log:
            log.write(f"{os.getpid()}\n")
        return open_tiles(store)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_each_forked_worker_opens_the_store(tmp_path, monkeypatch):
    numbered_tiles().save(tmp_path / "t.zarr")
    monkeypatch.setattr("specdm.torch.dataset.open_tiles", OpenedLog(tmp_path / "log"))
    dataset = TileDataset(tmp_path / "t.zarr")
    here = [dataset[i]["image"] for i in range(12)]
    loader = DataLoader(dataset, batch_size=3, num_workers=2, multiprocessing_context="fork", timeout=120)
    images = torch.cat([batch["image"] for batch in loader])
    torch.testing.assert_close(images, torch.stack(here), equal_nan=True)
    pids = (tmp_path / "log").read_text().split()
    assert pids.count(str(os.getpid())) == 1 and len(pids) == len(set(pids)) == 3


def test_plot():
    figure = TileDataset(numbered_tiles(dates=2, split=["train"] * 6 + ["test"] * 6), split="test").plot(1)
    assert isinstance(figure, Figure)
    assert "tile 7" in figure.axes[0].get_title()
