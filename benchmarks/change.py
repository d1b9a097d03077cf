"""Change detection and semantic change through the command line, held against the bars.

    python benchmarks/change.py --minutes 5.5 [--work runs/benchmark] [--tiles 512] [--only taizhou,...]

    taizhou                 Landsat, real, two classes of change on labelled ground (needs the shared data)
    indian_pines_change     hyperspectral, semi-synthetic second date (specdm.simulation.real_change)
    indian_pines_semantic   the same with a class mask a date

Preset `tiny`, seed 0. A set's run lies in its own folder under --work; a finished one is not trained again, a
stopped one is gone on with. Records go to results/change_<set>_<minutes>min.json, the table to results/change.md.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from bars import RESULTS, SHARED, Bar, bar_table, read_metrics, read_records, shown, specdm, write_record

AUC = Bar("change.auc_ratio", "AUC of the change vector's length, over real", least=0.95)
SHARE = Bar("change.share_factor", "share of changed pixels, factor off", most=1.5)
ANGLE = Bar("synthetic.class_mean_angle_deg_worst", "class means, worst angle (°)", most=3.0)
UNCHANGED = Bar("change.unchanged_angle_ratio", "angle between dates where unchanged, over real", least=0.8, most=1.2)
CONTRADICTIONS = Bar("contradictions_in_stored_tiles", "pixels where change contradicts the class masks", most=0.0)
SHOWN = tuple(
    Bar(key, title)
    for key, title in (
        ("change.auc_real", "AUC, real"),
        ("change.auc_synthetic", "AUC, synthetic"),
        ("change.share_real", "share of changed pixels, real"),
        ("change.share_synthetic", "share of changed pixels, synthetic"),
        ("change.unchanged_angle_real_deg", "angle where unchanged, real (°)"),
        ("change.unchanged_angle_synthetic_deg", "angle where unchanged, synthetic (°)"),
    )
)


@dataclass(frozen=True)
class Set:
    """A data set, how a user would name it to `specdm train`, and its bars.

    Attributes:
        name: of its run folder and record.
        arguments: of `specdm train`.
        bars: what must hold.
        about: one line for the table.
    """

    name: str
    arguments: tuple[str, ...]
    bars: tuple[Bar, ...]
    about: str


SETS = (
    Set(
        "taizhou",
        (str(SHARED / "landsat_taizhou"), "--dataset", "taizhou"),
        (AUC, SHARE, ANGLE),
        "Landsat 7, 2000 and 2003, real",
    ),
    Set("indian_pines_change", ("indian_pines_change",), (AUC, UNCHANGED), "AVIRIS, date 2 semi-synthetic"),
    Set("indian_pines_semantic", ("indian_pines_semantic",), (CONTRADICTIONS,), "the same, a class mask a date"),
)


def count_contradictions(tiles) -> int | None:
    """Pixels of stored tiles whose change mask says something else than the two class masks; None without these."""
    if len(tiles.layers) != tiles.n_dates:
        return None
    wrong = 0
    for start in range(0, len(tiles), 64):
        part = slice(start, start + 64)
        masks, change = tiles.masks(part), tiles.change_masks(part)
        before, after = masks[:, 0], masks[:, -1]
        known = (before >= 0) & (after >= 0)
        wrong += int((change[known] != (before != after)[known]).sum() + (change[~known] != -1).sum())
    return wrong


def run_set(one: Set, *, work: Path, minutes: float, tiles: int) -> dict:
    """Train, sample, evaluate and report by the command line; returns the record."""
    from specdm.tiles.store import open_tiles

    run = work / f"{one.name}_{minutes:g}min"
    train = ["train", *one.arguments, "-o", str(run), "--preset", "tiny", "--minutes", f"{minutes:g}"]
    began = time.monotonic()
    if not (run / "model").exists():
        specdm(*train)
    trained = time.monotonic() - began
    specdm("sample", run, "-n", str(tiles), "--overwrite")
    specdm("evaluate", run)
    specdm("report", run)
    metrics = read_metrics(run / "evaluation.json")
    metrics[CONTRADICTIONS.key] = count_contradictions(open_tiles(run / "synthetic" / "tiles.zarr"))
    return {
        "set": one.name,
        "about": one.about,
        "minutes": minutes,
        "tiles": tiles,
        "seed": 0,
        "command": shown(train, work=work),
        "train_seconds": round(trained, 1),
        "metrics": metrics,
    }


def write_table() -> None:
    """The table of all records there are."""
    bars = {one.name: one.bars for one in SETS}
    lines = [
        "# Change, preset `tiny`, two CPU cores",
        "",
        "Written by `benchmarks/change.py`; one seed (0) each, so no spread. Real means training tiles as they are,",
        "each pixel of ground once. The AUC is of change vectors of bands standardised by the training ground, date by",
        "date, since a difference of exposure would outweigh the changes. Minutes are codecs and denoiser together.",
    ]
    for record in read_records("change_*.json"):
        lines += [
            "",
            f"## {record['set']}, {record['minutes']:g} minutes, {record['tiles']} tiles",
            "",
            f"{record['about']}. `{record['command']}`",
            "",
            *bar_table(record["metrics"], (*bars[record["set"]], *SHOWN)),
        ]
    (RESULTS / "change.md").write_text("\n".join(lines) + "\n")


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
    if "taizhou" in wanted and not SHARED.is_dir():
        parser.error(f"{SHARED} is not there; name the folder in SPECDM_SHARED_DATA, or leave taizhou out with --only")
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    for one in SETS:
        if one.name in wanted:
            record = run_set(one, work=work, minutes=options.minutes, tiles=options.tiles)
            write_record(f"change_{one.name}_{options.minutes:g}min", record, bars=one.bars)
            write_table()


if __name__ == "__main__":
    main()
