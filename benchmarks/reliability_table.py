"""Tables of the records of reliability.py."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bars import RESULTS, Bar

SWAPS = ("region_nearest", "region_random", "other_tile", "change_missed", "change_invented")
BORDERS = ("shift_2", "dilate_2", "erode_2")
OTHERS = ("shift_1", "shift_4", "dilate_1", "erode_1", "salt_and_pepper")
AMOUNTS = ("amounts_shift_1", "amounts_shift_2", "amounts_shift_4", "amounts_other_tile", "amounts_exchanged")

BARS = {
    **{kind: Bar(kind, kind.replace("_", " "), least=0.95) for kind in SWAPS},
    **{kind: Bar(kind, kind.replace("_", " "), least=0.85) for kind in BORDERS},
    **{kind: Bar(kind, kind.replace("_", " ")) for kind in (*OTHERS, *AMOUNTS)},
}
FURTHER = {
    "ece": Bar("ece", "calibration error", most=0.05),
    "auroc_all": Bar("auroc_all", "AUROC, all kinds alike"),
}
SIMULATED = {
    "spearman_tiles": Bar("spearman_tiles", "rank correlation of tile score and true error rate", least=0.8),
    "error_left": Bar("error_left", "error rate without the worst fifth of pixels, over before", most=0.5),
}


def write_tables(records: Path) -> None:
    """Markdown and JSON of all records there are."""
    found = [json.loads(path.read_text()) for path in sorted(records.glob("*.json"))]
    by_set: dict[tuple[str, float], list[dict]] = {}
    for record in found:
        by_set.setdefault((record["set"], record["minutes"]), []).append(record)
    lines = [
        "# Reliability of annotations",
        "",
        "Written by `benchmarks/reliability.py`. AUROC of the pixel score for each kind of planted error, over all",
        "labelled pixels of held-out real tiles; the rule was fitted on planted errors of other places. Mean over the",
        "seeds of the split, ± standard deviation; **bold** misses its bar.",
    ]
    summary: dict[str, Any] = {}
    for (name, minutes), group in by_set.items():
        lines += ["", f"## {name}{f', model of {minutes:g} minutes' if minutes else ', without a model'}", ""]
        lines += [f"{group[0]['about']}; {len(group)} seed{'s' if len(group) > 1 else ''}.", ""]
        combinations = list(dict.fromkeys(key for record in group for key in record["figures"]))
        lines += ["| | bar | " + " | ".join(combinations) + " |", "|---|---" + "|---" * len(combinations) + "|"]
        bars = {**BARS, **FURTHER, **(SIMULATED if name.startswith("simulated") else {})}
        for key, bar in bars.items():
            values = {c: _values(group, c, key) for c in combinations}
            if not any(values.values()):
                continue
            cells = [_cell(values[c], bar) for c in combinations]
            lines.append(f"| {bar.title} | {bar.words()} | " + " | ".join(cells) + " |")
            for combination, known in values.items():
                if known:
                    row = summary.setdefault(f"{name}{f'-{minutes:g}min' if minutes else ''}", {})
                    row.setdefault(combination, {})[key] = float(np.mean(known))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "reliability.md").write_text("\n".join(lines) + "\n")
    (RESULTS / "reliability.json").write_text(json.dumps(summary, indent=1) + "\n")


def _values(group: list[dict], combination: str, key: str) -> list[float]:
    derived: Mapping[str, Callable[[dict], float | None]] = {
        "error_left": lambda f: f["error_rate_without_worst_fifth"] / f["error_rate"] if f["error_rate"] else None
    }
    found = []
    for record in group:
        figures = record["figures"].get(combination)
        if figures is None:
            continue
        value = derived[key](figures) if key in derived else figures["auroc"].get(key, figures.get(key))
        if value is not None and np.isfinite(value):
            found.append(float(value))
    return found


def _cell(values: list[float], bar: Bar) -> str:
    if not values:
        return "-"
    mean = float(np.mean(values))
    text = f"{mean:.3f}" + (f" ± {np.std(values):.3f}" if len(values) > 1 else "")
    return f"**{text}**" if bar.verdict(mean) == "miss" else text
