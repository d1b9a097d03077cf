"""The bars of usefulness.py, held against the records there are."""

from __future__ import annotations

from collections.abc import Sequence

from usefulness_sets import SETS

from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.paired import SeedInterval, paired_interval
from specdm.evaluation.usefulness.summary import ArmSummary, Record, Summary
from specdm.report.usefulness_comparison import best

FEW, ALL = 0.1, 1.0
WORST_AT_ALL = -0.005
LEAST_GAIN = 0.03
LEAST_ALONE = 0.9
SAME_PROTOCOL = {"real+sure": "real+ldm", "pretrained": "pretrained+ldm"}
"""Arms -> the same with tiles of the baseline."""
FILTERED, UNFILTERED = "real+filtered", "real+drawn"


def bar_lines(found: dict[str, Summary], records: dict[str, list[Record]]) -> list[str]:
    """A Markdown table, a row for each bar that there are records for.

    Args:
        found: by set.
        records: the same, not summed.
    """
    lines = ["| bar | wanted | found |", "|---|---|---|"]
    for task, wanted in (("segmentation", "3 of 4"), ("change", "2 of 3")):
        known = {name: best for name in _of(task, found) if (best := best_synthetic(found[name], FEW))}
        good = [name for name, best in known.items() if best.gain is not None and best.gain.above_zero]
        gains = ", ".join(f"{name} {interval(best.gain)} ({best.arm})" for name, best in known.items() if best.gain)
        found_words = f"{len(good)} of {len(known)}: {gains}"
        lines.append(f"| {task}, 10 %: interval of the gain above zero | {wanted} | {found_words} |")
    few = [best.gain.mean for one in found.values() if (best := best_synthetic(one, FEW)) and best.gain]
    if few:
        mean = sum(few) / len(few)
        lines.append(f"| mean gain at 10 % | >= {LEAST_GAIN} | {mean:+.3f}{'' if mean >= LEAST_GAIN else ', miss'} |")
    worst = [(best.gain.mean, name) for name, one in found.items() if (best := best_synthetic(one, ALL)) and best.gain]
    if worst:
        low, name = min(worst)
        verdict = "" if low >= WORST_AT_ALL else ", miss"
        lines.append(f"| lowest gain at 100 % | >= {WORST_AT_ALL} | {low:+.3f} ({name}){verdict} |")
    alone = [(share, name) for name, one in found.items() if (share := _alone(one)) is not None]
    if alone:
        low, name = min(alone)
        verdict = "" if low >= LEAST_ALONE else ", miss"
        title = "synthetic tiles alone over real ones, 100 %, least"
        lines.append(f"| {title} | >= {LEAST_ALONE} | {low:.2f} ({name}){verdict} |")
    ahead = {name: gain for name, own in records.items() if (gain := _over_baseline(own)) is not None}
    if ahead:
        good = [name for name, gain in ahead.items() if gain.mean > 0]
        words = ", ".join(f"{name} {interval(gain)}" for name, gain in ahead.items())
        verdict = "" if len(good) == len(ahead) else ", miss"
        lines.append(
            f"| ahead of the same with tiles of the baseline `ldm`, 10 % | on every set | {len(good)} of {len(ahead)}: "
            f"{words}{verdict} |"
        )
    filtered = {name: gain for name, own in records.items() if (gain := _gain(own, FILTERED, UNFILTERED)) is not None}
    if filtered:
        mean = sum(gain.mean for gain in filtered.values()) / len(filtered)
        words = ", ".join(f"{name} {interval(gain)}" for name, gain in filtered.items())
        verdict = "" if mean >= 0 else ", miss"
        lines.append(
            f"| `{FILTERED}` over `{UNFILTERED}`, 10 %, mean over sets | >= 0 | {mean:+.3f}: {words}{verdict} |"
        )
    held = (
        "The arm held against the bars is the best one with synthetic tiles that are not of the baseline. Against the "
        "baseline, the better of `real+sure` and `pretrained` is held against the better of the same two with its "
        "tiles (`real+ldm`, `pretrained+ldm`), over the seeds that have all."
    )
    return [*lines, "", held]


def best_synthetic(one: Summary, share: float) -> ArmSummary | None:
    """Real and synthetic tiles, the highest mean of the arms with the most seeds."""
    arms = [
        arm for arm in one.arms
        if arm.share == share and arm.arm in ARMS and ARMS[arm.arm].kind == "synthetic" and arm.gain is not None
        and ARMS[arm.arm].rival == "real" and "ldm" not in ARMS[arm.arm].sources
    ]  # fmt: skip
    return best(arms)


def interval(gain: SeedInterval) -> str:
    """In Markdown, bold where it lies above zero."""
    if gain.low is None or gain.high is None:
        return f"{gain.mean:+.3f} (one seed)"
    text = f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    return f"**{text}**" if gain.above_zero else text


def _of(task: str, found: dict[str, Summary]) -> Sequence[str]:
    return [one.name for one in SETS if one.task == task and one.name in found]


def _alone(one: Summary) -> float | None:
    arms = [arm for arm in one.arms if arm.share == ALL and arm.arm in ARMS]
    real = [arm.score.mean for arm in arms if arm.arm == "real"]
    only = [arm.score.mean for arm in arms if ARMS[arm.arm].kind == "only"]
    return max(only) / real[0] if real and only else None


def _over_baseline(records: Sequence[Record]) -> SeedInterval | None:
    """The better arm of ours over the better one of the baseline's, of those that every seed has."""
    there = [pair for pair in SAME_PROTOCOL.items() if _common(records, pair)]
    seeds = sorted(set.intersection(*(_common(records, pair) for pair in there))) if there else []
    if not seeds:
        return None
    ours, theirs = (
        max(([_scores(records, arm)[seed] for seed in seeds] for arm in side), key=sum)
        for side in zip(*there, strict=True)
    )
    return paired_interval(ours, theirs)


def _gain(records: Sequence[Record], arm: str, rival: str) -> SeedInterval | None:
    seeds = sorted(_common(records, (arm, rival)))
    if not seeds:
        return None
    ours, theirs = ([_scores(records, name)[seed] for seed in seeds] for name in (arm, rival))
    return paired_interval(ours, theirs)


def _common(records: Sequence[Record], arms: Sequence[str]) -> set[int]:
    """Seeds that all these arms have."""
    return set.intersection(*(set(_scores(records, arm)) for arm in arms))


def _scores(records: Sequence[Record], arm: str) -> dict[int, float]:
    """At few labels, by seed."""
    return {
        record["seed"]: float(record["scores"]["main"])
        for record in records
        if record["arm"] == arm and record["share"] == FEW and record["test_spectra"] == "run"
        and record["scores"]["main"] is not None
    }  # fmt: skip
