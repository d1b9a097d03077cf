"""TileDataModule: the splits of a run folder, and a new part of the mixture in each epoch of Lightning."""

from __future__ import annotations

from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from torch import nn
from torch_tiles import BANDS, numbered_tiles, scored

from specdm.errors import ConfigError, TileError
from specdm.torch import TileDataModule

SPLIT = np.array(["train"] * 12 + ["val"] * 2 + ["test"] * 4)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    numbered_tiles(18, split=SPLIT).save(tmp_path / "run" / "tiles" / "tiles.zarr")
    scored(numbered_tiles(30, start=100, split="synthetic")).save(tmp_path / "run" / "synthetic" / "tiles.zarr")
    return tmp_path / "run"


class Watching(L.LightningModule):
    """Learns one number and remembers what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))
        self.shown: list[dict] = []

    def training_step(self, batch, batch_idx):
        self.shown.append(batch)
        return (self.bias - 1) ** 2

    def validation_step(self, batch, batch_idx):
        assert "weight" not in batch

    def test_step(self, batch, batch_idx):
        self.log("names", float(len(batch["name"])))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def trained(data: TileDataModule, epochs: int) -> Watching:
    module = Watching()
    trainer = L.Trainer(
        accelerator="cpu", max_epochs=epochs, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, datamodule=data)
    trainer.test(module, datamodule=data, verbose=False)
    return module


def test_run_folder_with_lightning(run):
    data = TileDataModule(run, ratio=0.5, weights="reliability", weight=0.5, batch_size=8)
    assert (data.channels, data.num_classes, data.classes.names[2]) == (BANDS, 3, "water")
    assert [len(part) for part in (data.train, data.val, data.test)] == [24, 2, 4]
    shown = trained(data, epochs=2).shown
    assert len(shown) == 6
    draws = torch.cat([batch["draw"] for batch in shown])
    assert draws.tolist() == list(range(48))  # the second epoch goes on where the first ended
    synthetic = torch.cat([batch["synthetic"] for batch in shown])
    assert synthetic.float().mean() == 0.5
    seen = {name for batch in shown for name in batch["name"]}
    assert not seen & {f"tile {i}" for i in range(12, 18)}
    images = torch.cat([batch["image"] for batch in shown])
    assert images.isfinite().all()
    assert images[~synthetic].mean().abs() < 0.2 and images[synthetic].mean() > 5  # one standard, that of real tiles
    weights = torch.cat([batch["weight"] for batch in shown])
    assert (weights[~synthetic] == 1).all() and weights[synthetic].max() == 0.5


def test_real_alone(run):
    data = TileDataModule(run / "tiles" / "tiles.zarr", batch_size=5)
    batches = list(data.train_dataloader())
    assert [len(batch["name"]) for batch in batches] == [5, 5]
    assert not any(batch["synthetic"].any() for batch in batches) and batches[0]["weight"].tolist() == [1] * 5
    assert len(list(TileDataModule(run, batch_size=50).train_dataloader())) == 1
    data = TileDataModule(run, synthetic=run / "synthetic" / "tiles.zarr", ratio=0.0)
    assert not any(batch["synthetic"].any() for batch in data.train_dataloader())


def test_splits_without_tiles_and_own_transforms():
    data = TileDataModule(
        numbered_tiles(), transform=lambda item: item | {"a": 1}, augmentation=lambda item: item | {"b": item["a"] + 1}
    )
    assert data.val_dataloader() == [] == data.test_dataloader() and data.standard is None
    assert data.train[0]["b"] == 2


def test_unlabelled_imagery_is_left_out():
    tiles = numbered_tiles(4, source=["place", "other", "place", "other"])
    tiles.dataset.attrs["unlabelled_sources"] = '["other"]'
    data = TileDataModule(tiles)
    assert sorted(data.train[i]["index"] for i in range(len(data.train))) == [0, 2]
    tiles.dataset.attrs["unlabelled_sources"] = '["other", "place"]'
    with pytest.raises(TileError, match="no training tile is of labelled ground"):
        TileDataModule(tiles)


def test_bad_input(run, tmp_path):
    with pytest.raises(TileError, match="none are given; sample some"):
        TileDataModule(numbered_tiles(), ratio=0.5)
    with pytest.raises(TileError, match="no tile of the split 'train'"):
        TileDataModule(run / "synthetic" / "tiles.zarr")
    with pytest.raises(TileError, match="is no tile set"):
        TileDataModule(tmp_path)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        TileDataModule(run, batch_size=0)
    with pytest.raises(ConfigError, match=r"not their share; say ratio=0\.3"):
        TileDataModule(run, synthetic=run / "synthetic" / "tiles.zarr")
    with pytest.raises(ConfigError, match="ratio is 2"):
        TileDataModule(run, ratio=2)
