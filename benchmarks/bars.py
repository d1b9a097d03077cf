"""What the benchmarks of single tasks share: bars with pass or miss, commands run as a user types them, tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SHARED = Path(os.environ.get("SPECDM_SHARED_DATA") or HERE.parent.parent / "shared" / "data")
SPECDM = (sys.executable, "-m", "specdm")


@dataclass(frozen=True)
class Bar:
    """A figure and what it has to keep.

    Attributes:
        key: name in the record's metrics.
        title: for the table.
        least, most: bounds, either may be missing; with none the figure is shown only.
    """

    key: str
    title: str
    least: float | None = None
    most: float | None = None

    def verdict(self, value: float | None) -> str:
        """ "pass" or "miss"; "" without bounds. A figure that is not there misses."""
        if self.least is None and self.most is None:
            return ""
        if value is None:
            return "miss"
        kept = (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        return "pass" if kept else "miss"

    def words(self) -> str:
        """The bounds."""
        if self.least is not None and self.most is not None:
            return f"{self.least:g} to {self.most:g}"
        if self.least is not None:
            return f">= {self.least:g}"
        return "" if self.most is None else f"<= {self.most:g}"


def specdm(*arguments: str | Path) -> None:
    """Run a command; stops the benchmark if it fails."""
    subprocess.run([*SPECDM, *map(str, arguments)], check=True)


def shown(arguments: Iterable[str | Path], *, work: Path) -> str:
    """A command for a record, without the paths of this machine."""
    text = " ".join(["specdm", *map(str, arguments)])
    return text.replace(str(SHARED), "../shared/data").replace(str(work), "WORK")


def read_metrics(path: Path) -> dict[str, float | None]:
    """The flat figures of an evaluation.json."""
    return {key: value for key, value in json.loads(path.read_text()).items() if not key.startswith("_")}


def write_record(name: str, record: Mapping[str, object], *, bars: Sequence[Bar]) -> None:
    """Write `results/NAME.json`: the record, with its bars and whether each is kept."""
    metrics = record["metrics"]
    if not isinstance(metrics, Mapping):
        raise TypeError("a record has its figures under metrics")
    verdicts = {
        bar.key: {"bar": bar.words(), "value": metrics.get(bar.key), "verdict": bar.verdict(metrics.get(bar.key))}
        for bar in bars
        if bar.words()
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps({**record, "bars": verdicts}, indent=1) + "\n")


def read_records(pattern: str) -> list[dict]:
    """The records there are, by name."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob(pattern))]


def bar_table(metrics: Mapping[str, float | None], bars: Sequence[Bar]) -> list[str]:
    """Markdown lines: every figure, its bar, and whether it is kept."""
    lines = ["| figure | bar | measured | |", "|---|---|---|---|"]
    for bar in bars:
        value = metrics.get(bar.key)
        measured = "-" if value is None else f"{value:.3g}" if 0 < abs(value) < 1e-3 else f"{value:.3f}"
        verdict = bar.verdict(value)
        lines.append(f"| {bar.title} (`{bar.key}`) | {bar.words()} | {measured} | {verdict and f'**{verdict}**'} |")
    return lines


def put_between(path: Path, lines: Sequence[str], *, name: str) -> None:
    """Replace what stands between the marks of a table, `<!-- NAME -->` and `<!-- end of NAME -->`.

    A file without the marks, or none, stays as it is.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = path.read_text() if path.exists() else ""
    if begin in text and end in text:
        before, rest = text.split(begin, 1)
        after = rest.split(end, 1)[1]
        path.write_text(f"{before}{begin}\n" + "\n".join(lines).rstrip() + f"\n{end}{after}")
