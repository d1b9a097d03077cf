"""The table of the records of usefulness.py, with bars and what is still open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bars import HERE, RESULTS, put_between
from usefulness_sets import SETS, UsefulSet

from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.paired import SeedInterval
from specdm.evaluation.usefulness.summary import ArmSummary, Summary, read_records, summary
from specdm.report.usefulness_comparison import best, comparisons

SEEDS = 5
FEW, ALL = 0.1, 1.0
WORST_AT_ALL = -0.005
LEAST_GAIN = 0.03
LEAST_ALONE = 0.9


def write_table(records: Path) -> None:
    """Markdown of all records there are."""
    lines = [
        "# Usefulness: does a downstream model get better?",
        "",
        "Written by `benchmarks/usefulness.py`. Mean over seeds (each with its own choice of labels, generator, draws",
        "and network) ± standard deviation; the gain is over the best arm that has the same but the synthetic tiles,",
        "seed by seed, with its 95 % interval (Student's t). The generator has seen exactly the labels of the network;",
        "test ground is disjoint. `dense` arms have labels that the model read off the real images where it was sure;",
        "they are held against plain real ones, and synthetic tiles beside them against the better of both.",
    ]
    found: dict[str, Summary] = {}
    for one in SETS:
        folder = records / one.name
        if folder.is_dir() and any(folder.glob("*.json")):
            found[one.name] = summary(read_records(folder))
            lines += ["", f"## {one.name}", "", *_set_lines(one, found[one.name])]
    lines[7:7] = ["", *_bar_lines(found)]
    (RESULTS / "usefulness.md").write_text("\n".join(lines) + "\n")
    put_between(HERE.parent / "README.md", _short_lines(found), name="usefulness")


def _short_lines(found: dict[str, Summary]) -> list[str]:
    """For README.md: best real arm, densified, best with synthetic tiles, at a tenth of the labels."""
    lines = [
        "| set, 10 % of the labels | score | seeds | best real arm | densified | best with synthetic tiles | gain |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in found.items():
        arms = [arm for arm in one.arms if arm.share == FEW and arm.arm in ARMS]
        best = _best(one, FEW)
        real = [arm for arm in arms if ARMS[arm.arm].kind == "real" and (best is None or arm.arm == best.rival)]
        if best is None or not real:
            continue
        dense = [_plain(arm) for arm in arms if ARMS[arm.arm].kind == "dense"]
        gain = "-" if best.gain is None else _interval(best.gain)
        lines.append(
            f"| {name} | {one.main.replace('_', ' ')} | {best.score.n} | {_plain(real[0])} ({real[0].arm}) | "
            f"{dense[0] if dense else '-'} | {_plain(best)} ({best.arm}) | {gain} |"
        )
    note = "Means are over the seeds that an arm has, gains over those of the arm with synthetic tiles. "
    return [*lines, "", f"{note}By `benchmarks/usefulness.py`; every arm in benchmarks/results/usefulness.md."]


def _plain(arm: ArmSummary) -> str:
    return f"{arm.score.mean:.3f}" + ("" if arm.score.std is None else f" ± {arm.score.std:.3f}")


def _set_lines(one: UsefulSet, found: Summary) -> list[str]:
    lines = [f"{one.set.about}; score {found.main.replace('_', ' ')}; {found.settings['steps']} steps of "
             f"{found.settings['batch_size']} tiles, {found.settings['tiles']} synthetic tiles."]  # fmt: skip
    for one_table in comparisons(found):
        arms, share = one_table.arms, one_table.share
        kept = sum(a.share_kept for a in arms) / len(arms)
        lines += [
            "",
            f"{one_table.network}, {100 * share:g} % of the labels ({100 * kept:.1f} % kept), test spectra: "
            f"{one_table.test_spectra}",
            "",
            "| arm | seeds | score | gain | over |",
            "|---|---|---|---|---|",
            *(_row(arm) for arm in arms),
        ]
    missing = [f"{100 * share:g} %" for share in one.shares if not any(a.share == share for a in found.arms)]
    few = sorted({f"{100 * a.share:g} %" for a in found.arms if a.score.n < SEEDS})
    if missing or few:
        lines += ["", f"Still open: {', '.join([*missing, *(f'further seeds at {share}' for share in few)])}."]
    return lines


def _row(arm: ArmSummary) -> str:
    gain = "" if arm.gain is None else _interval(arm.gain)
    return f"| {arm.arm} | {arm.score.n} | {_plain(arm)} | {gain} | {arm.rival or ''} |"


def _interval(gain: SeedInterval) -> str:
    if gain.low is None or gain.high is None:
        return f"{gain.mean:+.3f} (one seed)"
    text = f"{gain.mean:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"
    return f"**{text}**" if gain.above_zero else text


def _bar_lines(found: dict[str, Summary]) -> list[str]:
    """The bars of the issue, as far as there are records."""
    lines = ["| bar | wanted | found |", "|---|---|---|"]
    for task, wanted in (("segmentation", "3 of 4"), ("change", "2 of 3")):
        known = {name: best for name in _of(task, found) if (best := _best(found[name], FEW))}
        good = [name for name, best in known.items() if best.gain is not None and best.gain.above_zero]
        gains = ", ".join(f"{name} {_interval(best.gain)} ({best.arm})" for name, best in known.items() if best.gain)
        found_words = f"{len(good)} of {len(known)}: {gains}"
        lines.append(f"| {task}, 10 %: interval of the gain above zero | {wanted} | {found_words} |")
    few = [best.gain.mean for one in found.values() if (best := _best(one, FEW)) and best.gain]
    if few:
        mean = sum(few) / len(few)
        lines.append(f"| mean gain at 10 % | >= {LEAST_GAIN} | {mean:+.3f}{'' if mean >= LEAST_GAIN else ', miss'} |")
    worst = [(best.gain.mean, name) for name, one in found.items() if (best := _best(one, ALL)) and best.gain]
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
    held = "The arm held against the bars is the best one with synthetic tiles that are not of the baseline."
    return [*lines, "", held]


def _of(task: str, found: dict[str, Summary]) -> Sequence[str]:
    return [one.name for one in SETS if one.task == task and one.name in found]


def _best(one: Summary, share: float) -> ArmSummary | None:
    """Real and synthetic tiles, the highest mean of the arms with the most seeds."""
    arms = [
        arm for arm in one.arms
        if arm.share == share and arm.arm in ARMS and ARMS[arm.arm].kind == "synthetic" and arm.gain is not None
        and ARMS[arm.arm].rival == "real" and "ldm" not in ARMS[arm.arm].sources
    ]  # fmt: skip
    return best(arms)


def _alone(one: Summary) -> float | None:
    arms = [arm for arm in one.arms if arm.share == ALL and arm.arm in ARMS]
    real = [arm.score.mean for arm in arms if arm.arm == "real"]
    only = [arm.score.mean for arm in arms if ARMS[arm.arm].kind == "only"]
    return max(only) / real[0] if real and only else None
