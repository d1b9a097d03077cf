"""Quality against the number of evaluations of the network: a run's model with few and many steps, and distilled.

    python benchmarks/few_steps.py RUN [--tiles 256] [--steps 1,2,4,6,8,10,20,50] [--distilled 1,2,4]

What is not distilled yet is distilled first, as `specdm distill RUN` does. Every setting draws the same tiles (seed 0)
and is held against the run's real tiles by `specdm.evaluate`. An evaluation is one pass of one tile through the
denoiser, guidance counted; they are counted as they happen. A setting whose record is there is not drawn again, unless
other tiles or weights are asked for. Writes results/few_steps.json and .md.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bars import RESULTS, Bar

if TYPE_CHECKING:
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.tileset import TileSet

FIGURES = {
    "synthetic.frechet_spectral": "Fréchet spectral",
    "synthetic.frechet_rgb": "Fréchet² rgb",
    "synthetic.frechet_mask": "Fréchet² mask",
    "synthetic.class_mean_angle_deg": "class means °",
    "synthetic.lda_agreement": "LDA agrees",
}
JUDGED = ("synthetic.frechet_spectral", "synthetic.frechet_rgb", "synthetic.frechet_mask", "synthetic.lda_agreement")
"""Figures that have a bar: how much worse than with the most steps."""

MORE_IS_BETTER = {"synthetic.lda_agreement"}
DEFAULT_BAR, DISTILLED_BAR, DISTILLED_TO = 0.03, 0.10, 4
SEED, WARM = 0, 2


@contextmanager
def counted() -> Iterator[list[int]]:
    """Tiles of each pass through any denoiser, while the block lasts."""
    from specdm.models.denoiser import JointDenoiser

    ask, passes = JointDenoiser.forward, []

    def forward(self: JointDenoiser, noisy: Any, *rest: Any) -> Any:
        passes.append(len(noisy))
        return ask(self, noisy, *rest)

    JointDenoiser.forward = forward  # type: ignore[method-assign]
    try:
        yield passes
    finally:
        JointDenoiser.forward = ask  # type: ignore[method-assign]


def measured(pipeline: SpecDMPipeline, real: TileSet, *, tiles: int, options: Mapping[str, int]) -> dict[str, Any]:
    """One setting: drawn, timed, counted, judged."""
    from specdm.evaluation import evaluate

    pipeline.sample(WARM, seed=SEED + 1, **options)
    began = time.monotonic()
    with counted() as passes:
        drawn = pipeline.sample(tiles, seed=SEED, **options)
    seconds = (time.monotonic() - began) / tiles
    found = evaluate(drawn, real=real, model=None)
    return {
        "evaluations": sum(passes) / tiles,
        "seconds_per_tile": seconds,
        "metrics": {key: found.metrics.get(key) for key in FIGURES},
        "intervals": {key: found.intervals[key] for key in FIGURES if key in found.intervals},
    }


def worse(value: float | None, best: float | None, key: str) -> float | None:
    """By what share a figure is worse than another; negative where it is better."""
    if value is None or best is None or best == 0:
        return None
    return 1 - value / best if key in MORE_IS_BETTER else value / best - 1


def verdicts(settings: Mapping[str, Mapping[str, Any]], default: str) -> dict[str, dict[str, Any]]:
    """The default number of steps, and the model distilled to four, held against the most steps."""
    most = settings[max((name for name in settings if name.startswith("steps")), key=lambda n: int(n.split()[1]))]
    found = {}
    for name, limit in ((default, DEFAULT_BAR), (f"distilled {DISTILLED_TO}", DISTILLED_BAR)):
        if name not in settings:
            continue
        for key in JUDGED:
            by = worse(settings[name]["metrics"][key], most["metrics"][key], key)
            bar = Bar(key, f"{name}: {FIGURES[key]}", most=limit)
            found[f"{name}, {key}"] = {"worse_by": by, "bar": bar.words(), "verdict": bar.verdict(by)}
    return found


def table(record: Mapping[str, Any]) -> list[str]:
    """Markdown."""
    settings = record["settings"]
    lines = [
        f"# Quality against evaluations of the network: run `{record['run']}`, {record['tiles']} tiles, seed {SEED}",
        "",
        f"{record['machine']}. Written by `benchmarks/few_steps.py`. The default is {record['default']} of each stage: "
        f"{settings[record['default']]['evaluations']:.0f} evaluations a tile, guidance counted.",
        "",
        "| setting | evaluations a tile | seconds a tile | " + " | ".join(FIGURES.values()) + " |",
        "|---" * (3 + len(FIGURES)) + "|",
    ]
    for name, one in settings.items():
        cells = ["-" if (value := one["metrics"][key]) is None else f"{value:.3g}" for key in FIGURES]
        start = f"| {name} | {one['evaluations']:.4g} | {one['seconds_per_tile']:.3g} | "
        lines.append(start + " | ".join(cells) + " |")
    lines += ["", "| worse than with the most steps | by | bar | |", "|---|---|---|---|"]
    for name, one in record["bars"].items():
        by = "-" if one["worse_by"] is None else f"{one['worse_by']:+.1%}"
        lines.append(f"| {name} | {by} | {one['bar']} | **{one['verdict']}** |")
    return lines


def main() -> None:
    import torch

    from specdm.report.distill_run import distill_run
    from specdm.report.run_folder import RunFolder
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.store import open_tiles

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path, help="run folder; it is distilled if need be")
    parser.add_argument("--tiles", type=int, default=256)
    parser.add_argument("--steps", default="1,2,4,6,8,10,20,50", help="of each stage, separated by commas")
    parser.add_argument("--distilled", default="1,2,4", help="evaluations, separated by commas; may be empty")
    parser.add_argument("--minutes", type=float, help="of each distillation; default: thrice the denoiser's")
    options = parser.parse_args()
    numbers = [int(word) for word in options.distilled.split(",") if word]
    for evaluations in numbers:
        distill_run(options.run, evaluations=evaluations, minutes=options.minutes, say=print)
    folder = RunFolder(options.run)
    pipeline, real = SpecDMPipeline.from_pretrained(folder.model), open_tiles(folder.tiles)
    default = f"steps {pipeline.defaults.steps}"
    steps = sorted({*map(int, options.steps.split(",")), pipeline.defaults.steps})
    wanted = {f"steps {n}": {"steps": n} for n in steps} | {f"distilled {n}": {"evaluations": n} for n in numbers}
    path = RESULTS / "few_steps.json"
    before = json.loads(path.read_text()) if path.is_file() else {}
    record: dict[str, Any] = {
        "run": options.run.name,
        "tiles": options.tiles,
        "machine": f"CPU, {os.cpu_count()} cores, {torch.get_num_threads()} threads",
        "default": default,
        "settings": {},
    }
    for name, asked in wanted.items():
        model = pipeline.id_of(asked.get("evaluations"))
        there = before.get("settings", {}).get(name, {})
        if there.get("model") != model or before.get("tiles") != options.tiles:
            there = {"model": model, **measured(pipeline, real, tiles=options.tiles, options=asked)}
        record["settings"][name] = there
        print(name, {key: round(value, 4) for key, value in there["metrics"].items() if value is not None}, flush=True)
        kept = {**before.get("settings", {}), **record["settings"]} if before.get("tiles") == options.tiles else {}
        path.write_text(json.dumps({**record, "settings": kept or record["settings"]}, indent=1) + "\n")
    record["bars"] = verdicts(record["settings"], default)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    path.with_suffix(".md").write_text("\n".join(table(record)) + "\n")


if __name__ == "__main__":
    main()
