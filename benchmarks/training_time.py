"""How long SpecDM trains until its tiles are as good as those of stock latent diffusion after all of its minutes.

    python benchmarks/training_time.py [--set indian_pines] [--stock-minutes 1.5] [--minutes 0.1,0.2,0.4,0.8,1.5]

The stock model (ldm_diffusers.py) is trained once; SpecDM is trained anew for each budget, since its rates fall to
nothing at the end of one. What SpecDM spends on calibration after its minutes, about 0.8 on one thread, is counted, and
the stock model trains that much longer. All on the same device, one after the other. Models lie under --work and are
not trained again; the record and its table are results/training_time.json and .md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bars import RESULTS
from few_steps import FIGURES, MORE_IS_BETTER

STOCK = "stock"


def reached(ours: Mapping[str, float | None], stock: Mapping[str, float | None]) -> list[str]:
    """Figures in which SpecDM is as good as the stock model or better; one that either lacks is not reached."""
    found = []
    for key in FIGURES:
        mine, theirs = ours.get(key), stock.get(key)
        if mine is None or theirs is None:
            continue
        if mine >= theirs if key in MORE_IS_BETTER else mine <= theirs:
            found.append(key)
    return found


def first_minutes(record: Mapping[str, Any], key: str | None = None) -> float | None:
    """The least minutes from which on a figure (default: all of them) is as good as the stock model's."""
    wanted = set(FIGURES) if key is None else {key}
    found = None
    for minutes in sorted(map(float, record["specdm"]), reverse=True):
        if not wanted <= set(reached(record["specdm"][f"{minutes:g}"], record[STOCK])):
            break
        found = minutes
    return found


def table(record: Mapping[str, Any]) -> list[str]:
    """Markdown lines."""
    asked = record["settings"]
    after = asked["calibration_minutes"]
    lines = [
        "# Training time to the quality of stock latent diffusion",
        "",
        "Written by `benchmarks/training_time.py`. "
        f"Set {asked['set']}, {asked['tiles']} tiles, seed 0, {record['machine']}.",
        "",
        f"Minutes are with the {after:g} of SpecDM's calibration, in which the stock model trains on.",
        "",
        "| | minutes | " + " | ".join(FIGURES.values()) + " |",
        "|---" * (2 + len(FIGURES)) + "|",
    ]
    rows = [(float(minutes), "SpecDM", metrics) for minutes, metrics in record["specdm"].items()]
    rows.sort(key=lambda row: row[0])
    for minutes, name, metrics in [*rows, (asked["stock_minutes"], STOCK, record[STOCK])]:
        figures = ("-" if metrics.get(key) is None else f"{metrics[key]:.3g}" for key in FIGURES)
        lines.append(f"| {name} | {minutes + after:g} | {' | '.join(figures)} |")
    lines += ["", "| as good as stock from here on | minutes | share of stock's |", "|---|---|---|"]
    for key, title in [*FIGURES.items(), (None, "**all of them**")]:
        least = first_minutes(record, key)
        share = "-" if least is None else f"{(least + after) / (asked['stock_minutes'] + after):.2f}"
        lines.append(f"| {title} | {'not reached' if least is None else f'{least + after:g}'} | {share} |")
    return lines


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Train what is not there, draw and judge; the stock model first."""
    import speed_models as models
    from fidelity import Machine
    from fidelity_sets import STOCK as METHOD
    from speed_timing import machine

    from specdm.evaluation import evaluate

    here = Machine(work=options.work, tiles=options.tiles, device=options.device, threads=options.threads)
    found: dict[str, Any] = {"specdm": {}}

    def figures(drawn: Any, real: Any) -> dict[str, float | None]:
        judged = evaluate(drawn, real=real, model=None).metrics
        return {key: judged.get(key) for key in FIGURES}

    job = models.job_of(options.set, METHOD, options.stock_minutes)
    real = models.tiles_of(models.job_of(options.set, "specdm", options.stock_minutes), here)
    found[STOCK] = figures(models.trained_stock(job, here, real).sample(options.tiles, seed=models.SEED), real)
    for minutes in options.minutes:
        job = models.job_of(options.set, "specdm", minutes)
        own = models.tiles_of(job, here)
        drawn = models.trained_specdm(job, here, own).sample(options.tiles, seed=models.SEED)
        found["specdm"][f"{minutes:g}"] = figures(drawn, own)
        print(f"{minutes:g} minutes: {found['specdm'][f'{minutes:g}']}", flush=True)
    facts = machine(options.device, options.note)
    found["machine"] = f"{facts['device']}, {facts['threads']} threads, torch {facts['torch']}" + (
        f"; {facts['note']}" if facts["note"] else ""
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", default="indian_pines", help="see fidelity.py")
    parser.add_argument("--stock-minutes", type=float, default=1.5)
    parser.add_argument(
        "--minutes", type=lambda words: [float(word) for word in words.split(",")], default=[0.1, 0.2, 0.4, 0.8, 1.5]
    )
    parser.add_argument("--tiles", type=int, default=128)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, help="of torch; default: its own choice")
    parser.add_argument("--note", default="", help="for the record, such as: machine shared")
    parser.add_argument("--work", type=Path, default=Path("runs/speed"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.work = options.work.resolve()
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    from fidelity import CALIBRATION_MINUTES

    settings = {
        "set": options.set,
        "stock_minutes": options.stock_minutes,
        "calibration_minutes": CALIBRATION_MINUTES,
        "tiles": options.tiles,
    }
    record = {"settings": settings, **measured(options)}
    path = options.results / "training_time.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    text = "\n".join(table(record)) + "\n"
    path.with_suffix(".md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
