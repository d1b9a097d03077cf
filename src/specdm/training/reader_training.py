"""The stage between codecs and denoiser: the network that reads masks off images."""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch

from specdm.errors import TrainingError
from specdm.models.batch_share import WHOLE, BatchShare
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.pixels import Pixels
from specdm.scenes.task import dates_of_layer
from specdm.tiles.label_constancy import label_constancy
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.config import ReaderConfig, RunConfig
from specdm.training.draws import step_generator
from specdm.training.held_out_reading import HeldOutReading
from specdm.training.orientations import ORIENTATIONS, orient
from specdm.training.ranks import ALONE, Ranks
from specdm.training.spectral_fitting import fit_spectra
from specdm.training.spectral_metrics import metrics_of
from specdm.training.stage_fitting import fit_stage, seeded
from specdm.training.tile_tensors import load_part, some_tiles, to_pixels

STAGE = 3
BATCH = 64
WARMUP_STEPS = 20

HELD_OUT_PIXELS = 2**19
"""By which a reader is chosen; they are read at once, many times."""


class ReaderTraining(L.LightningModule):
    """Trains on tiles that say anything, turned and mirrored, with noise and an offset on the components."""

    def __init__(
        self,
        *,
        reader: MaskReader,
        components: torch.Tensor,
        tiles: Pixels,
        config: ReaderConfig,
        seed: int,
        share: BatchShare = WHOLE,
    ):
        super().__init__()
        self.reader, self.config, self.seed, self.share = reader, config, seed, share
        says = (tiles.positions >= 0).flatten(1).any(dim=1) | tiles.amounts.isfinite().flatten(1).any(dim=1)
        self._components, self._tiles = components, tiles
        self._telling = torch.nonzero(says).flatten()
        reader.fit_amounts(tiles.amounts)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.AdamW(self.parameters(), lr=self.config.learning_rate, weight_decay=0.01)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        generator = step_generator(self.seed, STAGE, self.global_step)
        chosen = self._telling[torch.randint(len(self._telling), (self.config.batch_size,), generator=generator)]
        turned = int(torch.randint(ORIENTATIONS, (), generator=generator))
        parts = (self._components[chosen], self._tiles.positions[chosen], self._tiles.amounts[chosen])
        components, positions, amounts = (orient(part, turned) for part in parts)
        noise = self.config.noise * torch.randn(components.shape, generator=generator)
        offset = self.config.offset * torch.randn(*components.shape[:2], 1, 1, generator=generator)
        mine = (self.share.of(x).to(self.device) for x in (components + noise + offset, positions, amounts))
        loss = self.reader.loss(*mine, share=self.share)
        average = self.share.average(loss)
        if not torch.isfinite(average):
            raise TrainingError(
                f"the reader's loss became {average.item()} at step {self.global_step}; lower reader.learning_rate "
                f"(now {self.config.learning_rate}) and start again"
            )
        self.log("reader_loss", average, logger=False)
        return loss


def trained_reader(
    run: Path,
    model: JointModel,
    tiles: TileSet,
    *,
    held_out: TileSet,
    config: RunConfig,
    ranks: Ranks = ALONE,
    show_progress: bool,
) -> MaskReader:
    """The reader of a run: the one that its folder holds, or one trained now.

    Args:
        run: folder.
        model: with its codecs; the denoiser is not asked.
        tiles: to train on.
        held_out: validation tiles, by which the best of its weights are chosen; may be none.
        config: of the run.
        ranks: the processes that train together; the first chooses the weights and writes.
        show_progress: bars on the terminal.

    Raises:
        TrainingError: a loss that is not finite.
        RunError: a damaged checkpoint.
    """
    folder = run / "checkpoints" / "reader"
    if ranks.told(folder.exists()):
        return load_part_files(folder)  # type: ignore[return-value]
    part = load_part(tiles, seed=config.seed)
    closed = tiles.quantities is not None and tiles.quantities.sum_to_one
    with seeded(config.seed + 2):
        reader = new_reader(
            model,
            classes=len(tiles.classes or ()),
            closed=closed,
            config=config.reader,
            labelled=max((int(tiles.label_counts_of(layer).sum()) for layer in range(len(tiles.layers))), default=0),
        )
    module = ReaderTraining(
        reader=reader,
        components=components_of(model, part),
        tiles=part,
        config=config.reader,
        seed=config.seed,
        share=ranks.share,
    )
    budget = Budget(
        steps=config.reader.steps,
        minutes=config.reader.minutes,
        learning_rate=config.reader.learning_rate,
        warmup_steps=WARMUP_STEPS,
        decay_share=1.0,
    )
    choices = [_choice(model, held_out, budget=budget, seed=config.seed)] if ranks.first else []
    fit_stage(
        run,
        module,
        budget,
        config,
        stage="reader",
        clip=1.0,
        extra=[*choices],
        ranks=ranks,
        show_progress=show_progress,
    )
    reader.cpu().eval()
    for choice in choices:
        choice.give_best(reader)
        if reader.spectral is not None:
            fit_spectra(
                reader.spectral,
                tiles,
                components_at=lambda at: components_of(model, to_pixels(tiles, at)),
                metrics=metrics_of(model),
                seed=config.seed,
            )
            choice.give_share(reader)
            layers = range(len(tiles.layers))
            choice.give_neighbourhood(
                reader,
                np.stack([label_constancy(tiles, layer=layer) for layer in layers]),
                single_date=[
                    len(dates_of_layer(layer, n_dates=tiles.n_dates, n_layers=len(layers))) == 1 for layer in layers
                ],
            )
    ranks.give([reader])
    if ranks.first:
        unfinished = folder.with_name(".reader.partial")
        shutil.rmtree(unfinished, ignore_errors=True)
        save_part_files(reader, unfinished)
        os.replace(unfinished, folder)
        (run / "checkpoints" / "reader.ckpt").unlink(missing_ok=True)
    return reader


def _choice(model: JointModel, held_out: TileSet, *, budget: Budget, seed: int) -> HeldOutReading:
    most = max(1, HELD_OUT_PIXELS // held_out.size**2)
    unseen = to_pixels(held_out, some_tiles(held_out, most=most, seed=seed))
    return HeldOutReading(components=components_of(model, unseen), tiles=unseen, budget=budget)


def new_reader(
    model: JointModel, *, classes: int, closed: bool, config: ReaderConfig, labelled: int = 0
) -> MaskReader:
    """An untrained reader for a model's tiles.

    Args:
        model: with its codecs; the denoiser is not asked.
        classes: of the masks.
        closed: whether the quantities are abundances.
        config: of the reader.
        labelled: pixels that a mask layer has; with none there is no machine of single spectra.
    """
    shape, counts = model.tile_shape, model.component_counts
    return MaskReader(
        components=sum(counts),
        layers=shape.layers,
        classes=classes,
        quantities=shape.quantities,
        closed=closed,
        width=config.width,
        dilations=config.dilations,
        points=min(config.points, labelled),
        dates=len(counts) if len(set(counts)) == 1 else 1,
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
