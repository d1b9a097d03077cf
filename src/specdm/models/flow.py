"""The joint process: rectified flow with a noise level of its own for every stream and latent cell.

z_t = (1 - t) z + t e, velocity e - z (Liu, Gong, Liu 2023, "Flow straight and fast", eq. 1; Lipman et al.
2023). Levels by stream: Bao et al. 2023, "One transformer fits all distributions in multi-modal diffusion".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch

STAGE_SHARES = (1.0, 3.0, 5.0)
"""How often each of the last stages is drawn beside the others: the later, the more there is to tell."""

TOLD_SHARE = 0.75
"""Of tiles that show a mask with gaps: those in which it is known where it is labelled."""


@dataclass(frozen=True)
class LevelPatterns:
    """How often each pattern of noise levels is drawn in training; the shares are normalised to sum to one.

    Masks with gaps are hidden in all of them until it is known where they say something, see `hidden_until_told`.

    Attributes:
        shared: all streams at one level (the plain joint model).
        one_known: one group of streams (images or masks), or half of the time one of its streams, known (level 0).
        one_unknown: likewise unknown (level 1): what the others are by themselves.
        independent: a level for every stream.
        area_known: part of the area known in all streams, the rest in one of the stages.
        stages: one group of streams on its way, those before it known, those after it unknown: what the solver asks.
    """

    shared: float
    one_known: float
    one_unknown: float
    independent: float
    area_known: float
    stages: float


def shift_levels(levels: torch.Tensor, shift: float) -> torch.Tensor:
    """t -> s t / (1 + (s - 1) t): s > 1 spends more of the levels at the noisy end (Esser et al. 2024, eq. 23)."""
    return shift * levels / (1 + (shift - 1) * levels)


def draw_levels(
    n: int,
    streams: int,
    cells: tuple[int, int],
    *,
    patterns: LevelPatterns,
    shift: float,
    generator: torch.Generator,
    stages: Sequence[Sequence[int]] | None = None,
    stage_shifts: Sequence[float] | None = None,
    stage_shares: Sequence[float] | None = None,
    groups: Sequence[Sequence[int]] | None = None,
) -> torch.Tensor:
    """Noise levels `(n, streams, y, x)` for training, each tile with its own pattern.

    Args:
        n, streams, cells: shape of the levels.
        patterns: how often each is drawn.
        shift: of levels that streams share or have by themselves.
        generator: of all draws.
        stages: numbers of the streams that the solver draws together, in its order; default all at once.
        stage_shifts: of the levels of each stage; default `shift` for all.
        stage_shares: how often each stage is drawn beside the others in the pattern of stages; default: the last of
            `STAGE_SHARES`, as around known ground in any case.
        groups: numbers of the streams that are known or unknown together, such as all images; default each alone.
    """

    def uniform(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=generator)

    # Stratified over the batch: less variance than independent draws at no cost.
    even = (torch.randperm(n, generator=generator) + uniform(n)) / n
    shared = shift_levels(even, shift)
    own = shift_levels(uniform(n, streams), shift)
    names = [field.name for field in fields(patterns)]
    shares = torch.tensor([getattr(patterns, name) for name in names])
    pattern = torch.multinomial(shares, n, replacement=True, generator=generator)

    def tiles_of(name: str) -> torch.Tensor:
        return pattern == names.index(name)

    if streams == 1:
        apart = tiles_of("one_known") | tiles_of("one_unknown") | tiles_of("independent")
        pattern = torch.where(apart, names.index("shared"), pattern)
    chosen = _chosen_streams(n, streams, groups if groups is not None else [[s] for s in range(streams)], generator)
    by_stream = shared[:, None].expand(n, streams).clone()
    by_stream = torch.where(tiles_of("one_known")[:, None] & chosen, 0.0, by_stream)
    by_stream = torch.where(tiles_of("one_unknown")[:, None] & chosen, 1.0, by_stream)
    by_stream = torch.where(tiles_of("independent")[:, None], own, by_stream)
    order = stages if stages is not None else [range(streams)]
    shifts, shares_of_all = stage_shifts or [shift] * len(order), STAGE_SHARES[-len(order) :]
    path = _on_the_way(even, streams, order, shifts, stage_shares or shares_of_all, generator)
    by_stream = torch.where(tiles_of("stages")[:, None], path, by_stream)
    around = _on_the_way(even, streams, order, shifts, shares_of_all, generator)
    by_stream = torch.where(tiles_of("area_known")[:, None], around, by_stream)
    levels = by_stream[:, :, None, None].expand(n, streams, *cells).clone()
    for i in torch.nonzero(tiles_of("area_known")).flatten().tolist():
        levels[i] = torch.where(_area(cells, generator), 0.0, levels[i])
    return levels


def _chosen_streams(
    n: int, streams: int, groups: Sequence[Sequence[int]], generator: torch.Generator
) -> torch.Tensor:
    """A group of streams or one stream of a group for each tile, `(n, streams)` boolean; every group is as likely."""
    member = torch.zeros(len(groups), streams)
    for number, group in enumerate(groups):
        member[number, list(group)] = 1.0
    whole = member[torch.randint(len(groups), (n,), generator=generator)]
    single = torch.nn.functional.one_hot(torch.multinomial(whole, 1, generator=generator)[:, 0], streams)
    return torch.where(torch.rand(n, 1, generator=generator) < 0.5, whole, single.to(whole.dtype)).bool()


def _on_the_way(
    even: torch.Tensor,
    streams: int,
    stages: Sequence[Sequence[int]],
    shifts: Sequence[float],
    shares: Sequence[float],
    generator: torch.Generator,
) -> torch.Tensor:
    """Levels `(n, streams)` of tiles each in one of the stages, drawn at random: known before it, unknown after it."""
    stage = torch.multinomial(torch.tensor(shares), len(even), replacement=True, generator=generator)
    levels = torch.ones(len(even), streams)
    for number, group in enumerate(stages):
        own = shift_levels(even, shifts[number])
        now = torch.where(stage == number, own, torch.where(stage > number, 0.0, 1.0))
        levels[:, list(group)] = now[:, None]
    return levels


def told_with_masks(
    levels: torch.Tensor, gaps: Sequence[tuple[int, int]], *, generator: torch.Generator
) -> torch.Tensor:
    """Where masks say something known in most tiles that show any of them, `(n, streams, y, x)`.

    Until that is known masks are hidden (`hidden_until_told`); without this, few tiles would teach what they say.

    Args:
        levels: `(n, streams, y, x)`.
        gaps: numbers of a mask and of the stream that says where it is labelled.
        generator: of the draws.
    """
    levels = levels.clone()
    for mask, labelled in gaps:
        shown = (levels[:, mask] < 1).flatten(1).any(dim=1)
        # around known ground it may be this that is asked, and nothing else yet
        asked = (levels[:, labelled] > 0) & (levels[:, labelled] < 1) & (levels[:, mask] == 1)
        shown &= ~asked.flatten(1).any(dim=1)
        levels[shown & (torch.rand(len(levels), generator=generator) < TOLD_SHARE), labelled] = 0.0
    return levels


def hidden_until_told(levels: torch.Tensor, gaps: Sequence[tuple[int, int]]) -> torch.Tensor:
    """Masks unknown wherever it is not known whether they say anything, `(n, streams, y, x)`.

    Unlabelled cells of a mask are always unknown: beside a mask that is half known, where it is labelled could be
    read off its noise levels and would never be learnt.

    Args:
        levels: `(n, streams, y, x)`.
        gaps: numbers of a mask and of the stream that says where it is labelled.
    """
    levels = levels.clone()
    for mask, labelled in gaps:
        levels[:, mask] = torch.where(levels[:, labelled] > 0, 1.0, levels[:, mask])
    return levels


def _area(cells: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    """A random half-plane or rectangle, `(y, x)` boolean."""
    height, width = cells
    corner = torch.rand(4, generator=generator)
    y = sorted((int(corner[0] * (height + 1)), int(corner[1] * (height + 1))))
    x = sorted((int(corner[2] * (width + 1)), int(corner[3] * (width + 1))))
    area = torch.zeros(height, width, dtype=torch.bool)
    area[y[0] : y[1], x[0] : x[1]] = True
    return area if torch.rand((), generator=generator) < 0.5 else ~area


def level_by_channel(levels: torch.Tensor, stream_channels: tuple[int, ...]) -> torch.Tensor:
    """`(n, streams, y, x)` to `(n, channels, y, x)`."""
    repeats = torch.tensor(stream_channels, device=levels.device)
    return levels.repeat_interleave(repeats, dim=1)


def interpolate(latents: torch.Tensor, noise: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
    """z_t = (1 - t) z + t e, all `(n, channels, y, x)`."""
    return (1 - levels) * latents + levels * noise
