"""The same with Lightning: the data module does the splits, the standard, the mixture and its weights.

python examples/train_lightning.py                         # the embedded scene, real tiles only
python examples/train_lightning.py --run RUN --ratio 0.5   # a run of specdm: half of the tiles synthetic
"""

from __future__ import annotations

import argparse
from pathlib import Path

import lightning as L
import torch
from torch import nn
from torch.nn import functional as F

import specdm
from specdm.scenes.samples import indian_pines
from specdm.torch import TileDataModule


class Segmentation(L.LightningModule):
    """Cross-entropy of labelled pixels, each by its weight."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Conv2d(channels, 32, 1),
            nn.GELU(),
            nn.Conv2d(32, 32, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(32, classes, 1),
        )

    def forward(self, batch: dict) -> torch.Tensor:
        return self.network(batch["image"].flatten(1, -3))

    def training_step(self, batch: dict, batch_idx: int) -> torch.Tensor:
        errors = F.cross_entropy(self(batch), batch["mask"], ignore_index=-1, reduction="none")
        # one weight a tile, or a map of weights with weights="reliability"
        weight = batch["weight"]
        weights = (weight if weight.ndim > 1 else weight[:, None, None]) * (batch["mask"] >= 0)
        loss = (errors * weights).sum() / weights.sum().clamp(min=1.0)
        self.log("loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch: dict, batch_idx: int) -> None:
        self._log_accuracy("val_accuracy", batch)

    def test_step(self, batch: dict, batch_idx: int) -> None:
        self._log_accuracy("test_accuracy", batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=3e-3)

    def _log_accuracy(self, name: str, batch: dict) -> None:
        labelled = batch["mask"] >= 0
        if known := int(labelled.sum()):
            right = (self(batch).argmax(dim=1) == batch["mask"])[labelled].float().mean()
            # weighted by labelled pixels, so that it is the overall accuracy
            self.log(name, right, batch_size=known, on_epoch=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", type=Path, help="run folder of specdm; default: the embedded scene, no synthetic tiles"
    )
    parser.add_argument("--ratio", type=float, default=0.0, help="share of synthetic tiles, 0 to 1")
    parser.add_argument("--weights", choices=["constant", "reliability"], default="constant")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    L.seed_everything(0, workers=True)

    data = TileDataModule(
        options.run or specdm.tile_scenes(indian_pines(), size=16),
        ratio=options.ratio,
        weights=options.weights,
        num_workers=options.workers,
    )
    model = Segmentation(data.channels, data.num_classes)
    trainer = L.Trainer(
        max_steps=options.steps,
        accelerator="auto",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
    )
    trainer.fit(model, datamodule=data)
    print(f"trained {trainer.global_step} steps, loss {float(trainer.callback_metrics['loss']):.3f}")
    trainer.test(model, datamodule=data)


if __name__ == "__main__":
    main()
