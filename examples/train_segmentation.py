"""Train a small segmentation network on real tiles, alone or mixed with synthetic ones: a plain PyTorch loop.

python examples/train_segmentation.py                         # the embedded scene, real tiles only
python examples/train_segmentation.py --run RUN --ratio 0.5   # a run of specdm: half of the tiles synthetic
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

import specdm
from specdm.scenes.samples import indian_pines
from specdm.torch import FillNoData, MixedDataset, RandomOrientation, Standardize, TileDataset

UNLABELLED = 255


def network(channels: int, classes: int) -> nn.Module:
    """A few layers; put your own here: `(n, channels, y, x)` in, `(n, classes, y, x)` out."""
    return nn.Sequential(
        nn.Conv2d(channels, 32, 1),
        nn.GELU(),
        nn.Conv2d(32, 32, 3, padding=1),
        nn.GELU(),
        nn.Conv2d(32, classes, 1),
    )


def channels_of(batch: dict) -> torch.Tensor:
    """Images `(n, channels, y, x)`: the bands of several dates behind each other."""
    return batch["image"].flatten(1, -3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--run", type=Path, help="run folder of specdm; default: the embedded scene, no synthetic tiles"
    )
    parser.add_argument("--ratio", type=float, default=0.0, help="share of synthetic tiles, 0 to 1")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    torch.manual_seed(0)

    # tiles of a run are read from disk when they are needed
    tiles = options.run / "tiles" / "tiles.zarr" if options.run else specdm.tile_scenes(indian_pines(), size=16)
    real = TileDataset(tiles, split="train", unlabelled=UNLABELLED)
    # one standard for real, synthetic and test tiles: that of the real training tiles
    prepare = nn.Sequential(Standardize.fit(real), FillNoData(0.0))
    real.transform = nn.Sequential(prepare, RandomOrientation(seed=0))
    synthetic = None
    if options.ratio > 0 and options.run:
        store = options.run / "synthetic" / "tiles.zarr"
        synthetic = TileDataset(store, transform=real.transform, unlabelled=UNLABELLED)
    batch_size = 16
    mixed = MixedDataset(real, synthetic, ratio=options.ratio, length=batch_size * options.steps)

    model = network(real.channels, real.num_classes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for step, batch in enumerate(DataLoader(mixed, batch_size=batch_size, num_workers=options.workers)):
        errors = F.cross_entropy(model(channels_of(batch)), batch["mask"], ignore_index=UNLABELLED, reduction="none")
        weights = batch["weight"][:, None, None] * (batch["mask"] != UNLABELLED)
        loss = (errors * weights).sum() / weights.sum().clamp(min=1.0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0 or step == options.steps - 1:
            share = batch["synthetic"].float().mean().item()
            print(f"step {step + 1}: loss {loss.item():.3f}, {share:.0%} of the batch synthetic")

    test = TileDataset(tiles, split="test", transform=prepare, unlabelled=UNLABELLED)
    right = known = 0
    with torch.no_grad():
        for batch in DataLoader(test, batch_size=64):
            labelled = batch["mask"] != UNLABELLED
            found = model(channels_of(batch)).argmax(dim=1)
            right += int((found == batch["mask"])[labelled].sum())
            known += int(labelled.sum())
    print(f"overall accuracy on {known} test pixels: {right / max(known, 1):.3f}")


if __name__ == "__main__":
    main()
