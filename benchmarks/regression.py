"""Abundances: images unmixed with the data set's own end members, against the masks; held against the bars.

    python benchmarks/regression.py --minutes 5.5 [--work runs/benchmark] [--tiles 512] [--only samson,...]

Jasper Ridge, Samson and the MUUFL crop of the shared data, by their catalogue names, through the command line.
Preset `tiny`, seed 0. A set's run lies in its own folder under --work; a finished one is not trained again, a
stopped one is gone on with. Records go to results/regression_<set>_<minutes>min.json, the table to
results/regression.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bars import RESULTS, SHARED, Bar, bar_table, read_records, shown, specdm, write_record

BARS = (
    Bar("amount.rmse_ratio", "unmixing error, synthetic over held-out real after the codec", most=1.3),
    Bar("amount.sum_error_max", "abundances off a sum of one, at most", most=1e-5),
    Bar("amount.least", "least abundance", least=0.0),
)
SHOWN = (
    Bar("amount.unmixing_rmse_synthetic", "unmixing error, synthetic"),
    Bar("amount.unmixing_rmse_heldout", "unmixing error, held-out real after the codec"),
    Bar("unmixing_rmse_heldout_as_they_are", "unmixing error, held-out real as they are"),
    Bar("codec.amount_rmse", "codec: abundances, error"),
    Bar("codec.spectral_angle_deg", "codec: spectral angle (°)"),
    Bar("estimated.amount.rmse_ratio", "error ratio with end members estimated from training tiles"),
)


@dataclass(frozen=True)
class Set:
    """A data set with abundances.

    Attributes:
        name: in the catalogue.
        file: in the shared data.
        endmembers: the file's array of end members.
        by_row: whether a row is an end member; else a column.
        shapes_only: whether each end member is scaled to a maximum of its own, so that its brightness has to be
            fitted to real training tiles before it can unmix anything.
    """

    name: str
    file: str
    endmembers: str
    by_row: bool = False
    shapes_only: bool = False


SETS = (
    Set("jasper-ridge", "jasper_ridge/jasperRidge2_R198.mat", "M"),
    Set("samson", "samson/Samson.mat", "GT", by_row=True, shapes_only=True),
    Set("muufl", "muufl_gulfport_crop/muffle_dataset_130_90.mat", "M"),
)


def endmembers_of(one: Set) -> np.ndarray:
    """The data set's own end members, `(quantity, band)`, as the file has them.

    Jasper Ridge's are reflectance, as its image is after the catalogue has divided it by the file's maxValue.
    """
    from scipy.io import loadmat

    values = np.asarray(loadmat(SHARED / one.file)[one.endmembers], np.float64)
    return values if one.by_row else values.T


def fitted_brightness(endmembers: np.ndarray, tiles) -> np.ndarray:
    """End members times one factor each, so that with the known abundances they explain real pixels best.

    Least squares over the factors f of |A diag(f) E - Y|², whose normal equations are small.
    """
    from scipy.optimize import nnls

    images = np.moveaxis(tiles.images()[:, 0], 1, -1).reshape(-1, endmembers.shape[1]).astype(np.float64)
    amounts = np.moveaxis(tiles.amounts(), 1, -1).reshape(-1, len(endmembers)).astype(np.float64)
    known = np.isfinite(images).all(axis=1) & np.isfinite(amounts).all(axis=1)
    images, amounts = images[known], amounts[known]
    normal = (amounts.T @ amounts) * (endmembers @ endmembers.T)
    right = np.einsum("pk,pk->k", amounts, images @ endmembers.T)
    # normal equations as a triangular system, so that no factor comes out negative
    root = np.linalg.cholesky(normal)
    return endmembers * nnls(root.T, np.linalg.solve(root, right))[0][:, None]


def judge(one: Set, run: Path) -> dict[str, float | None]:
    """The figures of a run with the data set's own end members, and what they are with estimated ones."""
    from specdm.evaluation import evaluate
    from specdm.synthesis.pipeline import SpecDMPipeline
    from specdm.tiles.store import open_tiles

    real, synthetic = open_tiles(run / "tiles" / "tiles.zarr"), open_tiles(run / "synthetic" / "tiles.zarr")
    model = SpecDMPipeline.from_pretrained(run / "model")
    endmembers = endmembers_of(one)
    # bands that the scene left out are named by their absence: catalogue scenes call them band 1, band 2 ...
    kept = [int(name.removeprefix("band ")) - 1 for name in real.band_name]
    endmembers = endmembers[:, kept]
    if one.shapes_only:
        endmembers = fitted_brightness(endmembers, real.train)
    found = evaluate(synthetic, real=real, model=model, endmembers=endmembers).metrics
    plain = evaluate(synthetic, real=real, endmembers=endmembers).metrics
    estimated = evaluate(synthetic, real=real, model=model).metrics
    return {
        **found,
        "unmixing_rmse_heldout_as_they_are": plain["amount.unmixing_rmse_heldout"],
        "estimated.amount.rmse_ratio": estimated["amount.rmse_ratio"],
    }


def run_set(one: Set, *, work: Path, minutes: float, tiles: int) -> dict:
    """Train, sample, evaluate and report by the command line, judge again; returns the record."""
    run = work / f"{one.name}_{minutes:g}min"
    folder = SHARED / Path(one.file).parent
    train = [
        "train",
        str(folder),
        "--dataset",
        one.name,
        "-o",
        str(run),
        "--preset",
        "tiny",
        "--minutes",
        f"{minutes:g}",
    ]
    began = time.monotonic()
    if not (run / "model").exists():
        specdm(*train)
    trained = time.monotonic() - began
    specdm("sample", run, "-n", str(tiles), "--overwrite")
    specdm("evaluate", run)
    specdm("report", run)
    return {
        "set": one.name,
        "minutes": minutes,
        "tiles": tiles,
        "seed": 0,
        "command": shown(train, work=work),
        "end members": f"{one.endmembers} of the file" + (", brightness fitted" if one.shapes_only else ""),
        "train_seconds": round(trained, 1),
        "metrics": judge(one, run),
    }


def write_table() -> None:
    """The table of all records there are."""
    lines = [
        "# Abundances, preset `tiny`, two CPU cores",
        "",
        "Written by `benchmarks/regression.py`; one seed (0) each, so no spread. Fully constrained unmixing with the",
        "data set's own end members; errors are root mean squares over pixels and materials. Minutes are codecs and",
        "denoiser together.",
    ]
    for record in read_records("regression_*.json"):
        lines += [
            "",
            f"## {record['set']}, {record['minutes']:g} minutes, {record['tiles']} tiles",
            "",
            f"End members: {record['end members']}. `{record['command']}`",
            "",
            *bar_table(record["metrics"], (*BARS, *SHOWN)),
        ]
    (RESULTS / "regression.md").write_text("\n".join(lines) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/benchmark"))
    parser.add_argument("--minutes", type=float, default=5.5, help="default: the preset's own budget")
    parser.add_argument("--tiles", type=int, default=512)
    parser.add_argument("--only", help="names of sets, separated by commas")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [one.name for one in SETS]
    unknown = sorted(set(wanted) - {one.name for one in SETS})
    if unknown:
        parser.error(f"no set {unknown[0]}; there are {', '.join(one.name for one in SETS)}")
    if not SHARED.is_dir():
        parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA")
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    for one in SETS:
        if one.name in wanted:
            record = run_set(one, work=work, minutes=options.minutes, tiles=options.tiles)
            write_record(f"regression_{one.name.replace('-', '_')}_{options.minutes:g}min", record, bars=BARS)
            write_table()


if __name__ == "__main__":
    main()
