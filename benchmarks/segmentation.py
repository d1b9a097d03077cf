"""`specdm train`, `sample` and `evaluate` on every segmentation set of the shared data, and a table.

    python benchmarks/segmentation.py --minutes 3 --work /tmp/bench [--only samson,jasper_ridge]

Each set runs through the command line as a user would run it, in its own run folder under --work; a
finished run is not trained again. Records go to benchmarks/results/segmentation_<set>_<minutes>min.json, the table to
benchmarks/results/segmentation.md.
The split of each set is the one `specdm train` writes into its tile set (blocks by seed 0, or the given map).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SHARED = HERE.parent.parent / "shared" / "data"
COLUMNS = {
    "synthetic.lda_ratio": "LDA ratio",
    "synthetic.lda_agreement": "LDA agreement",
    "synthetic.texture_ratio_lag1": "texture 1",
    "synthetic.texture_ratio_lag4": "texture 4",
    "synthetic.texture_ratio_lag8": "texture 8",
    "synthetic.band_std_ratio": "band std",
    "synthetic.class_frequency_worst_factor": "frequency worst",
    "synthetic.class_mean_angle_deg_worst": "angle worst °",
    "codec.spectral_angle_deg": "codec angle °",
    "codec.mask_accuracy": "codec mask",
    "codec.lda_ratio": "codec LDA ratio",
}


@dataclass(frozen=True)
class Set:
    """A data set and how a user would name it to `specdm train`."""

    name: str
    arguments: tuple[str, ...]
    split: str


def sets(work: Path) -> list[Set]:
    """All sets; `work` holds the one mask that has to be put together."""
    pines, enmap, s2 = SHARED / "indian_pines", SHARED / "enmap_potsdam", SHARED / "sentinel2_lulc"
    cube, truth = str(pines / "Indian_pines_corrected.npy"), str(pines / "Indian_pines_gt.npy")
    taizhou = work / "taizhou_mask.npy"
    jasper, samson = SHARED / "jasper_ridge" / "jasperRidge2_R198.mat", SHARED / "samson" / "Samson.mat"
    disjoint = pines / "indianpines_disjoint_dset.mat"
    commands = {
        "indian_pines_map": f"{cube} --mask {truth} --split-map {disjoint} --split-map-kind train --split map",
        "indian_pines": f"{cube} --mask {truth}",
        "enmap_potsdam": f"{enmap / 'images'} --mask {enmap / 'labels'}",
        "jasper_ridge": f"{jasper} --variable Y --mask {jasper} --mask-variable A --mask-kind dominant",
        "samson": f"{samson} --variable Y --mask {samson} --mask-variable S_GT --mask-kind dominant",
        "sentinel2_lulc": f"{s2 / 'S2L2A'} --mask {s2 / 'LULC'} --sensor sentinel2",
        "taizhou_2003": f"{SHARED / 'landsat_taizhou' / '2003TM.HDR'} --mask {taizhou} "
        "--class-names 1=changed,2=unchanged",
    }
    given = {"indian_pines_map": "given disjoint training map; spectra of test ground seen, its labels not"}
    return [Set(name, tuple(c.split()), given.get(name, "blocks, seed 0")) for name, c in commands.items()]


def write_taizhou_mask(path: Path) -> None:
    """Changed 1, unchanged 2, the rest 0, from the two masks."""
    from PIL import Image

    masks = [SHARED / "landsat_taizhou" / name for name in ("change.bmp", "unchanged.bmp")]
    changed, unchanged = (np.asarray(Image.open(mask)) > 0 for mask in masks)
    np.save(path, (changed + 2 * unchanged).astype(np.uint8))


def run_set(one: Set, *, work: Path, minutes: float, tiles: int) -> dict:
    """Train, sample and evaluate by the command line; returns the record."""
    run = work / f"{one.name}_{minutes:g}min"
    specdm = [sys.executable, "-m", "specdm"]
    began = time.monotonic()
    train = [*specdm, "train", *one.arguments, "-o", str(run), "--minutes", str(minutes)]
    if not (run / "model").exists():
        subprocess.run(train, check=True)
    trained = time.monotonic() - began
    subprocess.run([*specdm, "sample", str(run), "-n", str(tiles), "--overwrite"], check=True)
    subprocess.run([*specdm, "evaluate", str(run)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*specdm, "report", str(run)], check=True, stdout=subprocess.DEVNULL)
    metrics = json.loads((run / "evaluation.json").read_text())
    metrics.pop("_details", None)
    shown = [part.replace(str(SHARED), "../shared/data").replace(str(work), "WORK") for part in train[3:]]
    return {
        "set": one.name,
        "split": one.split,
        "minutes": minutes,
        "tiles": tiles,
        "seed": 0,
        "command": "specdm " + " ".join(shown),
        "train_seconds": round(trained, 1),
        "metrics": metrics,
    }


def write_table() -> None:
    """The table of all records there are."""
    records = [json.loads(path.read_text()) for path in sorted(RESULTS.glob("segmentation_*.json"))]
    lines = [
        "# Segmentation sets, preset `tiny`, two CPU cores",
        "",
        "Written by `benchmarks/segmentation.py`; one seed (0) each, so no spread. 'LDA ratio' is agreement of",
        "an LDA with the synthetic masks over its agreement with real training tiles after the codec; texture",
        "is over the same tiles. Minutes are codecs and denoiser together: rows of less than a few minutes show",
        "that a set runs through, not what the model can do.",
        "",
        "| set | minutes | tiles | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (3 + len(COLUMNS)) + "|",
    ]
    for record in records:
        values = (record["metrics"].get(key) for key in COLUMNS)
        cells = " | ".join("-" if value is None else f"{value:.3f}" for value in values)
        lines.append(f"| {record['set']} | {record['minutes']:g} | {record['tiles']} | {cells} |")
    lines += ["", "Splits and commands:", ""]
    # `note` is written by hand into a record whose run was out of the ordinary, and goes with that record
    lines += [f"- `{r['set']}`: {r['split']}. `{r['command']}` {r.get('note', '')}".rstrip() for r in records]
    (RESULTS / "segmentation.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark"))
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--tiles", type=int, default=256)
    parser.add_argument("--only", help="names of sets, separated by commas")
    options = parser.parse_args()
    if not SHARED.is_dir():
        parser.error(f"{SHARED} is not there; this benchmark needs the shared data")
    options.work.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(exist_ok=True)
    write_taizhou_mask(options.work / "taizhou_mask.npy")
    wanted = set(options.only.split(",")) if options.only else None
    for one in sets(options.work):
        if wanted is None or one.name in wanted:
            record = run_set(one, work=options.work.resolve(), minutes=options.minutes, tiles=options.tiles)
            path = RESULTS / f"segmentation_{one.name}_{options.minutes:g}min.json"
            path.write_text(json.dumps(record, indent=1) + "\n")
    write_table()


if __name__ == "__main__":
    main()
