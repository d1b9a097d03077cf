"""The two stages of a run, each picked up where its folder left off."""

from __future__ import annotations

import logging
import os
import shutil
import warnings
from collections.abc import Callable
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
from specdm.models.codecs import Codec
from specdm.models.denoiser import JointDenoiser
from specdm.models.joint_model import JointModel
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.streams import PAIR, Stream
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.codec_training import CodecTraining
from specdm.training.compositions import part_names
from specdm.training.config import RunConfig
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.draws import EndlessSteps
from specdm.training.loss_table import LossTable
from specdm.training.new_codecs import new_codecs
from specdm.training.progress import BudgetProgress
from specdm.training.sample_pictures import SamplePictures
from specdm.training.tile_tensors import (
    LatentTiles,
    check_trainable,
    encode_tiles,
    fit_latents,
    load_part,
    tile_streams,
)

DrawSamples = Callable[[JointModel, LatentTiles, Path], None]
"""Writes a picture of a few samples of an unfinished model."""


def train_stages(
    run: Path,
    *,
    tiles: TileSet,
    config: RunConfig,
    show_progress: bool = True,
    draw_samples: DrawSamples | None = None,
) -> tuple[JointModel, LatentTiles]:
    """Train codecs, then the denoiser, from training tiles.

    Writes `checkpoints/codecs/` when stage one is done, `checkpoints/denoiser.ckpt` (at most
    `training.checkpoint_seconds` old) during stage two, and `log/`. Called again after an interruption it goes
    on from there.

    Returns:
        The model with EMA weights on the CPU, and the latents it was trained on.

    Raises:
        TrainingError: no labelled pixel, or a loss that is not finite.
        RunError: a damaged checkpoint.
    """
    check_trainable(tiles)
    streams = (PAIR,) if config.codec.together else tile_streams(tiles)
    codecs = _trained_codecs(run, streams, tiles, config=config, show_progress=show_progress)
    denoiser = _new_denoiser(streams, codecs, tiles, config=config)
    model = JointModel(streams=streams, codecs=codecs, denoiser=denoiser)
    model.eval()
    latents = fit_latents(denoiser, encode_tiles(model, tiles, seed=config.seed))
    averaged = _trained_denoiser(
        run,
        model,
        latents,
        config=config,
        show_progress=show_progress,
        draw_samples=draw_samples,
    )
    trained = JointModel(streams=streams, codecs=codecs, denoiser=averaged.cpu())
    return trained.eval(), latents


def _trained_codecs(
    run: Path, streams: tuple[Stream, ...], tiles: TileSet, *, config: RunConfig, show_progress: bool
) -> dict[str, Codec]:
    folder = run / "checkpoints" / "codecs"
    if folder.exists():
        return {name: load_part_files(folder / name) for name in _codec_names(streams)}  # type: ignore[misc]
    part = load_part(tiles, seed=config.seed)
    with seeded(config.seed):
        codecs = new_codecs(
            streams,
            part,
            apart=tile_streams(tiles),
            classes=len(tiles.classes or ()),
            sum_to_one=tiles.quantities is not None and tiles.quantities.sum_to_one,
            config=config.codec,
        )
    module = CodecTraining(streams=streams, codecs=codecs, tiles=part, config=config.codec, seed=config.seed)
    budget = Budget(
        steps=config.codec.steps,
        minutes=config.codec.minutes,
        learning_rate=config.codec.learning_rate,
        warmup_steps=50,
        decay_share=1.0,
    )
    _fit(run, module, budget, config, stage="codec", clip=None, extra=[], show_progress=show_progress)
    module.codecs.cpu().eval()
    module.cpu().fit_latent_statistics()
    partial = folder.with_name(".codecs.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name, codec in codecs.items():
        save_part_files(codec, partial / name)  # type: ignore[arg-type]
    os.replace(partial, folder)
    (run / "checkpoints" / "codec.ckpt").unlink(missing_ok=True)
    return codecs


def _codec_names(streams: tuple[Stream, ...]) -> list[str]:
    return list(dict.fromkeys(stream.codec for stream in streams))


def _new_denoiser(
    streams: tuple[Stream, ...], codecs: dict[str, Codec], tiles: TileSet, *, config: RunConfig
) -> JointDenoiser:
    with seeded(config.seed + 1):
        return JointDenoiser(
            stream_channels=tuple(codecs[stream.codec].latent_channels for stream in streams),
            conditions=sum(map(len, part_names(tiles))),
            widths=config.denoiser.widths,
            layers=config.denoiser.layers,
            head_channels=config.denoiser.head_channels,
        )


def _trained_denoiser(
    run: Path,
    model: JointModel,
    latents: LatentTiles,
    *,
    config: RunConfig,
    show_progress: bool,
    draw_samples: DrawSamples | None,
) -> JointDenoiser:
    module = DenoiserTraining(
        denoiser=model.denoiser,
        streams=model.streams,
        tiles=latents,
        config=config.denoiser,
        seed=config.seed,
        importance=model.latent_importance(),
    )
    budget = Budget(
        steps=config.denoiser.steps,
        minutes=config.denoiser.minutes,
        learning_rate=config.denoiser.learning_rate,
        warmup_steps=config.denoiser.warmup_steps,
        decay_share=config.denoiser.decay_share,
    )
    extra: list[L.Callback] = []
    if draw_samples is not None:
        show = draw_samples

        def draw(path: Path) -> None:
            averaged = module.averaged_denoiser()
            device = averaged.device
            unfinished = JointModel(streams=model.streams, codecs=dict(model.codecs), denoiser=averaged)  # type: ignore[arg-type]
            show(unfinished.cpu().eval(), latents, path)
            averaged.to(device)  # type: ignore[arg-type]

        extra.append(SamplePictures(run / "log", every_seconds=config.training.picture_seconds, draw=draw))
    _fit(
        run,
        module,
        budget,
        config,
        stage="denoiser",
        clip=config.denoiser.gradient_clip,
        extra=extra,
        show_progress=show_progress,
    )
    return module.averaged_denoiser()


def _fit(
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
        title = "training codecs" if stage == "codec" else "training denoiser"
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
