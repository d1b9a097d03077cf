"""The models of speed.py: SpecDM and the stock latent diffusion of the same minutes, kept; SpecDM of many bands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import xarray as xr
from fidelity import Machine, latent_channels, plan, training_minutes
from fidelity_sets import SETS, STOCK, Job

if TYPE_CHECKING:
    from ldm_diffusers import Trained

    from specdm.scenes.scene import Scene
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.tileset import TileSet

SEED, SIZE, BAND_TILES, FEW_STEPS = 0, 32, 96, 4
PARTS = ("mean", "std", "amount_mean", "amount_std")


def job_of(name: str, method: str, minutes: float) -> Job:
    """The job of fidelity.py with seed 0: with --work of its folder, SpecDM's finished runs are taken from there."""
    return Job(next(one for one in SETS if one.name == name), method, SEED, minutes)


def tiles_of(job: Job, machine: Machine) -> TileSet:
    """The real tiles, cut if need be; in the run folder of SpecDM's."""
    from specdm.training.ranks import ALONE

    return plan(job, machine, run=machine.work / job.name).tiles(ALONE)


def trained_specdm(job: Job, machine: Machine, real: TileSet) -> SpecDMPipeline:
    """Trained as `specdm train` does, or loaded: without what trains, whose memory is no sampler's."""
    from specdm.synthesis.pipeline import SpecDMPipeline

    run = machine.work / job.name
    if (run / "model").is_dir():
        return SpecDMPipeline.from_pretrained(run / "model").to(machine.device)
    return plan(job, machine, run=run).train(real).to(machine.device)


def trained_stock(job: Job, machine: Machine, real: TileSet) -> Trained:
    """Trained by `ldm_diffusers`, as long as SpecDM with its calibration; or loaded."""
    from ldm_diffusers import train

    folder = machine.work / job.name / "stock"
    if not (folder / "facts.json").is_file():
        codec = plan(job, machine, run=machine.work / job.name).config.codec
        trained = train(
            real,
            minutes=training_minutes(job),
            seed=SEED,
            device=machine.device,
            factor=codec.factor,
            latent_channels=latent_channels(real.train, codec),
        )
        trained.autoencoder.save_pretrained(folder / "autoencoder")
        trained.denoiser.save_pretrained(folder / "denoiser")
        torch.save({part: getattr(trained.channels, part) for part in PARTS}, folder / "channels.pt")
        # last: what is cut short before it is trained again
        (folder / "facts.json").write_text(json.dumps(trained.facts, indent=1))
    return load_stock(folder, real, device=machine.device)


def load_stock(folder: Path, real: TileSet, *, device: str) -> Trained:
    """The stock model from its folder, and the layout of the tiles from the real ones."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d import UNet2DModel
    from ldm_channels import Channels
    from ldm_diffusers import Trained

    autoencoder, denoiser = (
        kind.from_pretrained(folder / name, low_cpu_mem_usage=False).eval().to(device)
        for kind, name in ((AutoencoderKL, "autoencoder"), (UNet2DModel, "denoiser"))
    )
    channels = Channels(real, **torch.load(folder / "channels.pt", weights_only=True))
    return Trained(channels, autoencoder, denoiser, json.loads((folder / "facts.json").read_text()))


def stock_folder(name: str, machine: Machine, minutes: float) -> Path:
    return machine.work / job_of(name, STOCK, minutes).name / "stock"


def barely_trained(bands: int, machine: Machine) -> SpecDMPipeline:
    """SpecDM's preset of so many bands after a few steps, or loaded: how fast it is does not depend on the weights."""
    from specdm.synthesis.fit import fit
    from specdm.synthesis.pipeline import SpecDMPipeline

    run = machine.work / f"bands-{bands}"
    if not (run / "model").is_dir():
        tiles = _scene(bands).tile(size=SIZE, split="none", max_train_tiles=BAND_TILES)
        settings: dict[str, Any] = {f"{stage}__steps": FEW_STEPS for stage in ("codec", "reader", "denoiser")}
        settings |= {"training__accelerator": machine.device, "training__picture_seconds": 1e9}
        fit(tiles, run=run, show_progress=False, sampling__calibration_tiles=16, **settings)
    return SpecDMPipeline.from_pretrained(run / "model").to(machine.device)


def _scene(bands: int) -> Scene:
    """Indian Pines with its spectra interpolated to so many bands, and 1 % of noise, without which they repeat."""
    from specdm.scenes.samples import indian_pines
    from specdm.scenes.scene import Scene

    scene = indian_pines()
    there = scene.dataset["wavelength"].values
    wanted = np.linspace(there[0], there[-1], bands)
    image = scene.dataset["image"].values[0]
    right = np.clip(np.searchsorted(there, wanted), 1, len(there) - 1)
    share = ((wanted - there[right - 1]) / (there[right] - there[right - 1]))[:, None, None]
    values = (1 - share) * image[right - 1] + share * image[right]
    values += 0.01 * image.std() * np.random.default_rng(SEED).standard_normal(values.shape)
    return Scene.create(
        image=xr.DataArray(values[None].astype(np.float32), dims=("date", "band", "y", "x")),
        mask=scene.dataset["mask"].drop_vars("layer").assign_coords(layer=["class"]),
        classes=scene.classes,
        wavelength=wanted,
        name=f"Indian Pines, {bands} bands",
    )
