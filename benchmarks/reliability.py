"""Does the score of reliability find planted errors, on data sets that its rule was not fitted on?

    python benchmarks/reliability.py [--minutes 1] [--threads 1] [--only indian_pines,...] [--seeds 0,1,2]
    python benchmarks/reliability.py --fit-rule     write the rule that comes with the package
    python benchmarks/reliability.py --table        tables of the records there are

Errors are planted in held-out real tiles; evidences are fitted on training tiles, and the rule on planted errors of all
other data sets. With --minutes a model is trained on each set, whose posterior is the third evidence. Features that
exist under --work are not computed again. Records go to results/reliability/, tables to results/reliability.md, .json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import reliability_table
from bars import RESULTS, SHARED
from reliability_pixels import NONE, Pixels, make_pixels
from reliability_sets import AMOUNTS, JUDGED, TAUGHT, VARIANTS, WITH_A_MODEL, Version, family

if TYPE_CHECKING:
    from specdm.evaluation.reliability import Rule

RECORDS = RESULTS / "reliability"
RULE = Path(__file__).resolve().parent.parent / "src/specdm/evaluation/reliability/default_rule.json"
PIXELS_A_KIND = 3000
PLANTED_SEEDS = (0, 1)

COMBINATIONS = (
    ("spectral",),
    ("edge",),
    ("consistency",),
    ("change",),
    ("spectral", "edge"),
    ("spectral", "edge", "consistency"),
    ("spectral", "edge", "change"),
    ("spectral", "edge", "change", "consistency"),
)
AMOUNT_COMBINATIONS = (("amounts",), ("amounts", "consistency"))


def versions(seeds: tuple[int, ...], *, only: set[str] | None) -> list[Version]:
    """All sets in all versions; further seeds for the plain ones that are judged."""
    first = [Version(one, variant) for one in TAUGHT for variant in VARIANTS]
    amounts = [Version(one) for one in AMOUNTS]
    more = [Version(one, seed=seed) for seed in seeds if seed for one in JUDGED]
    return [one for one in (*first, *amounts, *more) if only is None or one.set.name in only]


def read_pixels(wanted: list[Version], *, work: Path, minutes: float | None) -> dict[Version, Pixels]:
    """Features of every version, computed where they are not there; one that fails says so in a line."""
    found = {}
    for number, version in enumerate(wanted, start=1):
        trained = f"-{minutes:g}min" if minutes and version.variant in WITH_A_MODEL else ""
        path = work / "pixels" / f"{version.name}{trained}.npz"
        if not path.is_file():
            began = time.monotonic()
            try:
                make_pixels(version, work=work, minutes=minutes, seeds=PLANTED_SEEDS).save(path)
            except Exception as error:  # whatever it is, the other sets are worth having
                reason = " ".join(str(error).split())[:300]
                print(f"[{number}/{len(wanted)}] {version.name}: failed, {type(error).__name__}: {reason}", flush=True)
                continue
            print(f"[{number}/{len(wanted)}] {version.name}: {time.monotonic() - began:.0f} s", flush=True)
        found[version] = Pixels.load(path)
    return found


def fit(pixels: Mapping[Version, Pixels], evidences: tuple[str, ...], *, without: str | None = None) -> Rule | None:
    """A rule of some evidences on all families but one; None where too few have these evidences."""
    from specdm.evaluation.reliability import fit_rule
    from specdm.evaluation.reliability.features import chosen

    usable = {
        version: one
        for version, one in pixels.items()
        if family(version.set.name) != without and set(evidences) <= {n.split(".")[0] for n in one.names}
    }
    usable = {version: one for version, one in usable.items() if version.seed == 0 and one.wrong.any()}
    if not usable:
        return None
    names = chosen(set.intersection(*(set(one.names) for one in usable.values())), evidences)
    if "change" not in evidences and "amounts" not in evidences:
        names = [name for name in names if not name.startswith("change")]
    tables, wrong, groups, weights = [], [], [], []
    for version, one in usable.items():
        at = one.balanced(PIXELS_A_KIND, seed=version.seed)
        columns = [one.names.index(name) for name in names]
        tables.append(one.features[at][:, columns].astype(np.float64))
        wrong.append(one.wrong[at])
        groups += [family(version.set.name)] * len(at)
        # versions of a set count alike, however many pixels they have
        weights.append(np.full(len(at), 1.0 / len(at)))
    return fit_rule(
        np.concatenate(tables), np.concatenate(wrong), np.array(groups), names=names, weight=np.concatenate(weights)
    )


def judge(version: Version, one: Pixels, rule: Rule) -> dict[str, object]:
    """Figures of one set by one rule: AUROC of each kind, and over a mixture in which all kinds count alike."""
    from specdm.evaluation.reliability import auroc, reliability_diagram, risk_coverage

    score = rule.probability_right({name: one.features[:, i] for i, name in enumerate(one.names)})
    by_kind = {}
    for kind in dict.fromkeys(one.kind.tolist()):
        value = auroc(score[one.kind == kind], one.wrong[one.kind == kind])
        if kind != NONE and np.isfinite(value):
            by_kind[str(kind)] = value
    mixed = one.balanced(PIXELS_A_KIND, seed=1)
    diagram = reliability_diagram(score[mixed], one.wrong[mixed])
    coverage, risk = risk_coverage(score[mixed], one.wrong[mixed], points=20)
    return {
        "auroc": by_kind,
        "auroc_all": auroc(score[mixed], one.wrong[mixed]),
        "ece": diagram.expected_calibration_error,
        "mean_score": float(score[mixed].mean()),
        "right": float(1 - one.wrong[mixed].mean()),
        "diagram": {"score": diagram.score.tolist(), "right": diagram.right.tolist(), "share": diagram.share.tolist()},
        "risk_coverage": {"coverage": coverage.tolist(), "risk": risk.tolist()},
        **tile_figures(one, score),
    }


def tile_figures(one: Pixels, score: np.ndarray) -> dict[str, float]:
    """How tile scores go with true error rates, and what leaving out the worst fifth of pixels brings."""
    from scipy.stats import spearmanr

    _, tile, count = np.unique(one.tile, return_inverse=True, return_counts=True)
    mean, error = (np.bincount(tile, weights=values) / count for values in (score, one.wrong))
    kept = np.argsort(score, kind="stable")[round(0.2 * len(score)) :]
    before = float(one.wrong.mean())
    return {
        "spearman_tiles": float(-spearmanr(mean, error).statistic),
        "error_rate": before,
        "error_rate_without_worst_fifth": float(one.wrong[kept].mean()),
    }


def judge_all(pixels: Mapping[Version, Pixels], *, minutes: float | None, only: set[str] | None) -> None:
    """A record for every judged set and seed, by rules fitted on all families but its own."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    rules: dict[tuple[str, tuple[str, ...]], Rule | None] = {}
    for version, one in pixels.items():
        if version.variant != "plain" or (only is not None and version.set.name not in only):
            continue
        own = family(version.set.name)
        of_amounts = any(name.startswith("amounts") for name in one.names)
        figures = {}
        for evidences in AMOUNT_COMBINATIONS if of_amounts else COMBINATIONS:
            if not set(evidences) <= {name.split(".")[0] for name in one.names}:
                continue
            if (own, evidences) not in rules:
                rules[own, evidences] = fit(pixels, evidences, without=own)
            rule = rules[own, evidences]
            if rule is not None:
                found = judge(version, one, rule)
                figures["+".join(evidences)] = {**found, "fitted_on": list(rule.fitted_on)}
        record = {
            "set": version.set.name,
            "about": version.set.about,
            "seed": version.seed,
            "minutes": minutes or 0,
            "split": str(version.settings),
            "pixels": len(one.wrong),
            "figures": figures,
        }
        path = RECORDS / f"{version.set.name}-seed{version.seed}{f'-{minutes:g}min' if minutes else ''}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")


def write_rule(pixels: Mapping[Version, Pixels]) -> None:
    """The rules that come with the package: of every combination there are features for, fitted on all sets."""
    rules = [fit(pixels, evidences) for evidences in (*COMBINATIONS, *AMOUNT_COMBINATIONS)]
    records = [rule.record() for rule in rules if rule is not None]
    about = "fitted by benchmarks/reliability.py --fit-rule on planted errors"
    RULE.write_text(json.dumps({"about": about, "rules": records}, indent=1) + "\n")
    print(f"{RULE}: {len(records)} rules")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, help="of codecs and reader, each set; default: none, two evidences")
    parser.add_argument("--threads", type=int, help="of torch; default: its own choice")
    parser.add_argument("--work", type=Path, default=Path("runs/reliability"))
    parser.add_argument("--only", help="names of sets to judge, separated by commas; rules need the others as well")
    parser.add_argument("--seeds", default="0,1,2", help="of splits, separated by commas")
    parser.add_argument("--fit-rule", action="store_true", help="fit the rules that come with the package")
    parser.add_argument("--table", action="store_true", help="write tables only")
    options = parser.parse_args()
    if not options.table:
        if not SHARED.is_dir():
            parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA")
        if options.threads:
            import torch

            torch.set_num_threads(options.threads)
        seeds = tuple(int(seed) for seed in options.seeds.split(","))
        only = set(options.only.split(",")) if options.only else None
        if unknown := (only or set()) - {one.name for one in (*TAUGHT, *AMOUNTS)}:
            parser.error(f"no set {min(unknown)}; there are {', '.join(one.name for one in (*TAUGHT, *AMOUNTS))}")
        pixels = read_pixels(versions(seeds, only=None), work=options.work.resolve(), minutes=options.minutes)
        judge_all(pixels, minutes=options.minutes, only=only)
        if options.fit_rule:
            write_rule(pixels)
    reliability_table.write_tables(RECORDS)


if __name__ == "__main__":
    main()
