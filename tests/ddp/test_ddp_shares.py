"""What makes the average over processes the loss of the whole batch, and keeps them at the same step."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import lightning as L
import numpy as np
import pytest
import torch
from little_scenes import make_little_change

from specdm.models.amount_codec import AmountCodec
from specdm.models.batch_share import BatchShare
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.mask_reader import MaskReader
from specdm.models.pair_codec import PairCodec
from specdm.scenes.quantities import Quantities
from specdm.synthesis.fit import train_run
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.config import load_config

RANKS, TILES, CLASSES = 2, 8, 3


@dataclass(frozen=True)
class Counted(BatchShare):
    """A share that knows what all processes together have, in the order it is asked for."""

    sums: tuple[float, ...] = ()

    def total(self, value: torch.Tensor) -> torch.Tensor:
        asked.append(value.detach())
        return torch.tensor(self.sums[len(asked) - 1]) if self.sums else value.detach()


asked: list[torch.Tensor] = []


def codec_parts() -> dict[str, tuple]:
    """Name -> a loss and what it is of: the tiles of the second half know less than those of the first."""
    random = torch.Generator().manual_seed(0)
    positions = torch.randint(-1, CLASSES, (TILES, 8, 8), generator=random)
    positions[TILES // 2 :, :, 2:] = -1
    values = torch.randn(TILES, 4, 8, 8, generator=random)
    values[TILES // 2 :, :, :3] = float("nan")
    torch.manual_seed(0)
    image, mask = ImageCodec(4, components=4, latent_channels=4, width=16), MaskCodec(CLASSES, 4, width=16)
    amount = AmountCodec(4, latent_channels=4, width=16)
    pair = PairCodec(dates=1, bands=4, layers=1, classes=CLASSES, quantities=0, latent_channels=4, width=16)
    reader = MaskReader(4, layers=1, classes=CLASSES, quantities=4, width=16)
    together = torch.cat([values, positions[:, None].float()], dim=1)
    codecs = {"image": (image, values), "mask": (mask, positions), "amount": (amount, values), "pair": (pair, together)}

    def loss_of(codec):
        def loss(*prepared: torch.Tensor, share: BatchShare) -> torch.Tensor:
            drawn = torch.Generator().manual_seed(3)
            return codec.loss(*prepared, kl_weight=0.1, generator=drawn, share=share)

        return loss

    found = {name: (loss_of(codec), codec.prepare(given)) for name, (codec, given) in codecs.items()}
    found["reader"] = (reader.loss, (values, positions[:, None], values))
    return found


@pytest.mark.parametrize("name", ["image", "mask", "amount", "pair", "reader"])
def test_the_average_over_processes_is_the_loss_of_the_whole_batch(name: str) -> None:
    loss, whole = codec_parts()[name]
    expected = float(loss(*whole, share=BatchShare()).detach())

    def parts(sums: tuple[float, ...] = ()) -> tuple[list[float], list[list[float]]]:
        losses, counts = [], []
        for rank in range(RANKS):
            asked.clear()
            share = Counted(rank, RANKS, sums)
            losses.append(float(loss(*(share.of(part) for part in whole), share=share).detach()))
            counts.append([float(count) for count in asked])
        return losses, counts

    _, counts = parts()
    assert counts[0] != counts[1], "the parts know equally much, so this would prove nothing"
    losses, _ = parts(tuple(map(sum, zip(*counts, strict=True))))
    assert sum(losses) / RANKS == pytest.approx(expected, rel=1e-5)
    assert losses[0] != pytest.approx(expected, rel=1e-3)


def test_parts_of_a_batch_and_of_its_noise() -> None:
    shape = torch.Size((6, 2))
    whole = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    shares = [BatchShare(rank, 3) for rank in range(3)]
    assert torch.equal(torch.cat([share.of(whole) for share in shares]), whole)
    drawn = [
        share.normal(
            torch.Size((2, 2)), generator=torch.Generator().manual_seed(1), device=whole.device, dtype=whole.dtype
        )
        for share in shares
    ]
    assert torch.equal(torch.cat(drawn), whole) and whole.shape == shape


def abundance_tiles() -> TileSet:
    random = np.random.default_rng(0)
    amounts = random.dirichlet([1, 1, 1], (12, 16, 16)).astype(np.float32)
    images = np.einsum("nyxq,qb->nbyx", amounts, random.uniform(100, 3000, (3, 6)))[:, None]
    return TileSet.from_arrays(
        images=(images + random.normal(0, 20, images.shape)).astype(np.float32),
        amounts=np.moveaxis(amounts, -1, 1),
        quantities=Quantities.create(["tree", "soil", "water"], sum_to_one=True),
        split="train",
        source="made",
        window_y=np.arange(12) * 16,
        window_x=0,
    )


@pytest.mark.parametrize("task", ["segmentation", "change", "abundances", "one codec for all"])
def test_every_weight_has_a_gradient_at_every_step(
    task: str, little_tiles: TileSet, little_settings, tmp_path: Path, monkeypatch
) -> None:
    """Processes wait for the gradients of all weights that ask for one; of one that comes late they never end."""
    steps = {f"{stage}.steps": 2 for stage in ("codec", "reader", "denoiser")}
    settings = {**little_settings, **steps, "sampling.calibration_tiles": 0}
    tiles = little_tiles
    if task == "change":
        tiles = make_little_change().tile(size=16, stride=8, split="none")
    elif task == "abundances":
        tiles = abundance_tiles()
    elif task == "one codec for all":
        settings |= {"codec.together": True, "codec.basis": "none"}
    bare: list[str] = []
    seen: list[str] = []

    def look(self: L.LightningModule) -> None:
        seen.append(type(self).__name__)
        bare.extend(name for name, weight in self.named_parameters() if weight.requires_grad and weight.grad is None)

    monkeypatch.setattr(L.LightningModule, "on_after_backward", look)
    train_run(tmp_path / "run", tiles=tiles, config=load_config(overrides=settings), show_progress=False)
    assert {"CodecTraining", "DenoiserTraining"} <= set(seen)
    assert not bare


def test_all_go_by_the_clock_of_the_first() -> None:
    """With a clock each, processes would stop at other steps and wait for each other."""
    budget = Budget(steps=None, minutes=1, learning_rate=1.0, warmup_steps=0, decay_share=1.0)
    group: dict[str, float] = {}
    told: list[float] = []
    trainer = SimpleNamespace(
        world_size=2,
        global_step=5,
        should_stop=False,
        strategy=SimpleNamespace(broadcast=lambda seconds: told.pop()),
        optimizers=[SimpleNamespace(param_groups=[group])],
    )
    budget.on_train_start(trainer, None)
    for seconds, rate, stop in ((15.0, 0.75, False), (61.0, 0.0, True)):
        told.append(seconds)
        budget.on_train_batch_start(trainer, None, None, 0)
        budget.on_train_batch_end(trainer, None, None, None, 0)
        assert group["lr"] == pytest.approx(rate)
        assert trainer.should_stop is stop
