"""Do synthetic tiles make a downstream model better? Arms, shares of the labels and seeds, on seven data sets.

    python benchmarks/usefulness.py [--only taizhou,...] [--shares 1,0.1] [--seeds 0,1,2,3,4] [--arms real,...]
    python benchmarks/usefulness.py --table

Every finished job is a record in results/usefulness/SET/; it is not run again, wherever it was run, so that the grid
can be filled on several machines. What is still open is said in the table, results/usefulness.md. Generators train for
the minutes of the preset `tiny`, or with --generator-steps N for as many steps of the denoiser (400 of the codecs, 300
of the reader of masks), which does not depend on the machine.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from typing import Any

import usefulness_table
from bars import RESULTS, SHARED
from usefulness_sets import SETS, UsefulSet

RECORDS = RESULTS / "usefulness"
ARMS = (
    "real", "real+longer", "real+copy-paste", "real+mixup", "real+drawn", "real+filtered", "real+sure", "dense",
    "dense+longer", "dense+sure", "dense+varied", "real+varied", "pretrained", "pretrained+longer", "sure", "varied",
    "real+ldm", "pretrained+ldm", "svm",
)  # fmt: skip
CODEC_STEPS, READER_STEPS = 400, 300


def settings_of(one: UsefulSet, options: argparse.Namespace) -> dict[str, Any]:
    """Of the generator and the tiles, dotted keys."""
    found: dict[str, Any] = {"training.picture_seconds": 1e9, "training.accelerator": options.device}
    if "split_map" in one.set.options:
        found["tiles.split"] = "map"
    if options.generator_steps:
        stages = {"codec": CODEC_STEPS, "reader": READER_STEPS, "denoiser": options.generator_steps}
        for stage, steps in stages.items():
            found |= {f"{stage}.minutes": None, f"{stage}.steps": steps}
    return found


def run_set(one: UsefulSet, options: argparse.Namespace) -> None:
    """All jobs of a set that have no record; what is done is kept whatever happens."""
    from specdm import usefulness
    from specdm.report.run_plan import plan_run
    from specdm.training.ranks import ALONE

    run, files = options.work / one.name, one.files_in(options.work)
    plan = plan_run(
        list(files.inputs), output=run, scene=files.options, settings=settings_of(one, options), preset="tiny"
    )
    tiles = plan.tiles(ALONE)
    there, kept = run / "usefulness" / "records", RECORDS / one.name
    _copy(kept, there)
    shares = [share for share in one.shares if options.shares is None or share in options.shares]
    if 1.0 in shares and not plan.model.exists():
        plan.train(tiles)
    try:
        usefulness(
            run,
            arms=options.arms,
            networks=options.networks or one.networks,
            shares=shares,
            seeds=options.seeds,
            test_spectra=options.test_spectra,
            tiles=options.tiles,
            steps=options.steps,
            device=options.device,
            processes=options.processes,
            threads=options.threads,
            say=lambda line: print(f"{one.name}: {line}", flush=True),
        )
    finally:
        _copy(there, kept)


def _copy(source: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for path in source.glob("[!.]*.json"):
        if not (target / path.name).exists():
            shutil.copyfile(path, target / path.name)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/usefulness"))
    parser.add_argument("--only", type=_words, help="names of sets, separated by commas")
    parser.add_argument("--arms", type=_words, default=ARMS)
    parser.add_argument("--networks", type=_words, help="default: freenet, for change siamese")
    parser.add_argument("--shares", type=lambda text: tuple(map(float, text.split(","))), help="default: the set's own")
    parser.add_argument("--seeds", type=lambda text: tuple(map(int, text.split(","))), default=(0, 1, 2, 3, 4))
    parser.add_argument("--test-spectra", type=_words, default=("run",))
    parser.add_argument("--tiles", type=int, default=256, help="synthetic tiles of each kind")
    parser.add_argument("--steps", type=int, default=500, help="of every downstream network")
    parser.add_argument("--generator-steps", type=int, help="of the denoiser; default: minutes of the preset")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="write the table only")
    options = parser.parse_args()
    known = [one.name for one in SETS]
    if unknown := [name for name in options.only or () if name not in known]:
        parser.error(f"no set {unknown[0]}; there are {', '.join(known)}")
    wanted = [one for one in SETS if options.only is None or one.name in options.only]
    if not options.table:
        if any(one.set.needs_files for one in wanted) and not SHARED.is_dir():
            parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA, or choose sets with --only")
        options.work = options.work.resolve()
        for one in wanted:
            try:
                run_set(one, options)
            except Exception as error:  # whatever it is, the other sets are worth having
                print(f"{one.name}: failed, {type(error).__name__}: {' '.join(str(error).split())[:300]}", flush=True)
    usefulness_table.write_table(RECORDS)


if __name__ == "__main__":
    main()
