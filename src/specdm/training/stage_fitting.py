"""One stage of a run: Lightning's training loop with budget, checkpoint, log, and where it left off."""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from torch.utils.data import DataLoader

from specdm.errors import ConfigError, RunError
from specdm.training.budget import Budget
from specdm.training.checkpoint_files import WholeCheckpoints
from specdm.training.config import RunConfig
from specdm.training.devices import TIMEOUT, environment
from specdm.training.draws import EndlessSteps
from specdm.training.loss_table import LossTable
from specdm.training.precision import precision_of
from specdm.training.progress import BudgetProgress
from specdm.training.ranks import ALONE, Ranks
from specdm.training.stopping import StopAtOnce, stopped_by_signals


def fit_stage(
    run: Path,
    module: L.LightningModule,
    budget: Budget,
    config: RunConfig,
    *,
    stage: str,
    clip: float | None,
    extra: list[L.Callback],
    ranks: Ranks = ALONE,
    show_progress: bool,
    loss: str | None = None,
    coarse: bool = False,
) -> None:
    """Train one stage to the end of its budget, from its checkpoint if there is one.

    Args:
        run: folder.
        module: of the stage.
        budget: of the stage.
        config: of the run.
        stage: name of its checkpoint.
        clip: largest norm of a gradient.
        extra: further callbacks.
        ranks: the processes that train together.
        show_progress: bars on the terminal.
        loss: name of its loss; default: that of the stage with "_loss".
        coarse: see `precision_of`.

    Raises:
        RunError: a damaged checkpoint.
        ConfigError: settings of the machine that Lightning does not take.
        KeyboardInterrupt: stopped by Ctrl-C or SIGTERM.
    """
    folder = run / "checkpoints"
    if ranks.first:
        folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / f"{stage}.ckpt"
    callbacks: list[L.Callback] = [
        StopAtOnce(),
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
        callbacks.append(BudgetProgress(title, budget=budget, loss=loss or f"{stage}_loss"))
    with quiet_lightning():
        try:
            trainer = L.Trainer(
                accelerator=config.training.accelerator,
                devices=config.training.devices,
                num_nodes=config.training.nodes,
                # buffers are constants here, the same in all processes
                strategy="auto" if ranks.size == 1 else DDPStrategy(timeout=TIMEOUT, broadcast_buffers=False),
                plugins=[WholeCheckpoints(), *environment(ranks.size)],
                precision=precision_of(config.training, coarse=coarse),  # type: ignore[arg-type]
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
        except (ValueError, MisconfigurationException) as error:
            raise ConfigError(f"section training of the settings: {' '.join(str(error).split())}") from error
        resume = None
        if ranks.told(checkpoint.exists()):
            check_checkpoint(checkpoint, module)
            resume = checkpoint
        with stopped_by_signals():
            trainer.fit(module, DataLoader(EndlessSteps(), batch_size=None), ckpt_path=resume, weights_only=True)


def check_checkpoint(path: Path, module: L.LightningModule) -> None:
    """Raise RunError if a checkpoint is damaged, or not one of such a module."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        there = content["state_dict"].keys()
        optimizers = content.get("optimizer_states", ())
        groups = [len(group["params"]) for state in optimizers for group in state["param_groups"]]
    except Exception as error:
        raise RunError(
            f"{path}: the checkpoint is damaged ({type(error).__name__}); delete it to train this stage from its start"
        ) from error
    differing = [f"{name} is in one of them only" for name in sorted(there ^ module.state_dict().keys())]
    optimizer: Any = module.configure_optimizers()
    if not differing and groups != [len(group["params"]) for group in optimizer.param_groups]:
        differing.append("weights are learnt in another way")
    if differing:
        raise RunError(
            f"{path}: the checkpoint is of another version of SpecDM ({differing[0]}); delete it to train this stage "
            "from its start"
        )


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
