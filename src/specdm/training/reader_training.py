"""The stage between codecs and denoiser: the network that reads masks off images."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch

from specdm.errors import TrainingError
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.pixels import Pixels
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.config import ReaderConfig, RunConfig
from specdm.training.draws import step_generator
from specdm.training.held_out_reading import HeldOutReading
from specdm.training.orientations import ORIENTATIONS, orient
from specdm.training.stage_fitting import fit_stage, seeded
from specdm.training.tile_tensors import load_part, to_pixels

STAGE = 3
BATCH = 64
WARMUP_STEPS = 20


class ReaderTraining(L.LightningModule):
    """Trains on tiles that say anything, turned and mirrored, with noise and an offset on the components."""

    def __init__(self, *, reader: MaskReader, components: torch.Tensor, tiles: Pixels, config: ReaderConfig, seed: int):
        super().__init__()
        self.reader, self.config, self.seed = reader, config, seed
        says = (tiles.positions >= 0).flatten(1).any(dim=1) | tiles.amounts.isfinite().flatten(1).any(dim=1)
        self._components, self._tiles = components, tiles
        self._telling = torch.nonzero(says).flatten()
        reader.fit_amounts(tiles.amounts)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.config.learning_rate, weight_decay=0.01)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step, self.global_rank)
        chosen = self._telling[torch.randint(len(self._telling), (self.config.batch_size,), generator=generator)]
        turned = int(torch.randint(ORIENTATIONS, (), generator=generator))
        parts = (self._components[chosen], self._tiles.positions[chosen], self._tiles.amounts[chosen])
        components, positions, amounts = (orient(part, turned) for part in parts)
        noise = self.config.noise * torch.randn(components.shape, generator=generator)
        offset = self.config.offset * torch.randn(*components.shape[:2], 1, 1, generator=generator)
        loss = self.reader.loss(*(x.to(self.device) for x in (components + noise + offset, positions, amounts)))
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the reader's loss became {loss.item()} at step {self.global_step}; lower reader.learning_rate (now "
                f"{self.config.learning_rate}) and start again"
            )
        self.log("reader_loss", loss.detach(), prog_bar=True, logger=False)
        return loss


def trained_reader(
    run: Path, model: JointModel, tiles: TileSet, *, held_out: TileSet, config: RunConfig, show_progress: bool
) -> MaskReader:
    """The reader of a run: the one that its folder holds, or one trained now.

    Args:
        run: folder.
        model: with its codecs; the denoiser is not asked.
        tiles: to train on.
        held_out: validation tiles, by which the best of its weights are chosen; may be none.
        config: of the run.
        show_progress: bars on the terminal.

    Raises:
        TrainingError: a loss that is not finite.
        RunError: a damaged checkpoint.
    """
    folder = run / "checkpoints" / "reader"
    if folder.exists():
        return load_part_files(folder)  # type: ignore[return-value]
    part = load_part(tiles, seed=config.seed)
    closed = tiles.quantities is not None and tiles.quantities.sum_to_one
    with seeded(config.seed + 2):
        reader = new_reader(model, classes=len(tiles.classes or ()), closed=closed, config=config.reader)
    module = ReaderTraining(
        reader=reader, components=components_of(model, part), tiles=part, config=config.reader, seed=config.seed
    )
    budget = Budget(
        steps=config.reader.steps,
        minutes=config.reader.minutes,
        learning_rate=config.reader.learning_rate,
        warmup_steps=WARMUP_STEPS,
        decay_share=1.0,
    )
    unseen = to_pixels(held_out, slice(None))
    choice = HeldOutReading(components=components_of(model, unseen), tiles=unseen, budget=budget)
    fit_stage(run, module, budget, config, stage="reader", clip=1.0, extra=[choice], show_progress=show_progress)
    choice.give_best(reader.cpu())
    unfinished = folder.with_name(".reader.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    save_part_files(reader.cpu().eval(), unfinished)
    os.replace(unfinished, folder)
    (run / "checkpoints" / "reader.ckpt").unlink(missing_ok=True)
    return reader


def new_reader(model: JointModel, *, classes: int, closed: bool, config: ReaderConfig) -> MaskReader:
    """An untrained reader for a model's tiles.

    Args:
        model: with its codecs; the denoiser is not asked.
        classes: of the masks.
        closed: whether the quantities are abundances.
        config: of the reader.
    """
    shape = model.tile_shape
    return MaskReader(
        components=sum(model.component_counts),
        layers=shape.layers,
        classes=classes,
        quantities=shape.quantities,
        closed=closed,
        width=config.width,
        dilations=config.dilations,
    )


def components_of(model: JointModel, tiles: Pixels) -> torch.Tensor:
    """Components of all dates, `(n, components, y, x)` on the CPU."""
    parts: list[torch.Tensor] = []
    if not len(tiles):
        return torch.zeros(0, sum(model.component_counts), *tiles.images.shape[-2:])
    for start in range(0, len(tiles), BATCH):
        part = tiles.apply(partial(_some, start=start)).apply(lambda values: values.to(model.device))
        parts.append(model.image_components(part).cpu())
    return torch.cat(parts)


def _some(values: torch.Tensor, *, start: int) -> torch.Tensor:
    return values[start : start + BATCH]
