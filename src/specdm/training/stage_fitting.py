"""One stage of a run: Lightning's training loop with budget, checkpoint, log, and where it left off."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from torch.utils.data import DataLoader

from specdm.errors import RunError
from specdm.training.budget import Budget
from specdm.training.config import RunConfig
from specdm.training.draws import EndlessSteps
from specdm.training.loss_table import LossTable
from specdm.training.progress import BudgetProgress


def fit_stage(
    run: Path,
    module: L.LightningModule,
    budget: Budget,
    config: RunConfig,
    *,
    stage: str,
    clip: float | None,
    extra: list[L.Callback],
    show_progress: bool,
) -> None:
    """Train one stage to the end of its budget, from its checkpoint if there is one.

    Args:
        run: folder.
        module: of the stage.
        budget: of the stage.
        config: of the run.
        stage: name of its checkpoint, and, with "_loss", of its loss.
        clip: largest norm of a gradient.
        extra: further callbacks.
        show_progress: bars on the terminal.

    Raises:
        RunError: a damaged checkpoint.
    """
    folder = run / "checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{stage}.ckpt"
    callbacks: list[L.Callback] = [
        budget,
        LossTable(run / "log" / "metrics.csv", stage=stage, budget=budget, every_steps=config.training.log_every_steps),
        *extra,
        ModelCheckpoint(
            dirpath=folder,
            filename=stage,
            save_top_k=1,
            enable_version_counter=False,
            train_time_interval=timedelta(seconds=config.training.checkpoint_seconds),
        ),
    ]
    if show_progress:
        title = "training codecs" if stage == "codec" else f"training {stage}"
        callbacks.append(BudgetProgress(title, budget=budget, loss=f"{stage}_loss"))
    with quiet_lightning():
        trainer = L.Trainer(
            accelerator=config.training.accelerator,
            devices=config.training.devices,
            strategy=config.training.strategy,
            precision=config.training.precision,  # type: ignore[arg-type]
            max_steps=-1 if config.denoiser.steps is None and stage == "denoiser" else budget.steps or -1,
            max_epochs=-1,
            gradient_clip_val=clip,
            callbacks=callbacks,
            logger=TensorBoardLogger(save_dir=run, name="log", version="tensorboard"),
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=config.training.log_every_steps,
            default_root_dir=run,
        )
        resume = None
        if checkpoint.exists():
            _check_checkpoint(checkpoint)
            resume = checkpoint
        trainer.fit(module, DataLoader(EndlessSteps(), batch_size=None), ckpt_path=resume, weights_only=True)


def _check_checkpoint(path: Path) -> None:
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RunError(
            f"{path}: the checkpoint is damaged ({type(error).__name__}); delete it to train this stage from its start"
        ) from error


@contextmanager
def seeded(seed: int):
    """Torch's global generator seeded inside the block only: weights are drawn from it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(np.random.SeedSequence(seed).generate_state(1)[0]))
        yield


@contextmanager
def quiet_lightning():
    """Without Lightning's hints about workers, devices and saved hyperparameters."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric", "lightning")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
