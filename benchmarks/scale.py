"""Memory and rate of generating very many tiles: peak memory must not grow with their number.

    python benchmarks/scale.py [-n 100000] [--run RUN] [--evaluations 1] [--pieces 3000] [--minutes 60]

Trains a short Sentinel-2 model (tiles of 32 x 32 px and 12 bands) unless --run names one, and samples with
`specdm sample` in a process of its own. After --minutes that process is killed (kill -9) and the record says how far it
came; the next call of the same -n goes on. With --pieces, a process samples so many tiles at a time and is then killed,
so that the memory of each stretch is known. The bar: 100,000 tiles within 1.5 GB. The record goes to
results/scale.json, the table to results/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from bars import RESULTS, SHARED, SPECDM, specdm

RECORD = RESULTS / "scale.json"
BAR_GB, BAR_TILES = 1.5, 100_000


def trained(work: Path) -> Path:
    """A Sentinel-2 run of half a minute a stage."""
    run = work / "run"
    if not (run / "model").is_dir():
        place = SHARED / "sentinel2_lulc"
        specdm(
            "train", place / "S2L2A", "--mask", place / "LULC", "--sensor", "sentinel2", "-o", run, "--minutes", "0.5"
        )
    return run


def tiles_in(path: Path) -> int:
    """Tiles that are there, of a finished set or an unfinished one."""
    from specdm.report.sample_record import record_of
    from specdm.tiles.unfinished import Plan, tiles_there, unfinished_folder

    if (finished := record_of(path)) is not None:
        return int(finished["tiles"])
    plan = Plan.read(folder := unfinished_folder(path))
    return 0 if plan is None else tiles_there(folder, plan)


def peak_of(pid: int) -> tuple[float, float]:
    """Peak and present resident memory of a process, GB (Linux)."""
    words = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        words[key] = value.split()[0] if value.split() else "0"
    return int(words.get("VmHWM", 0)) / 1e6, int(words.get("VmRSS", 0)) / 1e6


def _free_memory() -> float:
    """What the machine could still give, GB (Linux)."""
    words = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return round(int(words["MemAvailable"].split()[0]) / 1e6, 1)


def stretch(run: Path, path: Path, *, n: int, asked: dict[str, int], most: int | None, until: float) -> dict[str, Any]:
    """Sample until it is done, `most` more tiles are there, or the time is over; then kill it."""
    extra = [word for key, value in asked.items() for word in (f"--{key}", str(value))]
    command = [*SPECDM, "sample", str(run), "-n", str(n), "-o", str(path), *extra]
    first, began = tiles_in(path), time.monotonic()
    process = subprocess.Popen(command)
    peak, present = 0.0, []
    while process.poll() is None:
        try:
            peak, now = (max(old, new) for old, new in zip((peak, 0.0), peak_of(process.pid), strict=True))
        except (OSError, ProcessLookupError):
            break
        there = tiles_in(path)
        if not present or there >= present[-1][0] + max(n // 50, 64):
            present.append([there, round(now, 3)])
        if time.monotonic() > until or (most is not None and there - first >= most):
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.5)
    code, seconds = process.wait(), time.monotonic() - began
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"{' '.join(command)}: exit code {code}")
    there = tiles_in(path)
    return {
        "first": first,
        "tiles": there - first,
        "of": n,
        "finished": path.exists(),
        "seconds": round(seconds, 1),
        "tiles_per_second": round((there - first) / seconds, 2),
        "peak_gb": round(peak, 3),
        "rss_gb_after_tiles": present,
        "steps": ", ".join(f"{value} {key}" for key, value in asked.items()) or "the model's own",
        "load_at_the_end": round(os.getloadavg()[0], 1),
        "free_memory_gb": _free_memory(),
    }


def table(record: dict[str, Any]) -> str:
    """The record in Markdown."""
    lines = [
        "# Very many tiles",
        "",
        "`benchmarks/scale.py`: Sentinel-2, 32 x 32 px, 12 bands; "
        f"{record['cores']} cores, {record['threads']} threads."
        " Each row is a process that went on where the one before was killed.",
        "",
        "| of | first | tiles | steps | seconds | tiles/s | load | peak memory, GB | finished |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for part in record["stretches"]:
        finished = "yes" if part["finished"] else "no"
        lines.append(
            f"| {part['of']:,} | {part['first']:,} | {part['tiles']:,} | {part['steps']} | {part['seconds']:,.0f} | "
            f"{part['tiles_per_second']:.3g} | {part['load_at_the_end']} | {part['peak_gb']:.2f} | {finished} |"
        )
    most = max(part["peak_gb"] for part in record["stretches"])
    reached = max((part["of"] for part in record["stretches"] if part["finished"]), default=0)
    verdict = "pass" if most <= BAR_GB and reached >= BAR_TILES else "open" if most <= BAR_GB else "miss"
    lines += ["", f"Bar: {BAR_TILES:,} tiles within {BAR_GB} GB: {most:.2f} GB, {reached:,} finished: **{verdict}**"]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=BAR_TILES)
    parser.add_argument("--run", type=Path, help="a trained run; default: one is trained")
    parser.add_argument("--steps", type=int, help="solver steps of each stage; default: the model's")
    parser.add_argument("--evaluations", type=int, help="of the network, by a model distilled to so many, instead")
    parser.add_argument("--pieces", type=int, help="tiles after which the process is killed and begun again")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--work", type=Path, default=Path("runs/scale"))
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    run, path = options.run or trained(options.work), options.work / f"tiles_{options.n}.zarr"
    asked = {key: value for key in ("steps", "evaluations") if (value := getattr(options, key)) is not None}
    until = time.monotonic() + 60 * options.minutes
    record = json.loads(RECORD.read_text()) if RECORD.exists() else {"stretches": []}
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    while not path.exists() and time.monotonic() < until:
        found = stretch(run, path, n=options.n, asked=asked, most=options.pieces, until=until)
        record |= {"cores": os.cpu_count(), "threads": threads}
        record["stretches"].append(found)
        RECORD.write_text(json.dumps(record, indent=1) + "\n")
        (RESULTS / "scale.md").write_text(table(record))
        print(json.dumps({key: value for key, value in found.items() if key != "rss_gb_after_tiles"}), flush=True)


if __name__ == "__main__":
    main()
