"""The stages of a run, each picked up where its folder left off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import lightning as L

from specdm.models.codecs import Codec
from specdm.models.denoiser import JointDenoiser
from specdm.models.joint_model import JointModel
from specdm.models.latent_noise import noise_reach
from specdm.models.mask_reader import MaskReader
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.streams import PAIR, Stream
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.codec_training import CodecTraining
from specdm.training.completed_masks import learnt_tiles
from specdm.training.compositions import part_names
from specdm.training.config import RunConfig
from specdm.training.denoiser_training import DenoiserTraining
from specdm.training.new_codecs import new_codecs
from specdm.training.ranks import ALONE, Ranks
from specdm.training.reader_training import trained_reader
from specdm.training.sample_pictures import SamplePictures
from specdm.training.stage_fitting import fit_stage, seeded
from specdm.training.tile_tensors import (
    LatentTiles,
    check_trainable,
    encode_tiles,
    fit_latents,
    load_part,
    tile_streams,
)

MASK_PATCH = 2
"""Cells along a square that the network of class masks takes at once, where tiles can be cut into such."""

DrawSamples = Callable[[JointModel, LatentTiles, Path], None]
"""Writes a picture of a few samples of an unfinished model."""


@dataclass(frozen=True)
class TrainedParts:
    """What training makes.

    Attributes:
        model: with EMA weights.
        reader: of masks; None for a model that encodes image and mask together.
        latents: that the denoiser was trained on.
        tiles: of which these are, with labels read where there were few.
    """

    model: JointModel
    reader: MaskReader | None
    latents: LatentTiles
    tiles: TileSet


def train_stages(
    run: Path,
    *,
    tiles: TileSet,
    held_out: TileSet,
    config: RunConfig,
    ranks: Ranks = ALONE,
    show_progress: bool = True,
    draw_samples: DrawSamples | None = None,
) -> TrainedParts:
    """Train codecs, then what reads masks, then the denoiser, from training tiles; `held_out` are validation tiles.

    Writes `checkpoints/codecs/` and `checkpoints/reader/` when these are done, `checkpoints/STAGE.ckpt` (at most
    `training.checkpoint_seconds` old) during a stage, and `log/`. Called again after an interruption it goes
    on from there.

    Tiles of imagery that nobody labelled teach what images look like, and nothing about masks. A model of one codec
    for all (`codec.together`) cannot tell unknown from unlabelled and is trained without them.

    Of several processes (`ranks`, joined by `specdm.training.ranks.together`) the first writes, and makes what there is
    one of; each trains on its share of every batch. All return the same.

    Returns:
        The model with EMA weights on the CPU, the reader, and the latents the denoiser was trained on.

    Raises:
        TrainingError: no labelled pixel, or a loss that is not finite.
        RunError: a damaged checkpoint.
    """
    check_trainable(tiles)
    if config.codec.together:
        tiles = tiles.of_labelled_scenes()
    streams = (PAIR,) if config.codec.together else tile_streams(tiles)
    codecs = _trained_codecs(run, streams, tiles, config=config, ranks=ranks, show_progress=show_progress)
    denoiser = _new_denoiser(streams, codecs, tiles, config=config)
    model = JointModel(streams=streams, codecs=codecs, denoiser=denoiser)
    model.eval()
    reader = None
    if not config.codec.together:
        reader = trained_reader(
            run, model, tiles, held_out=held_out, config=config, ranks=ranks, show_progress=show_progress
        )
    tiles = learnt_tiles(model, reader, tiles, below=config.denoiser.read_masks_below)
    latents = encode_tiles(model, tiles, seed=config.seed)
    latents = fit_latents(denoiser, latents, streams=streams)
    averaged = _trained_denoiser(
        run,
        model,
        latents,
        config=config,
        ranks=ranks,
        show_progress=show_progress,
        draw_samples=draw_samples,
    )
    trained = JointModel(streams=streams, codecs=codecs, denoiser=averaged.cpu())
    return TrainedParts(trained.eval(), reader, latents, tiles)


def _trained_codecs(
    run: Path, streams: tuple[Stream, ...], tiles: TileSet, *, config: RunConfig, ranks: Ranks, show_progress: bool
) -> dict[str, Codec]:
    folder = run / "checkpoints" / "codecs"
    if ranks.told(folder.exists()):
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
    # a closed form may come out with other signs on another machine
    ranks.give(list(codecs.values()))  # type: ignore[arg-type]
    module = CodecTraining(
        streams=streams, codecs=codecs, tiles=part, config=config.codec, seed=config.seed, share=ranks.share
    )
    budget = Budget(
        steps=config.codec.steps,
        minutes=config.codec.minutes,
        learning_rate=config.codec.learning_rate,
        warmup_steps=50,
        decay_share=1.0,
    )
    fit_stage(
        run, module, budget, config, stage="codec", clip=None, extra=[], ranks=ranks, show_progress=show_progress
    )
    module.codecs.cpu().eval()
    if ranks.first:
        module.cpu().fit_latent_statistics()
    ranks.give(list(codecs.values()))  # type: ignore[arg-type]
    if ranks.first:
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
    set_, cells = config.denoiser, tiles.size // config.codec.factor
    masks = [s for s, stream in enumerate(streams) if stream.kind in ("classes", "labelled")]
    amounts = any(stream.kind == "amounts" for stream in streams)
    alone = bool(masks and set_.mask_widths and set_.masks_first and not amounts)
    in_patches = alone and cells % (MASK_PATCH * 2 ** (len(set_.mask_widths) - 1)) == 0
    with seeded(config.seed + 1):
        return JointDenoiser(
            stream_channels=tuple(codecs[stream.codec].latent_channels for stream in streams),
            conditions=sum(map(len, part_names(tiles))),
            widths=set_.widths,
            layers=set_.layers,
            head_channels=set_.head_channels,
            noise_reach=noise_reach(cells) if set_.coloured_noise else 0,
            mask_streams=tuple(masks) if alone else (),
            mask_widths=set_.mask_widths if alone else (),
            mask_patch=MASK_PATCH if in_patches else 1,
        )


def _trained_denoiser(
    run: Path,
    model: JointModel,
    latents: LatentTiles,
    *,
    config: RunConfig,
    ranks: Ranks,
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
        share=ranks.share,
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
    fit_stage(
        run,
        module,
        budget,
        config,
        stage="denoiser",
        clip=config.denoiser.gradient_clip,
        extra=extra,
        ranks=ranks,
        show_progress=show_progress,
        coarse=True,
    )
    return module.averaged_denoiser().requires_grad_(True)
