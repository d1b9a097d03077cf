"""From noise to latents: a second-order multistep solver of the flow, as plain functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from specdm.models.flow import interpolate, level_by_channel, shift_levels

Velocity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""`(noisy (n, channels, y, x), levels (n, streams, y, x)) -> velocity (n, channels, y, x)`."""

Progress = Callable[[int, int, torch.Tensor], None]
"""Called after each step with the step, the number of steps and the current estimate of the latents."""


def level_grid(steps: int, *, shift: float) -> torch.Tensor:
    """Noise levels from 1 to 0, `(steps + 1,)`, more of them at the noisy end for shift > 1."""
    return shift_levels(torch.linspace(1, 0, steps + 1), shift)


def guided_velocity(
    velocity: Velocity,
    unguided: Velocity,
    *,
    stream_channels: tuple[int, ...],
    groups: Sequence[Sequence[int]],
    noise: torch.Tensor,
    guidance: float,
) -> Velocity:
    """Pull every group of streams towards agreement with the others and with the condition: v + g (v - v alone).

    Classifier-free guidance (Ho & Salimans 2022, eq. 6) with the other streams in the place of the class;
    noise level 1 makes them unknown (Bao et al. 2023, section 3.4). Costs one evaluation more a group. Streams that
    tell nearly all of each other, such as the dates of one place, belong in one group: pulled apart by guidance they
    only gain contrast.

    Args:
        velocity: the model, told its condition.
        unguided: the model without condition, asked with the streams of all other groups unknown.
        stream_channels: latent channels of each stream.
        groups: numbers of the streams of each group; together all streams, each once.
        noise: `(n, channels, y, x)`, what stands where a stream is unknown.
        guidance: g; at 0 this is `velocity`.
    """
    if guidance == 0.0 or len(groups) == 1:
        return velocity

    def guided(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        joint = velocity(noisy, levels)
        alone = torch.zeros_like(joint)
        for group in groups:
            own = torch.zeros(1, len(stream_channels), 1, 1, device=noisy.device)
            own[:, list(group)] = 1.0
            own_channels = level_by_channel(own, stream_channels)
            apart = torch.where(own_channels > 0, noisy, noise)
            alone = alone + own_channels * unguided(apart, torch.where(own > 0, levels, 1.0))
        return joint + guidance * (joint - alone)

    return guided


def solve_flow(
    velocity: Velocity,
    noise: torch.Tensor,
    *,
    stream_channels: tuple[int, ...],
    steps: int,
    shift: float | Sequence[float] = 1.0,
    known: torch.Tensor | None = None,
    latents: torch.Tensor | None = None,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Integrate dz/dt = velocity from t = 1 to t = 0 with the two-step Adams-Bashforth rule for uneven steps.

    One evaluation a step; the first step is Euler's. Streams may go down on grids of their own: one with a smaller
    shift is resolved before the others, which are then drawn to fit it.

    Args:
        velocity: the model.
        noise: `(n, channels, y, x)`, standard normal.
        stream_channels: latent channels of each stream.
        steps: number of steps, at least 1.
        shift: of the grid of levels, see `level_grid`; one for all streams or one each.
        known: `(n, streams, y, x)`, True where a cell stays as it is in `latents`.
        latents: `(n, channels, y, x)`, read where known.

    Returns:
        Latents `(n, channels, y, x)`.
    """
    streams = len(stream_channels)
    shifts = [shift] * streams if isinstance(shift, (int, float)) else list(shift)
    grids = torch.stack([level_grid(steps, shift=s) for s in shifts], dim=1).to(noise)
    n, _, height, width = noise.shape
    free = torch.ones(n, streams, height, width, device=noise.device)
    if known is not None:
        free = (~known).to(noise.dtype)
    free_channels = level_by_channel(free, stream_channels)
    state = noise if latents is None else interpolate(latents, noise, free_channels)
    previous, previous_step = None, torch.ones(())
    for i in range(steps):
        now = velocity(state, free * grids[i][:, None, None])
        step = level_by_channel((grids[i + 1] - grids[i])[None, :, None, None], stream_channels)
        slope = now
        if previous is not None:
            slope = now + step / (2 * previous_step) * (now - previous)
        state = state + step * slope * free_channels
        previous, previous_step = now, step
        if progress is not None:
            left = level_by_channel(grids[i + 1][None, :, None, None], stream_channels)
            progress(i + 1, steps, state - left * now * free_channels)
    return state
