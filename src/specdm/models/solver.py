"""From noise to latents: a second-order multistep solver of the flow, as plain functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from specdm.models.flow import level_by_channel, shift_levels

Velocity = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""`(noisy (n, channels, y, x), levels (n, streams, y, x)) -> velocity (n, channels, y, x)`."""

Correction = Callable[[torch.Tensor], torch.Tensor]
"""Guess of the finished latents `(n, channels, y, x)` to a better one."""

Progress = Callable[[int, int, torch.Tensor], None]
"""Called after each step with the step, the number of steps and the current estimate of the latents."""

NOISIEST = 0.999
"""Level that a cell on its way is said to have at first: at 1 the network takes it for unknown and does not look."""


def level_grid(steps: int, *, shift: float) -> torch.Tensor:
    """Noise levels from 1 to 0, `(steps + 1,)`, more of them at the noisy end for shift > 1."""
    return shift_levels(torch.linspace(1, 0, steps + 1), shift)


def guided_velocity(
    velocity: Velocity,
    unguided: Velocity,
    *,
    stream_channels: tuple[int, ...],
    sides: Sequence[Sequence[int]],
    guidance: float,
) -> Velocity:
    """Pull each side towards agreement with the others and with the condition: v + g (v - v alone).

    Classifier-free guidance (Ho & Salimans 2022, eq. 6) with the other streams in the place of the class;
    noise level 1 makes them unknown (Bao et al. 2023, section 3.4). Costs one evaluation more a side.

    Args:
        velocity: the model, told its condition.
        unguided: the model without condition, asked with all streams but those of one side unknown.
        stream_channels: latent channels of each stream.
        sides: numbers of the streams of each side. Streams of a side stay known to each other: dates of one place
            tell nearly all of each other, and pulled apart by guidance they only gain contrast.
        guidance: g; at 0, or without a side, this is `velocity`.
    """
    if guidance == 0.0 or not sides:
        return velocity

    def guided(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        joint = velocity(noisy, levels)
        found = joint
        for side in sides:
            own = torch.zeros(1, len(stream_channels), 1, 1, device=noisy.device)
            own[:, list(side)] = 1.0
            alone = unguided(noisy, torch.where(own > 0, levels, 1.0))
            found = found + guidance * level_by_channel(own, stream_channels) * (joint - alone)
        return found

    return guided


def corrected_velocity(velocity: Velocity, correct: Correction, *, stream_channels: tuple[int, ...]) -> Velocity:
    """The velocity that leads to a corrected guess of the finished latents.

    z = z_t - t v is what the velocity leads to; with z' in its place v' = (z_t - z') / t.

    Args:
        velocity: the model.
        correct: guess of the finished latents `(n, channels, y, x)` -> better guess.
        stream_channels: latent channels of each stream.
    """

    def corrected(noisy: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        by_channel = level_by_channel(levels, stream_channels)
        found = velocity(noisy, levels)
        guess = noisy - by_channel * found
        return found + (guess - correct(guess)) / by_channel.clamp(min=1e-3)

    return corrected


def adams_bashforth(now: torch.Tensor, previous: torch.Tensor | None, *, ratio: float) -> torch.Tensor:
    """Slope of a step by the two-step Adams-Bashforth rule for uneven steps: v + r / 2 (v - v before).

    Args:
        now: velocity at the beginning of the step.
        previous: that of the step before; None for the first step, which is Euler's.
        ratio: r, length of the step over that of the step before.
    """
    return now if previous is None else now + ratio / 2 * (now - previous)


def solve_flow(
    velocity: Velocity,
    state: torch.Tensor,
    *,
    stream_channels: tuple[int, ...],
    grid: Sequence[float],
    straight: bool = False,
    free: torch.Tensor | None = None,
    levels: torch.Tensor | None = None,
    progress: Progress | None = None,
) -> torch.Tensor:
    """Integrate dz/dt = velocity from t = 1 to t = 0 with the two-step Adams-Bashforth rule for uneven steps.

    One evaluation a step; the first step is Euler's, and all are where paths are straight.

    Args:
        velocity: the model.
        state: `(n, channels, y, x)`, noise in cells that are free, see `JointDenoiser.noise`.
        stream_channels: latent channels of each stream.
        grid: noise levels from 1 to 0, see `level_grid`; one step fewer than levels.
        straight: the velocity leads straight to where the path ends, as that of a distilled model does.
        free: `(n, streams, y, x)`, True for cells that are drawn; the others stay as they are. Default: all.
        levels: `(n, streams, y, x)`, of the cells that are not free: 0 known, 1 unknown. Default: 0.

    Returns:
        Latents `(n, channels, y, x)`.
    """
    n, _, height, width = state.shape
    shape = (n, len(stream_channels), height, width)
    free = torch.ones(shape, dtype=torch.bool, device=state.device) if free is None else free
    others = torch.zeros(shape, device=state.device) if levels is None else levels
    moving = level_by_channel(free.to(state.dtype), stream_channels)
    steps = len(grid) - 1
    previous, previous_step = None, 1.0
    for i in range(steps):
        now = velocity(state, torch.where(free, min(grid[i], NOISIEST), others.to(state.dtype)))
        step = grid[i + 1] - grid[i]
        state = state + step * adams_bashforth(now, previous, ratio=step / previous_step) * moving
        previous, previous_step = None if straight else now, step
        if progress is not None:
            progress(i + 1, steps, state - grid[i + 1] * now * moving)
    return state
