"""Speed of sampling: against stock latent diffusion, against the number of bands, and against the device's peak.

    python benchmarks/speed.py [--only stock,bands,peak] [--minutes 1.5] [--sets indian_pines] [--device cuda]

stock: SpecDM as it samples by default (and distilled, with --distilled 4) and ldm_diffusers.py, both trained for the
    same minutes, draw in turns in one process; their tiles are judged by `specdm.evaluate`.
bands: barely trained models of 10 to 400 bands draw in turns; denoiser and total.
peak: operations of the denoiser a second, over those of a large matrix product.

Peak memory is measured in processes of their own. Models lie under --work and are not trained again, a record in
results/speed/ with the same settings is not made again; the table is results/speed.md.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bars import RESULTS, SHARED
from speed_table import FRECHET, LDA, SPECDM, STOCK, write_table

if TYPE_CHECKING:
    from torch import nn

    from specdm.tiles.tileset import TileSet

PARTS = ("stock", "bands", "peak")
BANDS, PEAK_BANDS = "10,50,100,200,400", 200
BATCH, BAND_BATCH, WARM = 32, 16, 2


@dataclass(frozen=True)
class Drawer:
    """Something that draws tiles.

    Attributes:
        draw: called with the number of tiles and the index of the first.
        denoiser: the module whose share is told.
        facts: for the record.
    """

    draw: Callable[[int, int], TileSet]
    denoiser: nn.Module
    facts: dict[str, Any]


def drawer(name: str, options: argparse.Namespace, *, data_set: str) -> Drawer:
    """A method of part `stock` by name, trained if it is not; "specdm distilled N" is distilled if it is not."""
    import speed_models as models
    from fidelity import stage_facts
    from fidelity_sets import STOCK as METHOD

    machine = machine_of(options)
    job = models.job_of(data_set, SPECDM, options.minutes)
    real = models.tiles_of(job, machine)
    if name == STOCK:
        stock = models.trained_stock(models.job_of(data_set, METHOD, options.minutes), machine, real)
        return Drawer(
            lambda n, first: stock.sample(n, seed=models.SEED, first=first, batch_size=BATCH),
            stock.denoiser,
            stock.facts,
        )
    pipeline = models.trained_specdm(job, machine, real)
    facts: dict[str, Any] = stage_facts(machine.work / job.name / "log" / "metrics.csv")
    few: int | None = None
    if name != SPECDM:
        from specdm.report.distill_run import distill_run
        from specdm.synthesis.pipeline import SpecDMPipeline

        few = int(name.rsplit(" ", 1)[1])
        folder = distill_run(machine.work / job.name, evaluations=few, show_progress=False)
        pipeline = SpecDMPipeline.from_pretrained(folder).to(options.device)
    model = pipeline.model if few is None else pipeline.distilled[few].model
    return Drawer(
        lambda n, first: pipeline.sample(n, seed=models.SEED, first=first, batch_size=BATCH, evaluations=few),
        model.denoiser,
        {**facts, "steps_a_stage": None if few else pipeline.defaults.steps},
    )


def stock_part(options: argparse.Namespace, data_set: str) -> dict[str, Any]:
    """Both models on a set: in turns, a batch each; then judged."""
    import speed_models as models
    from speed_timing import medians, timed_draw

    from specdm.evaluation import evaluate

    names = [SPECDM, *(f"{SPECDM} distilled {n}" for n in options.distilled), STOCK]
    drawers = {name: drawer(name, options, data_set=data_set) for name in names}
    drawn: dict[str, list[TileSet]] = {name: [] for name in names}
    times: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for one in drawers.values():
        one.draw(WARM, options.tiles)
    for first in range(0, options.tiles, BATCH):
        n = min(BATCH, options.tiles - first)
        for name, one in drawers.items():
            tiles, took = timed_draw(partial(one.draw, n, first), one.denoiser, n=n, device=options.device)
            drawn[name].append(tiles)
            times[name].append(took)
    real = models.tiles_of(models.job_of(data_set, SPECDM, options.minutes), machine_of(options))
    found = {}
    for name, one in drawers.items():
        judged = evaluate(together(drawn[name]), real=real, model=None)
        middle = medians(times[name])
        found[name] = {
            **middle,
            "tiles_per_second": 1 / middle["seconds"],
            **in_child(options, f"{data_set}:{name}"),
            "metrics": {key: judged.metrics.get(key) for key in (FRECHET, LDA)},
            "intervals": {key: judged.intervals[key] for key in (FRECHET, LDA) if key in judged.intervals},
            **one.facts,
        }
    return {"set": data_set, "methods": found}


def together(parts: list[TileSet]) -> TileSet:
    """One set of all."""
    import xarray as xr

    from specdm.tiles.tileset import TileSet

    datasets = [part.dataset for part in parts]
    return TileSet(xr.concat(datasets, dim="tile", data_vars="minimal", coords="minimal", compat="override"))


def bands_part(options: argparse.Namespace) -> dict[str, Any]:
    """A model for each number of bands, in turns."""
    import speed_models as models
    from speed_timing import medians, timed_draw

    machine = machine_of(options)
    pipelines = {bands: models.barely_trained(bands, machine) for bands in options.bands}
    for pipeline in pipelines.values():
        pipeline.sample(WARM, seed=1)
    times: dict[int, list[dict[str, float]]] = {bands: [] for bands in pipelines}
    for _ in range(options.repeats):
        for bands, pipeline in pipelines.items():
            draw, denoiser = partial(pipeline.sample, BAND_BATCH, seed=0), pipeline.model.denoiser
            _, took = timed_draw(draw, denoiser, n=BAND_BATCH, device=options.device)
            times[bands].append(took)
    return {"bands": {str(bands): {**medians(times[bands]), **in_child(options, f"bands:{bands}")} for bands in times}}


def peak_part(options: argparse.Namespace) -> dict[str, Any]:
    """Denoisers and matrix products in turns: SpecDM's, and the stock one where part `stock` has trained it."""
    import speed_models as models
    import torch
    from diffusers.models.unets.unet_2d import UNet2DModel
    from speed_timing import MATMUL, matmul_seconds, operations, seconds_of

    machine, device = machine_of(options), options.device
    specdm = models.barely_trained(PEAK_BANDS, machine).model.denoiser
    cells = models.SIZE // 2
    inputs: dict[str, tuple[nn.Module, tuple[Any, ...]]] = {}
    noisy = torch.randn(BATCH, sum(specdm.stream_channels), cells, cells, device=device)
    levels = torch.rand(BATCH, len(specdm.stream_channels), cells, cells, device=device)
    shares = torch.rand(BATCH, specdm.config["conditions"], device=device)
    inputs[SPECDM] = (specdm, (noisy, levels, shares))
    for name in options.sets:
        folder = models.stock_folder(name, machine, options.minutes) / "denoiser"
        if folder.is_dir():
            stock = UNet2DModel.from_pretrained(folder, low_cpu_mem_usage=False).eval().to(device)
            size = stock.config["sample_size"]
            state = torch.randn(BATCH, stock.config["in_channels"], size, size, device=device)
            inputs[f"stock, {name}"] = (stock, (state, 500))
    kinds = {"float32": torch.float32, **({"bfloat16": torch.bfloat16} if device == "cuda" else {})}
    rows = MATMUL[device]
    calls = {kind: matmul_seconds(rows, device=device, dtype=dtype) for kind, dtype in kinds.items()}

    def asked(name: str) -> Any:
        module, given = inputs[name]
        with torch.no_grad():
            return module(*given)

    calls |= {name: partial(seconds_of, partial(asked, name), device=device) for name in inputs}
    for call in calls.values():
        call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(3 * options.repeats):
        for name, call in calls.items():
            times[name].append(call())
    middle = {name: statistics.median(seconds) for name, seconds in times.items()}
    peaks = {kind: 2 * rows**3 / middle[kind] / 1e9 for kind in kinds}
    found = {}
    for name in inputs:
        gflop = operations(partial(asked, name)) / 1e9
        rate = gflop / middle[name]
        # the weights are float32
        share = rate / peaks["float32"]
        found[name] = {"gflop": gflop / BATCH, "seconds": middle[name] / BATCH, "gflops": rate, "share": share}
    return {"matmul": {kind: {"rows": rows, "gflops": peaks[kind]} for kind in kinds}, "denoisers": found}


def machine_of(options: argparse.Namespace) -> Any:
    """As fidelity.py has it."""
    from fidelity import Machine

    return Machine(work=options.work, tiles=options.tiles, device=options.device, threads=options.threads)


def in_child(options: argparse.Namespace, what: str) -> dict[str, float]:
    """Peak memory of drawing one batch: "SET:METHOD" or "bands:N"."""
    command = [sys.executable, __file__, "--child", what, "--work", str(options.work), "--device", options.device]
    command += ["--minutes", str(options.minutes), *(["--threads", str(options.threads)] if options.threads else [])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def child(options: argparse.Namespace) -> dict[str, float]:
    """What `in_child` asks for, in this process."""
    import speed_models as models
    from speed_timing import memory_of

    kind, name = options.child.split(":")

    def load() -> Callable[[], Any]:
        if kind == "bands":
            pipeline = models.barely_trained(int(name), machine_of(options))
            return lambda: pipeline.sample(BATCH, seed=0, batch_size=BATCH)
        one = drawer(name, options, data_set=kind)
        return lambda: one.draw(BATCH, 0)

    return memory_of(load, device=options.device)


def run_part(options: argparse.Namespace, part: str, name: str, work: Callable[[], dict], **settings: Any) -> None:
    """Make the record of a part unless it is there with the same settings."""
    from speed_timing import machine

    path = options.results / "speed" / f"{name}.json"
    settings |= {"device": options.device, "threads": options.threads}
    if path.is_file() and json.loads(path.read_text())["settings"] == settings:
        return
    record = {"part": part, "settings": settings, "machine": machine(options.device, options.note), **work()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
    print(f"{name}: {path}", flush=True)


def main() -> None:
    def numbers(words: str) -> list[int]:
        return [int(word) for word in words.split(",") if word]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, separated by commas")
    parser.add_argument("--minutes", type=float, default=1.5, help="of training, each method of part stock")
    parser.add_argument("--sets", default="indian_pines", help="of part stock, separated by commas; see fidelity.py")
    parser.add_argument("--tiles", type=int, default=128, help="of each method of part stock")
    parser.add_argument("--distilled", type=numbers, default=[], help="evaluations of distilled models beside, 1 to 16")
    parser.add_argument("--bands", type=numbers, default=numbers(BANDS))
    parser.add_argument("--repeats", type=int, default=5, help="of parts bands and peak")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, help="of torch; default: its own choice")
    parser.add_argument("--note", default="", help="for the record, such as: machine shared")
    parser.add_argument("--work", type=Path, default=Path("runs/speed"))
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.work, options.sets = options.work.resolve(), options.sets.split(",")
    if options.threads:
        import torch

        torch.set_num_threads(options.threads)
    if options.child:
        print(json.dumps(child(options)))
        return
    parts = options.only.split(",")
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]}; there are {', '.join(PARTS)}")
    if "stock" in parts:
        from fidelity_sets import SETS

        known = {one.name: one for one in SETS}
        if unknown := [name for name in options.sets if name not in known]:
            parser.error(f"no set {unknown[0]}; there are {', '.join(known)}")
        if any(known[name].needs_files for name in options.sets) and not SHARED.is_dir():
            parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA")
        given = {"minutes": options.minutes, "tiles": options.tiles, "batch": BATCH, "distilled": options.distilled}
        for name in options.sets:
            run_part(options, "stock", f"stock-{name}", partial(stock_part, options, name), **given)
    if "bands" in parts:
        given = {"bands": options.bands, "repeats": options.repeats, "batch": BAND_BATCH}
        run_part(options, "bands", "bands", partial(bands_part, options), **given)
    if "peak" in parts:
        given = {"bands": PEAK_BANDS, "repeats": options.repeats, "batch": BATCH}
        run_part(options, "peak", "peak", partial(peak_part, options), **given)
    print(write_table(options.results / "speed").read_text())


if __name__ == "__main__":
    main()
