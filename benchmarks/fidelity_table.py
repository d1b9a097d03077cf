"""Tables of the records of fidelity.py: every figure of every set, and how SpecDM stands to the others."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from bars import HERE, RESULTS, put_between
from fidelity_sets import ABLATION_SET, METHODS, SETS, STOCK

BEGIN, END = "<!-- fidelity -->", "<!-- end of fidelity -->"
RIVALS = ("ldm", STOCK)
MOST_MEDIAN = 0.6
LEAST_COVERAGE = 0.8
LEAST_CHANCE = 0.05
LEAST_COPIES = 0.99
Record = dict[str, Any]

INTRODUCTION = """# Benchmarks

Each script runs from the project folder with the project's own Python, such as `python benchmarks/fidelity.py`, and
says with `--help` what it can be told. Real data are looked for in `../shared/data` or `SPECDM_SHARED_DATA`. Records
and tables lie in `results/`.

- `fidelity.py`: SpecDM beside a plain latent diffusion model, diffusers as it comes, and controls, on eight data sets;
  the tables below. `fidelity_sets.py` names the sets, `ldm_diffusers.py`
  (with `ldm_channels.py`) is the stock model.
- `segmentation.py`: every segmentation set through the command line.
- `change.py`: two dates and their change, held against bars.
- `regression.py`: abundances by unmixing, held against bars.
- `simulator.py`: the simulator's own truth.
- `sampling_options.py`: what steps, guidance and sensor noise do to one run's tiles.
- `evaluation_cost.py`: time and memory of judging.
- `demo.py`, `tasks_table.py`: write the tables of README.md.
"""


@dataclass(frozen=True)
class Figure:
    """A column.

    Attributes:
        title: of the column.
        keys: in the record's metrics; the first that is there counts.
        floors: the same of real tiles.
        bar: whether SpecDM must be lower than its rivals in it.
    """

    title: str
    keys: tuple[str, ...]
    floors: tuple[str, ...] = ()
    bar: bool = False


FIGURES = (
    Figure("Fréchet² rgb", ("synthetic.frechet_rgb",), ("real.frechet_rgb_floor",), bar=True),
    Figure("Fréchet² mask", ("synthetic.frechet_mask",), ("real.frechet_mask_floor",), bar=True),
    Figure("Fréchet spectral", ("synthetic.frechet_spectral",), ("real.frechet_spectral_floor",), bar=True),
    Figure(
        "class means °",
        ("synthetic.class_mean_angle_deg",),
        bar=True,
    ),
    Figure("KID rgb", ("synthetic.kid_rgb",), ("real.kid_rgb_floor",)),
    Figure("coverage rgb", ("synthetic.coverage_rgb",), ("real.coverage_rgb_floor",)),
    Figure("coverage spectral", ("synthetic.coverage_spectral",), ("real.coverage_spectral_floor",)),
    Figure(
        "LDA agrees, or unmixing error",
        ("synthetic.lda_agreement", "amount.unmixing_rmse_synthetic", "amount.regression_rmse_synthetic"),
        ("synthetic.lda_ceiling", "amount.unmixing_rmse_heldout", "amount.regression_rmse_heldout"),
    ),
    Figure("flagged as copies", ("authenticity.flagged_share",)),
)
RGB, SPECTRAL = FIGURES[5], FIGURES[6]
FLAGGED = "authenticity.flagged_share"
CHANCE = "authenticity.beyond_chance"


def read_records(folder: Path) -> list[Record]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def values_of(records: Sequence[Record], keys: Sequence[str]) -> list[float]:
    """One a record that has it."""
    found = ([r["metrics"][key] for key in keys if r["metrics"].get(key) is not None] for r in records)
    return [float(values[0]) for values in found if values]


def pick(records: Sequence[Record], *, set: str, method: str) -> list[Record]:
    """Its records of all seeds, without ablations."""
    return [r for r in records if r["set"] == set and r["method"] == method and "ablation" not in r]


def mean_of(records: Sequence[Record], keys: Sequence[str]) -> float | None:
    values = values_of(records, keys)
    return float(np.mean(values)) if values else None


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def cell(records: Sequence[Record], keys: Sequence[str]) -> str:
    """Mean ± spread over seeds; of one seed the value and its bootstrap interval."""
    values = values_of(records, keys)
    if len(values) != 1:
        return number(float(np.mean(values))) + f" ± {np.std(values, ddof=1):.2g}" if values else "-"
    interval = next((r["intervals"][key] for r in records for key in keys if key in r.get("intervals", {})), None)
    return number(values[0]) + (f" ({number(interval[0])} to {number(interval[1])})" if interval else "")


def seconds_of(records: Sequence[Record]) -> float | None:
    """Mean wall-clock from tiles to a finished model, with all that no budget counts."""
    found = [r["wall_seconds"] - r["sample_seconds"] for r in records if "sample_seconds" in r and "wall_seconds" in r]
    return float(np.mean(found)) if found else None


def set_table(records: Sequence[Record], *, set: str) -> list[str]:
    """Markdown lines: a row for every method and the floor."""
    mine = {method: pick(records, set=set, method=method) for method in METHODS}
    lines = ["| method | seeds | seconds | " + " | ".join(figure.title for figure in FIGURES) + " |"]
    lines.append("|---" * (3 + len(FIGURES)) + "|")
    for method, found in mine.items():
        if found:
            cells = " | ".join(cell(found, figure.keys) for figure in FIGURES)
            lines.append(f"| {method} | {len(found)} | {number(seconds_of(found))} | {cells} |")
    # the floor is of real tiles only, so any method's records give it; one a seed
    real = next((found for found in mine.values() if found), [])
    cells = " | ".join(number(mean_of(real, figure.floors)) for figure in FIGURES)
    lines.append(f"| real against real | {len(real)} | - | {cells} |")
    return lines


def ratio(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None or other <= 0 else one / other


@dataclass(frozen=True)
class Line:
    """A line of the summary.

    Attributes:
        title, bar: for people.
        values: set -> value; None if it cannot be known.
        kept: whether a value keeps the bar.
        most_median: bound of the median, if there is one.
        words: set -> what is shown instead of the plain number.
    """

    title: str
    bar: str
    values: dict[str, float | None]
    kept: Callable[[float], bool]
    most_median: float | None = None
    words: dict[str, str] | None = None

    @property
    def known(self) -> list[float]:
        return [value for value in self.values.values() if value is not None]

    @property
    def median(self) -> float | None:
        return float(np.median(self.known)) if self.known else None

    @property
    def verdict(self) -> str:
        """ "pass" or "miss"; "-" without a value, "open" where nothing is missed but a set has none."""
        if self.median is None:
            return "-"
        good = all(map(self.kept, self.known)) and (self.most_median is None or self.median <= self.most_median)
        if not good:
            return "miss"
        return "pass" if len(self.known) == len(self.values) else "open"

    def row(self) -> str:
        cells = [(self.words or {}).get(name) or number(value) for name, value in self.values.items()]
        verdict = self.verdict if self.verdict == "-" else f"**{self.verdict}**"
        return f"| {self.title} | {self.bar} | {' | '.join(cells)} | {number(self.median)} | {verdict} |"


def summary(records: Sequence[Record]) -> list[Line]:
    """How SpecDM stands to its rivals and to real tiles, set by set."""
    names = [one.name for one in SETS if pick(records, set=one.name, method="specdm")]
    ours = {name: pick(records, set=name, method="specdm") for name in names}
    lines = []
    for figure in (figure for figure in FIGURES if figure.bar):
        for rival in RIVALS:
            ratios = {
                name: ratio(
                    mean_of(ours[name], figure.keys), mean_of(pick(records, set=name, method=rival), figure.keys)
                )
                for name in names
            }
            bar = f"< 1 on every set, median <= {MOST_MEDIAN:g}"
            lines.append(Line(f"{figure.title}, over {rival}", bar, ratios, lambda v: v < 1, MOST_MEDIAN))
    for figure in (RGB, SPECTRAL):
        shares = {name: ratio(mean_of(ours[name], figure.keys), mean_of(ours[name], figure.floors)) for name in names}
        lines.append(
            Line(f"{figure.title}, over real", f">= {LEAST_COVERAGE:g}", shares, lambda v: v >= LEAST_COVERAGE)
        )
    chances = {name: _chance(ours[name]) for name in names}
    words = {
        name: f"{number(mean_of(ours[name], (FLAGGED,)))} (p {number(chance)})"
        for name, chance in chances.items()
        if chance is not None
    }
    bar = f"p >= {LEAST_CHANCE:g}"
    lines.append(Line("flagged as copies (p of chance)", bar, chances, lambda v: v >= LEAST_CHANCE, words=words))
    copies = {name: mean_of(pick(records, set=name, method="training_copy"), (FLAGGED,)) for name in names}
    bar = f">= {LEAST_COPIES:g}"
    lines.append(Line("training tiles handed in, flagged", bar, copies, lambda v: v >= LEAST_COPIES))
    return lines


def _chance(records: Sequence[Record]) -> float | None:
    """The least probability of all seeds times their number (Bonferroni), at most 1."""
    values = values_of(records, (CHANCE,))
    return min(1.0, min(values) * len(values)) if values else None


def summary_table(lines: Sequence[Line]) -> list[str]:
    head = f"| figure | bar | {' | '.join(lines[0].values)} | median | |"
    return [head, "|---" * (4 + len(lines[0].values)) + "|", *(line.row() for line in lines)]


def ablation_table(records: Sequence[Record]) -> list[str]:
    """The preset and what differs from it in one thing; nothing if there is no ablation."""
    changed = [r for r in records if "ablation" in r]
    if not changed:
        return []
    base = [r for r in pick(records, set=ABLATION_SET, method="specdm") if r["seed"] == 0]
    lines = ["| setting | " + " | ".join(figure.title for figure in FIGURES) + " |"]
    lines.append("|---" * (1 + len(FIGURES)) + "|")
    for record in [*base, *changed]:
        name = record.get("ablation", "preset tiny: basis mnf, factor 2")
        lines.append(f"| {name} | " + " | ".join(cell([record], figure.keys) for figure in FIGURES) + " |")
    return lines


def budget_section(records: Sequence[Record], *, minutes: float) -> list[str]:
    """Everything of one budget."""
    machines = sorted({r["machine"] for r in records if r.get("machine")})
    tiles = sorted({r["tiles"] for r in records})
    lines = [
        f"## Fidelity, {minutes:g} minutes of training each",
        "",
        f"{', '.join(map(str, tiles))} synthetic tiles. {'; '.join(machines)}. ± is the standard deviation over seeds;",
        "in brackets the 95 % bootstrap interval over synthetic tiles where there is one seed. Ratios are of SpecDM's",
        "mean over the other's, below 1 is better. Seconds are wall-clock from tiles to a finished model, encoding and",
        "calibration included. Fréchet spectral, class means and the spread within classes, by which the LDA ratio and",
        "coverage of spectra gain too, are what SpecDM's calibration fits to training ground.",
        "",
    ]
    if (rows := summary(records)) and rows[0].values:
        lines += [*summary_table(rows), ""]
    for one in SETS:
        if any(r["set"] == one.name for r in records):
            picture = f"![{one.name}](results/fidelity/{one.name}.png)"
            there = [picture, ""] if (RESULTS / "fidelity" / f"{one.name}.png").is_file() else []
            lines += [f"### {one.name}", "", f"{one.about}.", "", *set_table(records, set=one.name), "", *there]
    if ablations := ablation_table(records):
        lines += [f"### Ablations, {ABLATION_SET}, seed 0", "", *ablations, ""]
    return lines


def write_tables(folder: Path, *, here: Path = HERE) -> None:
    """Write benchmarks/README.md, results/fidelity.json and, where its marks are, the summary in README.md.

    Args:
        folder: of the records.
        here: the folder benchmarks/.
    """
    records = read_records(folder)
    if not records:
        return
    budgets = {m: [r for r in records if r["minutes"] == m] for m in sorted({r["minutes"] for r in records})}
    lines = [line for minutes, part in budgets.items() for line in budget_section(part, minutes=minutes)]
    readme = here / "README.md"
    if not readme.exists() or BEGIN not in readme.read_text():
        begun = readme.read_text() if readme.exists() else INTRODUCTION
        readme.write_text(f"{begun.rstrip()}\n\n{BEGIN}\n{END}\n")
    put_between(readme, lines, name="fidelity")
    main_minutes, part = max(budgets.items(), key=lambda item: (len(item[1]), item[0]))
    rows = summary(part)
    if rows[0].values:
        note = f"{main_minutes:g} minutes of training each; by `benchmarks/fidelity.py`, more in benchmarks/README.md."
        put_between(here.parent / "README.md", [*summary_table(rows), "", note], name="fidelity")
    record = {
        f"{minutes:g} minutes": {
            line.title: {"bar": line.bar, "sets": line.values, "median": line.median, "verdict": line.verdict}
            for line in summary(part)
        }
        for minutes, part in budgets.items()
    }
    (here / "results").mkdir(exist_ok=True)
    (here / "results" / "fidelity.json").write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
