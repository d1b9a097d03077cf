"""The figures of the demonstration: `specdm demo` on Indian Pines, and the table of README.md.

    python benchmarks/demo.py [RUN ...]

Without arguments it runs the demonstration once in runs/demo_benchmark (about ten minutes on two cores). Given run
folders are read instead, such as the `runs/demo` that `make demo` left; several give mean and spread. Writes
benchmarks/results/demo.json and the table between the `figures` marks of README.md.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from bars import put_between

from specdm.evaluation.metrics import METRICS

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"


def table(records: list[dict]) -> str:
    """Markdown: every figure that has a bar, mean and spread over the runs."""
    lines = ["| figure | bar | measured |", "|---|---|---|"]
    for key, info in METRICS.items():
        values = [record[key] for record in records if isinstance(record.get(key), int | float)]
        if info.bar is None or not values:
            continue
        spread = f" ± {np.std(values, ddof=1):.2g}" if len(values) > 1 else ""
        measured = f"{info.show(float(np.mean(values)))}{spread}"
        missed = any(info.verdict(value) == "miss" for value in values)
        measured = f"**{measured}, missed**" if missed else measured
        lines.append(f"| {info.title} (`{key}`) | {info.show_bar()} | {measured} |")
    return "\n".join(lines)


def main() -> None:
    runs = [Path(argument) for argument in sys.argv[1:]]
    if not runs:
        runs = [HERE.parent / "runs" / "demo_benchmark"]
        subprocess.run([sys.executable, "-m", "specdm", "demo", "-o", str(runs[0])], check=True)
    records = []
    for run in runs:
        record = json.loads((run / "evaluation.json").read_text())
        record.pop("_details", None)
        records.append(record)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "demo.json").write_text(json.dumps(records, indent=1) + "\n")
    runs_said = f"{len(records)} run{'s' if len(records) > 1 else ''} of seed 0"
    note = f"{runs_said}; `benchmarks/demo.py` writes this table."
    put_between(README, [table(records), "", note], name="figures")


if __name__ == "__main__":
    main()
