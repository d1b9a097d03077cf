"""The table of the records of usefulness.py, with bars and what is still open."""

from __future__ import annotations

from pathlib import Path

from bars import HERE, RESULTS, put_between
from usefulness_bars import FEW, bar_lines, best_synthetic, interval
from usefulness_sets import SETS, UsefulSet

from specdm.evaluation.usefulness.arms import ARMS
from specdm.evaluation.usefulness.summary import ArmSummary, Record, Summary, read_records, summary
from specdm.report.usefulness_comparison import comparisons

SEEDS = 5


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
    plain: dict[str, list[Record]] = {}
    for one in SETS:
        folder = records / one.name
        if folder.is_dir() and any(folder.glob("*.json")):
            plain[one.name] = read_records(folder)
            found[one.name] = summary(plain[one.name])
            lines += ["", f"## {one.name}", "", *_set_lines(one, found[one.name])]
    lines[7:7] = ["", *bar_lines(found, plain)]
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
        best = best_synthetic(one, FEW)
        real = [arm for arm in arms if ARMS[arm.arm].kind == "real" and (best is None or arm.arm == best.rival)]
        if best is None or not real:
            continue
        dense = [_plain(arm) for arm in arms if ARMS[arm.arm].kind == "dense"]
        gain = "-" if best.gain is None else interval(best.gain)
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
    gain = "" if arm.gain is None else interval(arm.gain)
    return f"| {arm.arm} | {arm.score.n} | {_plain(arm)} | {gain} | {arm.rival or ''} |"
