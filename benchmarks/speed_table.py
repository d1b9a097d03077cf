"""The table of speed.py: ratios and bars from its records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bars import Bar

FRECHET, LDA = "synthetic.frechet_spectral", "synthetic.lda_agreement"
FASTER = Bar("faster", "tiles per second, over stock", least=10.0)
FRECHET_BAR = Bar(FRECHET, "Fréchet spectral, over stock", most=1.0)
LDA_BAR = Bar(LDA, "LDA agrees, less stock's", least=0.0)
DENOISER_BAR = Bar("denoiser_seconds", "denoiser", most=1.2)
TOTAL_BAR = Bar("seconds", "total", most=2.0)
SPECDM, STOCK = "specdm", "stock"
FEWEST, MOST = "10", "400"

Row = tuple[Bar, str, float | None]


def against_stock(methods: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """Every way of SpecDM's to draw, held against the stock model: bar, what it is, value."""
    rows: list[Row] = []
    if STOCK not in methods:
        return rows
    stock = methods[STOCK]
    for name, one in methods.items():
        if name == STOCK:
            continue
        ours, theirs = one["metrics"], stock["metrics"]
        rows.append((FASTER, name, one["tiles_per_second"] / stock["tiles_per_second"]))
        for bar, compared in ((FRECHET_BAR, lambda a, b: a / b), (LDA_BAR, lambda a, b: a - b)):
            there = ours.get(bar.key) is not None and theirs.get(bar.key) is not None
            rows.append((bar, name, compared(ours[bar.key], theirs[bar.key]) if there else None))
    return rows


def over_fewest(bands: Mapping[str, Mapping[str, float]]) -> list[Row]:
    """Cost at 400 bands over that at 10; nothing if either was not measured."""
    if FEWEST not in bands or MOST not in bands:
        return []
    about = f"{MOST} bands over {FEWEST}"
    return [(bar, about, bands[MOST][bar.key] / bands[FEWEST][bar.key]) for bar in (DENOISER_BAR, TOTAL_BAR)]


def write_table(folder: Path) -> Path:
    """Write `speed.md` beside the folder of records; returns it."""
    found = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    lines = ["# Speed", "", "Written by `benchmarks/speed.py`, sampling only. Seconds are medians of the wall clock;"]
    lines += ["a figure after ± is half of what the repeats span. Memory is the peak of a process that loads the model"]
    lines += ["and draws one batch."]
    for record in sorted(found, key=lambda one: ("stock", "bands", "peak").index(one["part"])):
        lines += ["", *{"stock": _stock, "bands": _bands, "peak": _peak}[record["part"]](record)]
    path = folder.with_suffix(".md")
    path.write_text("\n".join(lines) + "\n")
    return path


def _where(record: Mapping[str, Any]) -> str:
    here = record["machine"]
    words = f"{here['device']}, {here['cores_allowed']} of {here['cores']} cores, {here['threads']} threads, "
    words += f"load {here['load']}, torch {here['torch']}"
    return words + (f"; {here['note']}" if here["note"] else "") + "."


def _verdicts(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    lines = ["", "| figure | of | bar | measured | |", "|---|---|---|---|---|"]
    for bar, about, value in rows:
        measured = "-" if value is None else f"{value:.3g}"
        lines.append(f"| {bar.title} | {about} | {bar.words()} | {measured} | **{bar.verdict(value)}** |")
    return lines


def _span(one: Mapping[str, Any]) -> str:
    spread = (max(one["all_seconds"]) - min(one["all_seconds"])) / 2
    return f"{one['seconds']:.3g} ± {spread:.2g}"


def _memory(one: Mapping[str, Any]) -> str:
    words = f"{one['peak_gb']:.2f} ({one['peak_loaded_gb']:.2f} loaded)"
    return words + (f", device {one['device_peak_gb']:.2f}" if "device_peak_gb" in one else "")


def _stock(record: Mapping[str, Any]) -> list[str]:
    asked = record["settings"]
    lines = [
        f"## Against stock latent diffusion: {record['set']}, {asked['minutes']:g} minutes each",
        "",
        f"{asked['tiles']} tiles, {asked['batch']} at once, drawn in turns; distilling takes its own time "
        f"besides. {_where(record)}",
        "",
        "| method | evaluations a tile | seconds a tile | of them denoiser | tiles per second | Fréchet spectral "
        "| LDA agrees | peak memory, GB |",
        "|---" * 8 + "|",
    ]
    for name, one in record["methods"].items():
        figures = ["-" if (value := one["metrics"].get(key)) is None else f"{value:.3g}" for key in (FRECHET, LDA)]
        lines.append(
            f"| {name} | {one['evaluations']:.4g} | {_span(one)} | {one['denoiser_seconds']:.3g} | "
            f"{one['tiles_per_second']:.3g} | {' | '.join(figures)} | {_memory(one)} |"
        )
    return lines + _verdicts(against_stock(record["methods"]))


def _bands(record: Mapping[str, Any]) -> list[str]:
    lines = [
        "## Bands",
        "",
        f"Barely trained models, {record['settings']['batch']} tiles at once, in turns. {_where(record)}",
        "",
        "| bands | seconds a tile | denoiser | rest | CPU seconds | peak memory, GB |",
        "|---" * 6 + "|",
    ]
    for bands, one in record["bands"].items():
        rest = one["seconds"] - one["denoiser_seconds"]
        lines.append(
            f"| {bands} | {_span(one)} | {one['denoiser_seconds']:.3g} | {rest:.3g} | {one['cpu_seconds']:.3g} | "
            f"{_memory(one)} |"
        )
    return lines + _verdicts(over_fewest(record["bands"]))


def _peak(record: Mapping[str, Any]) -> list[str]:
    lines = ["## Share of the device's peak", "", _where(record), ""]
    for kind, one in record["matmul"].items():
        lines.append(f"Product of two {one['rows']} x {one['rows']} matrices, {kind}: {one['gflops']:.4g} GFLOP/s.")
    lines += ["", "| denoiser | GFLOP a tile | seconds a tile | GFLOP/s | share of peak |", "|---" * 5 + "|"]
    for name, one in record["denoisers"].items():
        lines.append(
            f"| {name} | {one['gflop']:.4g} | {one['seconds']:.3g} | {one['gflops']:.4g} | {one['share']:.1%} |"
        )
    return lines
