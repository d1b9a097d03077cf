"""Few evaluations of the network: which streams a distilled model draws together, and in how many jumps.

A tile costs one evaluation a jump, all stages counted and nothing else: guidance is part of what a distilled model has
learnt (Meng et al. 2023, "On distillation of guided diffusion models", arXiv 2210.03142).
"""

from __future__ import annotations

from collections.abc import Sequence


def joined_stages(stages: Sequence[Sequence[int]], evaluations: int) -> list[list[int]]:
    """The stages of `streams.stages_of`, the first of them drawn together where there are more than evaluations.

    Args:
        stages: numbers of the streams of each.
        evaluations: at least 1.
    """
    together = max(0, len(stages) - evaluations)
    first = [stream for group in stages[: together + 1] for stream in group]
    return [first, *(list(group) for group in stages[together + 1 :])]


def jumps_of_stages(stages: int, evaluations: int) -> list[int]:
    """Jumps of each stage: as many of each, and what is left over to the last, which draw the most.

    Args:
        stages: how many there are, at most `evaluations`.
        evaluations: of all stages together.
    """
    each, more = divmod(evaluations, stages)
    return [each + (stage >= stages - more) for stage in range(stages)]
