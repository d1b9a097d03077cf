"""From tiles to a pipeline: training, put together and saved in a run folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from specdm.errors import RunError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.drawing import Drawing
from specdm.models.joint_model import JointModel
from specdm.scenes.write_failures import whole_file
from specdm.synthesis.calibration import fit_calibration
from specdm.synthesis.coherence import fitted_coherence
from specdm.synthesis.draws import TileDraws, tile_draws
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.tiles.fingerprint import fingerprint
from specdm.tiles.tileset import TileSet
from specdm.training.config import RunConfig, load_config
from specdm.training.ranks import Ranks, together
from specdm.training.run_lock import run_lock
from specdm.training.stages import train_stages
from specdm.training.tile_tensors import LatentTiles, check_trainable

TILES_PRINT = Path("checkpoints", "tiles.sha256")
"""What tells the tiles that a run was trained on."""

CALIBRATION_BATCH = 32
CALIBRATION_SEED = 2_000_000_011
"""Added to the run's seed, so that no tile that a user draws is likely to be among those drawn for calibration."""


def fit(
    tiles: TileSet, *, preset: str = "tiny", run: str | Path | None = None, show_progress: bool = True, **settings: Any
) -> SpecDMPipeline:
    """Train on a tile set.

    Args:
        tiles: training tiles; of a set with several splits only `train` is used. Those of imagery that nobody
            labelled (`TileSet.annotated`) teach what images look like.
        preset: "tiny", "base", "large" or "ldm", the baseline.
        run: folder for checkpoints, logs and the model; default: a temporary one.
        show_progress: bars on the terminal.
        settings: single keys with a double underscore for the dot, such as `denoiser__steps=500`.

    Raises:
        ConfigError: an unknown key or a value out of range.
        TrainingError: no labelled pixel, or a loss that is not finite.
    """
    overrides = {"tiles.size": tiles.size, **{key.replace("__", "."): value for key, value in settings.items()}}
    config = load_config(preset=preset, overrides=overrides)
    if run is not None:
        return train_run(Path(run), tiles=tiles, config=config, show_progress=show_progress)
    with tempfile.TemporaryDirectory(prefix="specdm-") as folder:
        return train_run(Path(folder), tiles=tiles, config=config, show_progress=show_progress)


def train_run(run: Path, *, tiles: TileSet, config: RunConfig, show_progress: bool = True) -> SpecDMPipeline:
    """Train in a run folder, going on from what is there; a finished run is loaded.

    With several devices or nodes (`config.training`) every process that trains runs the same script and comes here;
    the folder must be one that all of them see. The first writes, all return the model.

    Raises:
        RunError: the folder holds a run of another configuration, or a damaged checkpoint; or another process is
            writing into it.
        TrainingError: no labelled pixel, a loss that is not finite, or another process is lost.
        ConfigError: more devices than there are.
    """
    with together(config.training) as ranks:
        run = ranks.told(run)
        _check_fits(run, tiles, config=config)
        if ranks.told((run / "model").exists()):
            return SpecDMPipeline.from_pretrained(run / "model")
        with run_lock(run, what="training", ranks=ranks):
            # another process may have trained it meanwhile
            pipeline = None
            if not ranks.told((run / "model").exists()):
                pipeline = _trained(run, tiles, config=config, ranks=ranks, show_progress=show_progress)
            ranks.wait_for(run / "model")
        return SpecDMPipeline.from_pretrained(run / "model") if pipeline is None else pipeline


def _check_fits(run: Path, tiles: TileSet, *, config: RunConfig) -> None:
    written = run / "config.yaml"
    if written.exists():
        # what it does not name is as its preset has it now: settings that came later do not tell runs apart
        _check_same(load_config(file=written), config, run)
    if config.tiles.size != tiles.size:
        raise RunError(f"{run}: tiles.size is {config.tiles.size}, but the tiles have {tiles.size} px")
    known = run / TILES_PRINT
    if known.is_file() and known.read_text() != fingerprint(tiles.train):
        raise RunError(
            f"{run}: holds a run of other training tiles than {tiles.where}; choose another folder or remove this one"
        )


def _trained(
    run: Path, tiles: TileSet, *, config: RunConfig, ranks: Ranks, show_progress: bool
) -> SpecDMPipeline | None:
    """Train; the first process saves the model and returns it."""
    train = tiles.train
    check_trainable(train)
    if ranks.first:
        run.mkdir(parents=True, exist_ok=True)
        for leftover in run.glob(".model.*.partial"):  # of a process that was killed while it saved
            shutil.rmtree(leftover, ignore_errors=True)
        with whole_file(run / "config.yaml") as partial:  # cut short, the run could not be gone on with
            partial.write_text(config.to_yaml())
        if not (run / TILES_PRINT).exists():
            (run / TILES_PRINT).parent.mkdir(exist_ok=True)
            with whole_file(run / TILES_PRINT) as partial:
                partial.write_text(fingerprint(train))
    facts = TileFacts.of(train)
    defaults = SamplingDefaults(
        steps=config.sampling.steps,
        level_shift=config.sampling.level_shift,
        mask_level_shift=config.sampling.mask_level_shift,
        masks_first=config.denoiser.masks_first,
        guidance=config.sampling.guidance,
        composition_strength=config.sampling.composition_strength,
        sensor_noise=config.sampling.sensor_noise,
        dense=config.sampling.dense,
    )

    def assemble(model: JointModel, latents: LatentTiles) -> SpecDMPipeline:
        prior = CompositionPrior.fitted(latents.compositions, shares=latents.shares)
        return SpecDMPipeline(model=model, prior=prior, facts=facts, defaults=defaults)

    def draw_samples(model: JointModel, latents: LatentTiles, path: Path) -> None:
        assemble(model, latents).sample(8, seed=config.seed).plot(8, path=path)

    trained = train_stages(
        run,
        tiles=train,
        held_out=tiles.val,
        config=config,
        ranks=ranks,
        show_progress=show_progress,
        draw_samples=draw_samples,
    )
    if not ranks.first:
        return None
    pipeline = assemble(trained.model, trained.latents)
    pipeline.reader = trained.reader
    pipeline.to(device_of(config.training.accelerator))
    # drawn tiles have the ground of labelled scenes, also where they are not labelled
    labelled = trained.tiles.of_labelled_scenes()
    coherence = coherence_of(pipeline, config, labelled, drawing=pipeline.drawing())
    pipeline.defaults = replace(defaults, mask_coherence=coherence)
    if config.sampling.calibration_tiles:
        drawn = some_latents(pipeline, config, drawing=pipeline.drawing())
        pipeline.calibration = fit_calibration(trained.model, drawn, labelled)
    pipeline.to("cpu")
    pipeline.save_pretrained(run / "model")
    return pipeline


def device_of(accelerator: str) -> str:
    """Where training ran, as far as torch names it."""
    return "cuda" if accelerator in ("auto", "gpu", "cuda") and torch.cuda.is_available() else "cpu"


def some_latents(pipeline: SpecDMPipeline, config: RunConfig, *, drawing: Drawing) -> torch.Tensor:
    """Latents drawn so, for the calibration of what is drawn so."""
    return torch.cat([pipeline.latents_of(draws, drawing=drawing) for draws in calibration_draws(pipeline, config)])


def coherence_of(pipeline: SpecDMPipeline, config: RunConfig, tiles: TileSet, *, drawing: Drawing) -> float:
    """The setting, or what masks drawn so need to be like those of these tiles."""
    if config.sampling.mask_coherence is not None:
        return config.sampling.mask_coherence
    if not config.sampling.calibration_tiles:
        return 0.0
    # masks have many pixels: the first of these tiles tell as much as all
    return fitted_coherence(drawing, islice(calibration_draws(pipeline, config), 1), tiles)


def calibration_draws(pipeline: SpecDMPipeline, config: RunConfig) -> Iterator[TileDraws]:
    """What the tiles drawn for calibration start from, some at a time."""
    most, seed = config.sampling.calibration_tiles, CALIBRATION_SEED + config.seed
    for start in range(0, most, CALIBRATION_BATCH):
        index = range(start, min(start + CALIBRATION_BATCH, most))
        yield tile_draws(index, seed=seed, shape=pipeline.white_shape, prior=pipeline.prior, composition=None)


def _check_same(there: RunConfig, wanted: RunConfig, run: Path) -> None:
    """Budgets, what is drawn after training and the machine may change between calls; of a finished run the last."""
    finished = (run / "model").is_dir()
    budgets = {stage: {"minutes", "steps"} for stage in ("codec", "reader", "denoiser")}
    free = {"training": True, "distillation": True, **({} if finished else {"sampling": True, **budgets})}
    first, second = (_flat(c.model_dump(mode="json", exclude=free)) for c in (there, wanted))  # type: ignore[arg-type]
    differing = [key for key in first if first[key] != second.get(key)]
    if differing:
        key = differing[0]
        raise RunError(
            f"{run}: holds a {'finished ' if finished else ''}run of another configuration ({key} is {first[key]!r} "
            f"there, {second.get(key)!r} asked for); choose another folder or remove this one"
        )


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value})
    return flat
