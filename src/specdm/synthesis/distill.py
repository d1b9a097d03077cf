"""From a trained pipeline to one that draws in few evaluations too."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from specdm.errors import ModelError
from specdm.models.drawing import Drawing
from specdm.models.few_steps import jumps_of
from specdm.models.joint_model import JointModel
from specdm.synthesis.calibration import fit_calibration
from specdm.synthesis.distilled import Distilled, check_evaluations, part_name
from specdm.synthesis.fit import coherence_of, device_of, some_latents
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.tileset import TileSet
from specdm.training.budget import Budget
from specdm.training.completed_masks import learnt_tiles
from specdm.training.config import RunConfig, load_config
from specdm.training.distillation import Distillation
from specdm.training.stage_fitting import fit_stage
from specdm.training.teacher_tiles import TeacherTiles, teacher_tiles
from specdm.training.tile_tensors import encode_tiles

Callback = Callable[[int, int], None]

LONGER = 3
"""Times the budget of the denoiser. Masks of four evaluations go on getting better (Fréchet distance 254 after 800
steps, 233 after 1,600; all steps of the trained model: 211)."""


def distill(
    pipeline: SpecDMPipeline,
    tiles: TileSet,
    *,
    evaluations: int = 4,
    preset: str = "tiny",
    show_progress: bool = True,
    **settings: Any,
) -> SpecDMPipeline:
    """Distil a trained pipeline to few evaluations of its network, all in all.

    What comes back draws as before, and by `sample(evaluations=...)` in so many evaluations. It takes three times as
    long as the training of the denoiser, and the time to draw `distillation.teacher_tiles` tiles before it.

    Args:
        pipeline: trained; stays as it is.
        tiles: that it was trained on; of a set with several splits only `train` is used.
        evaluations: 1 to 16; 4 is a good choice, with 1 masks and images are drawn at one blow.
        preset: whose budget and settings hold.
        show_progress: bars on the terminal.
        settings: single keys with a double underscore for the dot, such as `distillation__minutes=3`.

    Raises:
        ConfigError: an unknown key or a value out of range.
        ModelError: the number of evaluations is out of range, or the tiles do not fit the model.
        TrainingError: a loss that is not finite.
    """
    overrides = {"tiles.size": tiles.size, **{key.replace("__", "."): value for key, value in settings.items()}}
    config = load_config(preset=preset, overrides=overrides)
    with tempfile.TemporaryDirectory(prefix="specdm-") as folder:
        return distilled_pipeline(
            pipeline, tiles, run=Path(folder), config=config, evaluations=evaluations, show_progress=show_progress
        )


def distilled_pipeline(
    pipeline: SpecDMPipeline,
    tiles: TileSet,
    *,
    run: Path,
    config: RunConfig,
    evaluations: int,
    show_progress: bool = True,
    callback: Callback | None = None,
) -> SpecDMPipeline:
    """The same in a run folder, going on from what is there.

    Writes `checkpoints/teacher_tiles/`, which serve any number of evaluations, `checkpoints/distilled_N.ckpt` and
    `log/`; the model is for the caller to save. One device is used, whatever the settings say.

    Args:
        pipeline: trained; stays as it is, on the CPU in the end.
        tiles: that it was trained on.
        run: folder.
        config: of the run.
        evaluations: of the network, all in all.
        show_progress: bars on the terminal.
        callback: called with (tiles of the teacher drawn, all).

    Raises:
        ModelError, TrainingError: see `distill`.
        RunError: a damaged checkpoint.
    """
    check_evaluations(evaluations)
    train = tiles.train
    if (difference := pipeline.facts.difference(train)) is not None:
        raise ModelError(f"{tiles.where}: {difference}")
    training = config.training.model_copy(update={"devices": 1, "nodes": 1})
    config = config.model_copy(update={"training": training})
    pipeline.to(device_of(training.accelerator))
    train = learnt_tiles(pipeline.model, pipeline.reader, train, below=config.denoiser.read_masks_below)
    teacher = _teacher_tiles(pipeline, train, run=run, config=config, callback=callback)
    jumps = tuple(jumps_of(len(pipeline.drawing().stages), evaluations))
    drawing = _drawing(pipeline, pipeline.drawing(), jumps)
    module = Distillation(
        drawing=drawing,
        tiles=teacher,
        config=config.distillation,
        mask_loss_weight=config.denoiser.mask_loss_weight,
        seed=config.seed,
    )
    _forget_other(run, evaluations, f"{pipeline.model_id} {config.seed} {jumps} {_settings(config)}")
    fit_stage(
        run,
        module,
        _budget(config),
        config,
        stage=part_name(evaluations),
        clip=config.distillation.gradient_clip,
        extra=[],
        show_progress=show_progress,
        loss="distilled_loss",
        coarse=True,
    )
    model = _with_denoiser(pipeline.model, module.averaged_denoiser().requires_grad_(True)).to(pipeline.model.device)
    labelled, calibration = train.of_labelled_scenes(), None
    drawing = replace(drawing, model=model)
    # what jumps draw is dotted more than what it is taught by
    drawing = replace(drawing, mask_coherence=coherence_of(pipeline, config, labelled, drawing=drawing))
    if pipeline.calibration is not None:
        calibration = fit_calibration(model, some_latents(pipeline, config, drawing=drawing), labelled)
    distilled = Distilled(model, jumps, calibration, pipeline.defaults.guidance, drawing.mask_coherence)
    found = SpecDMPipeline(
        model=pipeline.model,
        prior=pipeline.prior,
        facts=pipeline.facts,
        defaults=pipeline.defaults,
        calibration=pipeline.calibration,
        reader=pipeline.reader,
        distilled={**pipeline.distilled, evaluations: distilled},
    )
    return found.to("cpu")


def _settings(config: RunConfig) -> str:
    """What a checkpoint of other settings must not be gone on from; it may train for longer."""
    return config.distillation.model_dump_json(exclude={"minutes", "steps"})


def _forget_other(run: Path, evaluations: int, origin: str) -> None:
    """Take away the checkpoint of another model or other settings, and note what the next one is of."""
    checkpoint = run / "checkpoints" / f"{part_name(evaluations)}.ckpt"
    mark = checkpoint.with_suffix(".origin")
    if not mark.exists() or mark.read_text() != origin:
        mark.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.unlink(missing_ok=True)
        mark.write_text(origin)


def _teacher_tiles(
    pipeline: SpecDMPipeline, train: TileSet, *, run: Path, config: RunConfig, callback: Callback | None
) -> TeacherTiles:
    set_, defaults = config.distillation, pipeline.defaults
    real = encode_tiles(pipeline.model, train, seed=config.seed)
    return teacher_tiles(
        run / "checkpoints" / "teacher_tiles",
        n=set_.teacher_tiles,
        drawing=pipeline.drawing(),
        prior=pipeline.prior,
        real=real,
        given_share=set_.given_share,
        seed=config.seed,
        origin=f"{pipeline.model_id} {defaults} seed {config.seed} given {set_.given_share}",
        callback=callback,
    )


def _drawing(pipeline: SpecDMPipeline, teacher: Drawing, jumps: tuple[int, ...]) -> Drawing:
    """How the distilled model draws: with a network of its own that begins as the trained one."""
    student = _with_denoiser(pipeline.model, copy.deepcopy(pipeline.model.denoiser).requires_grad_(True))
    return replace(teacher, model=student, guidance=0.0, jumps=jumps)


def _with_denoiser(model: JointModel, denoiser: torch.nn.Module) -> JointModel:
    return JointModel(streams=model.streams, codecs=dict(model.codecs), denoiser=denoiser).eval()  # type: ignore[arg-type]


def _budget(config: RunConfig) -> Budget:
    """`LONGER` than the denoiser was trained, if nothing is said."""
    set_, long = config.distillation, config.denoiser
    said = set_.steps is not None or set_.minutes is not None
    return Budget(
        steps=set_.steps if said or long.steps is None else LONGER * long.steps,
        minutes=set_.minutes if said or long.minutes is None else LONGER * long.minutes,
        learning_rate=set_.learning_rate,
        warmup_steps=set_.warmup_steps,
        decay_share=set_.decay_share,
    )
