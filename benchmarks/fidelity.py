"""Fidelity of SpecDM beside a plain latent diffusion model, diffusers as it comes, and controls; equal minutes each.

    python benchmarks/fidelity.py --minutes 1.5 [--tiles 256] [--only indian_pines,...] [--methods specdm,ldm,...]
    python benchmarks/fidelity.py --ablations        one idea of SpecDM taken away at a time, Indian Pines
    python benchmarks/fidelity.py --table            tables and pictures of the records there are

Each run lies in its own folder under --work, which `specdm report` and the other commands can open where SpecDM
trained it. A record that exists is not made again; a finished model is not trained again. Records go to
results/fidelity/, tables to benchmarks/README.md and results/fidelity.json.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fidelity_table
from bars import RESULTS, SHARED, shown
from fidelity_sets import METHODS, PRESETS, SEEDS, SETS, STOCK, TRAINED, Job, ablation_jobs, jobs

if TYPE_CHECKING:
    from specdm.report.run_plan import RunPlan
    from specdm.tiles.tileset import TileSet
    from specdm.training.config import CodecConfig

RECORDS = RESULTS / "fidelity"
CALIBRATION_MINUTES = 0.8
"""How much longer the others train than SpecDM: at least what it spends on calibration after its budget, on one thread.

128 tiles drawn in 36 s and the fit in 11 s, on Indian Pines, before masks had a network of their own; since then they
are drawn in half of that, and the others keep what they had.
"""


@dataclass(frozen=True)
class Machine:
    """Where and how it is run.

    Attributes:
        work: folder of the run folders.
        tiles: synthetic tiles of each run.
        device: "cpu" or "cuda".
        threads: of torch; None for its own choice.
    """

    work: Path
    tiles: int
    device: str
    threads: int | None

    def words(self) -> str:
        import torch

        name = torch.cuda.get_device_name() if self.device == "cuda" else "CPU"
        return f"{name}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"


def training_minutes(job: Job) -> float:
    """So that no other method takes less time in all than SpecDM."""
    return job.minutes + (0.0 if job.method == "specdm" else CALIBRATION_MINUTES)


def plan(job: Job, machine: Machine, *, run: Path) -> RunPlan:
    """The run as `specdm train` would plan it."""
    from specdm.report.run_plan import plan_run

    settings = {
        "seed": job.seed,
        # pictures would be drawn out of the same minutes
        "training.picture_seconds": 1e9,
        "training.accelerator": machine.device,
        **(job.ablation.settings if job.ablation else {}),
    }
    preset = PRESETS.get(job.method, "tiny")
    minutes = training_minutes(job)
    command = ["train", *job.set.words, "-o", str(run), "--preset", preset, "--minutes", f"{minutes:g}"]
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    return plan_run(
        list(job.set.inputs),
        output=run,
        scene=job.set.options,
        preset=preset,
        settings=settings,
        minutes=minutes,
        command=shown([*command, *sets], work=machine.work),
    )


def make_tiles(job: Job, machine: Machine, *, real: TileSet, run: Path, planned: RunPlan) -> tuple[TileSet, dict]:
    """Train if need be and draw; returns the synthetic tiles and what it took."""
    if job.method in TRAINED:
        return _by_specdm(job, machine, real=real, run=run, planned=planned)
    if job.method == STOCK:
        from ldm_diffusers import train_and_sample

        return train_and_sample(
            real,
            n=machine.tiles,
            minutes=training_minutes(job),
            seed=job.seed,
            device=machine.device,
            factor=planned.config.codec.factor,
            latent_channels=latent_channels(real.train, planned.config.codec),
        )
    from specdm.evaluation import controls

    return getattr(controls, job.method)(real, n=machine.tiles, seed=job.seed), {}


def latent_channels(train: TileSet, config: CodecConfig) -> int:
    """How many SpecDM has in all streams together, which its preset `ldm` has in one."""
    from specdm.models.pair_codec import PairCodec
    from specdm.models.streams import PAIR
    from specdm.training.new_codecs import new_codecs
    from specdm.training.tile_tensors import tile_streams, to_pixels

    codec = new_codecs(
        [PAIR],
        to_pixels(train, slice(0, 4)),
        apart=tile_streams(train),
        classes=len(train.classes or ()),
        sum_to_one=train.quantities is not None and train.quantities.sum_to_one,
        config=config,
    )[PAIR.codec]
    assert isinstance(codec, PairCodec)
    return codec.latent_channels


def _by_specdm(job: Job, machine: Machine, *, real: TileSet, run: Path, planned: RunPlan) -> tuple[TileSet, dict]:
    from specdm.synthesis.pipeline import SpecDMPipeline

    if job.weights == job.name:
        pipeline = planned.train(real)
    else:
        model = machine.work / job.weights / "model"
        pipeline = SpecDMPipeline.from_pretrained(model)
    began = time.monotonic()
    options = dict(job.ablation.sampling) if job.ablation else {}
    drawn = pipeline.to(machine.device).sample(machine.tiles, seed=job.seed, **options)
    facts = {
        **stage_facts(machine.work / job.weights / "log" / "metrics.csv"),
        "sample_seconds": round(time.monotonic() - began, 2),
        "parameters": {
            name: sum(p.numel() for p in part.parameters())
            for name, part in (("codecs", pipeline.model.codecs), ("denoiser", pipeline.model.denoiser))
        },
        "settings": planned.config.model_dump(mode="json"),
    }
    return drawn, facts


def stage_facts(log: Path) -> dict[str, Any]:
    """Seconds and steps of the stages, from the last row of each."""
    if not log.is_file():
        return {}
    with log.open(newline="") as file:
        last = {row["stage"]: row for row in csv.DictReader(file)}
    return {
        "train_seconds": round(sum(float(row["seconds"]) for row in last.values()), 1),
        "steps": {stage: int(row["step"]) for stage, row in last.items()},
    }


def run_job(job: Job, machine: Machine, *, only_evaluate: bool) -> dict[str, Any]:
    """Tiles, model, synthetic tiles, as far as they are not there; then judge. Returns the record."""
    from specdm.evaluation import evaluate
    from specdm.report.run_folder import RunFolder, write_text
    from specdm.tiles.store import open_tiles
    from specdm.training.ranks import ALONE

    run = machine.work / job.name
    folder, notes = RunFolder(run), run / "log" / "fidelity.json"
    planned = plan(job, machine, run=run)
    finished = notes.is_file() and (folder.synthetic / "zarr.json").is_file()
    wanted = training_minutes(job)
    if finished and json.loads(notes.read_text()).get("training_minutes", wanted) != wanted:
        raise RuntimeError(f"{run} was trained for another time; choose another folder with --work")
    if only_evaluate and not finished:
        raise FileNotFoundError(f"{run} has no synthetic tiles to evaluate again")
    real = planned.tiles(ALONE)
    facts = json.loads(notes.read_text()) if finished else {}
    if not only_evaluate and (not finished or facts["tiles"] != machine.tiles):
        began, trained_before = time.monotonic(), folder.model.is_dir()
        drawn, facts = make_tiles(job, machine, real=real, run=run, planned=planned)
        # with all that no budget counts, such as encoding the tiles; short where the model was there
        if not trained_before:
            facts["wall_seconds"] = round(time.monotonic() - began, 1)
        facts["training_minutes"] = wanted
        drawn.save(folder.synthetic, overwrite=True)
        here = {"device": machine.device, "threads": machine.threads, "machine": machine.words()}
        facts = {"tiles": machine.tiles, **here, **facts}
        write_text(notes, json.dumps(facts, indent=1))
    began = time.monotonic()
    # without the model, so that all methods are held against the same real tiles, as they are
    found = evaluate(open_tiles(folder.synthetic), real=real, model=None)
    repeat = f"python benchmarks/fidelity.py --minutes {job.minutes:g} --tiles {facts['tiles']} "
    repeat += "--ablations" if job.ablation else f"--only {job.set.name} --methods {job.method} --seeds {job.seed}"
    repeat += f" --device {facts['device']}" + (f" --threads {facts['threads']}" if facts["threads"] else "")
    return {
        "set": job.set.name,
        "about": job.set.about,
        "method": job.method,
        **({"ablation": job.ablation.name} if job.ablation else {}),
        "seed": job.seed,
        "minutes": job.minutes,
        **facts,
        "evaluate_seconds": round(time.monotonic() - began, 1),
        "split": f"{planned.config.tiles.split}, seed {planned.config.seed}; {real!r}",
        "command": repeat,
        "train_command": planned.command if job.method in TRAINED else None,
        "metrics": found.metrics,
        "intervals": found.intervals,
        "evaluation": found.settings,
        "notes": found.notes,
    }


def run_all(wanted: list[Job], machine: Machine, *, evaluate_again: bool) -> None:
    """Every job whose record is not there; one that fails says so in a line and the next goes on."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    for number, job in enumerate(wanted, start=1):
        path = RECORDS / f"{job.name}.json"
        if path.exists() and not evaluate_again:
            continue
        began = time.monotonic()
        try:
            record = run_job(job, machine, only_evaluate=evaluate_again)
        except Exception as error:  # whatever it is, the other runs are worth having
            reason = " ".join(str(error).split())[:300]
            print(f"[{number}/{len(wanted)}] {job.name}: failed, {type(error).__name__}: {reason}", flush=True)
            continue
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")
        print(f"[{number}/{len(wanted)}] {job.name}: {time.monotonic() - began:.0f} s", flush=True)
        fidelity_table.write_tables(RECORDS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.5, help="of training, each method")
    parser.add_argument("--tiles", type=int, default=256)
    parser.add_argument("--work", type=Path, default=Path("runs/fidelity"))
    parser.add_argument("--only", help="names of sets, separated by commas")
    parser.add_argument("--methods", default=",".join(METHODS), help="separated by commas")
    parser.add_argument("--seeds", default=",".join(map(str, SEEDS)), help="separated by commas; some sets have 0 only")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, help="of torch; default: its own choice")
    parser.add_argument("--ablations", action="store_true", help="run these and nothing else")
    parser.add_argument("--evaluate-again", action="store_true", help="judge the stored tiles of all runs anew")
    parser.add_argument("--table", action="store_true", help="write tables and pictures only")
    options = parser.parse_args()
    sets = tuple(options.only.split(",")) if options.only else tuple(one.name for one in SETS)
    methods = tuple(options.methods.split(","))
    for given, known, what in ((sets, tuple(one.name for one in SETS), "set"), (methods, METHODS, "method")):
        if unknown := [name for name in given if name not in known]:
            parser.error(f"no {what} {unknown[0]}; there are {', '.join(known)}")
    work = options.work.resolve()
    machine = Machine(work=work, tiles=options.tiles, device=options.device, threads=options.threads)
    if not options.table:
        if options.threads:
            import torch

            torch.set_num_threads(options.threads)
        seeds = tuple(int(seed) for seed in options.seeds.split(","))
        wanted = jobs(sets=sets, methods=methods, seeds=seeds, minutes=options.minutes)
        if options.ablations:
            wanted = ablation_jobs(minutes=options.minutes)
        if any(job.set.needs_files for job in wanted) and not SHARED.is_dir():
            parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA, or choose sets with --only")
        work.mkdir(parents=True, exist_ok=True)
        run_all(wanted, machine, evaluate_again=options.evaluate_again)
    from fidelity_pictures import write_pictures

    # first, since the tables show the pictures there are
    write_pictures(RECORDS, work=work, minutes=options.minutes)
    fidelity_table.write_tables(RECORDS)


if __name__ == "__main__":
    main()
