"""Few evaluations of the network: which streams a distilled model draws together, and in how many jumps.

A tile costs one evaluation a jump, all stages counted and nothing else: guidance is part of what a distilled model has
learnt (Meng et al. 2023, "On distillation of guided diffusion models", arXiv 2210.03142).
"""

from __future__ import annotations

from collections.abc import Sequence


def jumps_of(stages: int, evaluations: int) -> list[int]:
    """Jumps of each stage of a model that is distilled now; where there are fewer than stages, `joined_stages` tells.

    With two jumps a stage or more all stages have as many, the last what is left over. With fewer, masks and where they
    say anything are drawn together, in all jumps but one: images follow from masks in a single one, while masks of a
    single one are dotted (`benchmarks/NOTES.md`).

    Args:
        stages: of the trained model.
        evaluations: of all stages together, at least 1.
    """
    if evaluations >= 2 * stages:
        return even_jumps(stages, evaluations)
    return [evaluations] if min(stages, evaluations) == 1 else [evaluations - 1, 1]


def even_jumps(stages: int, evaluations: int) -> list[int]:
    """As many jumps of each stage, and what is left over of the last ones; of fewer evaluations than stages, one each.

    So all models were distilled that do not say how.
    """
    stages = min(stages, evaluations)
    each, more = divmod(evaluations, stages)
    return [each + (stage >= stages - more) for stage in range(stages)]


def joined_stages(stages: Sequence[Sequence[int]], count: int) -> list[list[int]]:
    """The stages of `streams.stages_of`, the first of them drawn together so that there are `count`.

    Args:
        stages: numbers of the streams of each.
        count: at least 1, at most as many as there are.
    """
    together = len(stages) - count
    first = [stream for group in stages[: together + 1] for stream in group]
    return [first, *(list(group) for group in stages[together + 1 :])]
