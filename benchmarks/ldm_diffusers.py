"""The stock way to write image-mask pairs today: latent diffusion with diffusers' own parts, nothing of SpecDM's.

Image bands, each standardised, and one-hot masks (or amounts) concatenated; `AutoencoderKL`, then `UNet2DModel` with
`DDPMScheduler`, drawn with `DDIMScheduler`. Losses, optimisers and averaged weights are those of diffusers' training
scripts; learning rates suit minutes rather than days.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d import UNet2DModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.training_utils import EMAModel
from ldm_channels import Channels
from torch.nn.functional import mse_loss

from specdm.tiles.tileset import TileSet
from specdm.training.orientations import ORIENTATIONS, orient
from specdm.training.tile_tensors import load_part

AUTOENCODER_SHARE = 0.8 / 5.5
"""Of the minutes: as the preset `tiny` shares them."""

WIDTHS = (64, 128)
AUTOENCODER_BATCH, BATCH = 4, 16
"""The autoencoder works at full resolution: with larger batches minutes are only tens of steps."""

AUTOENCODER_RATE, DENOISER_RATE = 4.5e-4, 4.5e-4
KL_WEIGHT = 1e-6
WARMUP_STEPS = 100
SOLVER_STEPS = 50
LATENT_BYTES = 1_500_000_000


@dataclass(frozen=True)
class Trained:
    """A trained model.

    Attributes:
        channels: how its channels become tiles.
        autoencoder, denoiser: diffusers' modules; `scaling_factor` is in the autoencoder's config.
        facts: seconds, steps and sizes.
    """

    channels: Channels
    autoencoder: AutoencoderKL
    denoiser: UNet2DModel
    facts: dict[str, Any]

    @torch.no_grad()
    def sample(self, n: int, *, seed: int, first: int = 0, batch_size: int = 32) -> TileSet:
        """New tiles; tile i depends on the seed and i only."""
        device = self.denoiser.device
        cells = self.denoiser.config["sample_size"]
        schedule = DDIMScheduler(num_train_timesteps=1000, clip_sample=False)
        schedule.set_timesteps(SOLVER_STEPS)
        drawn = []
        for start in range(first, first + n, batch_size):
            indices = range(start, min(start + batch_size, first + n))
            shape = (self.denoiser.config["in_channels"], cells, cells)
            latents = torch.stack([torch.randn(shape, generator=_generator(seed, i)) for i in indices]).to(device)
            for level in schedule.timesteps:
                noise = self.denoiser(latents, level).sample
                latents = schedule.step(noise, level, latents).prev_sample
            drawn.append(self.autoencoder.decode(latents / self.autoencoder.config["scaling_factor"]).sample.cpu())
        return self.channels.tile_set(torch.cat(drawn), seed=seed, first=first)


def train_and_sample(
    tiles: TileSet, *, n: int, minutes: float, seed: int, device: str, factor: int = 2, latent_channels: int = 32
) -> tuple[TileSet, dict[str, Any]]:
    """Train on the training tiles and draw `n` synthetic ones.

    Args:
        tiles: the whole real set.
        n: tiles to draw.
        minutes: of training, both networks together.
        seed: of everything.
        device: "cpu" or "cuda".
        factor: pixels along a latent cell, a power of two.
        latent_channels: of the autoencoder.

    Returns:
        The tiles, and seconds, steps and sizes by name.
    """
    trained = train(tiles, minutes=minutes, seed=seed, device=device, factor=factor, latent_channels=latent_channels)
    began = time.monotonic()
    drawn = trained.sample(n, seed=seed)
    return drawn, {**trained.facts, "sample_seconds": round(time.monotonic() - began, 2)}


def train(
    tiles: TileSet, *, minutes: float, seed: int, device: str, factor: int = 2, latent_channels: int = 32
) -> Trained:
    """Train the autoencoder, then the denoiser on its latents; see `train_and_sample`."""
    torch.manual_seed(seed)
    pixels = load_part(tiles.train, seed=seed)
    channels = Channels.fitted(tiles, pixels)
    values = channels.of(pixels)
    down = int(math.log2(factor))
    autoencoder = AutoencoderKL(
        in_channels=values.shape[1],
        out_channels=values.shape[1],
        block_out_channels=(WIDTHS[0],) + (WIDTHS[1],) * down,
        down_block_types=("DownEncoderBlock2D",) * (down + 1),
        up_block_types=("UpDecoderBlock2D",) * (down + 1),
        latent_channels=latent_channels,
        norm_num_groups=32,
        sample_size=tiles.size,
    ).to(device)
    optimiser = torch.optim.Adam(autoencoder.parameters(), lr=AUTOENCODER_RATE)

    def autoencoder_loss(chosen: torch.Tensor) -> torch.Tensor:
        turns = torch.randint(ORIENTATIONS, (len(chosen),)).tolist()
        turned = torch.stack([orient(values[i], turn) for i, turn in zip(chosen, turns, strict=True)]).to(device)
        posterior = autoencoder.encode(turned).latent_dist
        decoded = autoencoder.decode(posterior.sample()).sample
        # sums over a tile, means over the batch, as in diffusers' train_autoencoderkl.py
        return mse_loss(decoded, turned, reduction="sum") / len(turned) + KL_WEIGHT * posterior.kl().mean()

    first = _fit(
        autoencoder_loss, optimiser, n=len(values), batch=AUTOENCODER_BATCH, minutes=minutes * AUTOENCODER_SHARE
    )
    began = time.monotonic()
    latents = _latents(autoencoder.eval(), values, device=device, seconds=first["seconds"])
    encode_seconds = time.monotonic() - began
    autoencoder.register_to_config(scaling_factor=1.0 / float(latents.std()))
    latents *= autoencoder.config["scaling_factor"]

    denoiser = UNet2DModel(
        sample_size=tiles.size // factor,
        in_channels=latent_channels,
        out_channels=latent_channels,
        block_out_channels=WIDTHS,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=32,
    ).to(device)
    average = EMAModel(denoiser.parameters(), decay=0.9999, use_ema_warmup=True, inv_gamma=1.0, power=0.75)
    schedule = DDPMScheduler(num_train_timesteps=1000)
    optimiser = torch.optim.AdamW(denoiser.parameters(), lr=DENOISER_RATE, betas=(0.95, 0.999), weight_decay=1e-6)

    def denoiser_loss(chosen: torch.Tensor) -> torch.Tensor:
        clean = latents[chosen].to(device)
        noise = torch.randn_like(clean)
        levels = torch.randint(schedule.config.num_train_timesteps, (len(clean),), device=device)
        return mse_loss(denoiser(schedule.add_noise(clean, noise, levels), levels).sample, noise)

    second = _fit(
        denoiser_loss,
        optimiser,
        n=len(latents),
        batch=BATCH,
        minutes=minutes * (1 - AUTOENCODER_SHARE),
        after_step=lambda: average.step(denoiser.parameters()),
    )
    average.copy_to(denoiser.parameters())
    facts = {
        "train_seconds": round(first["seconds"] + second["seconds"], 1),
        "encode_seconds": round(encode_seconds, 1),
        "encoded_orientations": len(latents) // len(values),
        "steps": {"autoencoder": first["steps"], "denoiser": second["steps"]},
        "losses": {"autoencoder": first["loss"], "denoiser": second["loss"]},
        "parameters": {
            name: sum(p.numel() for p in part.parameters())
            for name, part in (("autoencoder", autoencoder), ("denoiser", denoiser))
        },
        "settings": {
            "latent_channels": latent_channels,
            "factor": factor,
            "autoencoder_widths": list(autoencoder.config["block_out_channels"]),
            "denoiser_widths": list(WIDTHS),
            "batch_sizes": [AUTOENCODER_BATCH, BATCH],
            "learning_rates": [AUTOENCODER_RATE, DENOISER_RATE],
            "solver_steps": SOLVER_STEPS,
        },
    }
    return Trained(channels, autoencoder, denoiser.eval(), facts)


def _fit(
    loss_of: Callable[[torch.Tensor], torch.Tensor],
    optimiser: torch.optim.Optimizer,
    *,
    n: int,
    batch: int,
    minutes: float,
    after_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Steps until the minutes are over, the rate warmed up and falling as a cosine; at least one step."""
    began, steps, used, mean = time.monotonic(), 0, 0.0, math.nan
    peak = optimiser.param_groups[0]["lr"]
    batches = _batches(n, batch)
    while used < 1 or not steps:
        for group in optimiser.param_groups:
            group["lr"] = peak * min(1.0, (steps + 1) / WARMUP_STEPS) * 0.5 * (1 + math.cos(math.pi * used))
        loss = loss_of(next(batches))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(optimiser.param_groups[0]["params"], 1.0)
        optimiser.step()
        after_step()
        steps += 1
        mean = float(loss.detach()) if math.isnan(mean) else 0.98 * mean + 0.02 * float(loss.detach())
        used = (time.monotonic() - began) / (60 * minutes)
    return {"steps": steps, "seconds": time.monotonic() - began, "loss": float(f"{mean:.5g}")}


def _batches(n: int, batch: int) -> Iterator[torch.Tensor]:
    """Positions in ever new orders."""
    while True:
        yield from torch.randperm(n).split(batch)


@torch.no_grad()
def _latents(autoencoder: AutoencoderKL, values: torch.Tensor, *, device: str, seconds: float) -> torch.Tensor:
    """Latents of all tiles in as many of the eight orientations as memory and `seconds` allow, at least one."""
    began, encoded = time.monotonic(), []
    for orientation in range(ORIENTATIONS):
        encoded += [
            autoencoder.encode(orient(part, orientation).to(device)).latent_dist.sample().cpu()
            for part in values.split(64)
        ]
        size = sum(4 * part.numel() for part in encoded)
        share = (orientation + 2) / (orientation + 1)
        if size * share > LATENT_BYTES or (time.monotonic() - began) * share > seconds:
            break
    return torch.cat(encoded)


def _generator(seed: int, index: int) -> torch.Generator:
    state = np.random.SeedSequence([seed, index]).generate_state(2, np.uint32)
    return torch.Generator().manual_seed(int(state[0]) << 31 ^ int(state[1]))
