"""Scenes larger than a tile: seams, peak memory and time by size.

    python benchmarks/canvas.py RUN/model [--sizes 256,512] [--overlaps 0.5,0] [--json FILE]

Each scene is drawn in a process of its own, whose peak memory is that of the whole work, the model included. Gradients
are taken with and without sensor noise, across the borders of tiles and across those of windows, and held against those
across other borders of the codec's cells, which differ from those within cells in every tile; against all with
"all_pairs".
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def draw(model: str, size: int, overlap: float, noise: bool, seed: int, folder: str) -> None:
    """Draw one scene and print its figures as one line of JSON."""
    from specdm.evaluation.seams import measure_seams
    from specdm.synthesis.pipeline import SpecDMPipeline

    pipeline = SpecDMPipeline.from_pretrained(model)
    start = time.perf_counter()
    scene = pipeline.sample_scene(
        path=Path(folder) / "scene.nc", height=size, width=size, seed=seed, overlap=overlap, sensor_noise=noise
    )
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    tile = pipeline.facts.size
    stride = max(2, round(tile * (1 - overlap)))
    figures = {"size": size, "overlap": overlap, "noise": noise, "seconds": seconds, "peak_gb": peak}
    for name, spacing in (("tile", tile), ("window", stride)):
        seams = measure_seams(scene, spacing=spacing, cell=pipeline.model.factor)
        figures[f"seams_{name}"] = seams.ratio
        figures[f"seams_{name}_all_pairs"] = measure_seams(scene, spacing=spacing).ratio
        figures[f"phases_{name}"] = (seams.by_phase / seams.by_phase.mean()).round(4).tolist()
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--sizes", default="256,512")
    parser.add_argument("--overlaps", default="0.5,0")
    parser.add_argument("--noise", default="0,1", help="without and with sensor noise")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        size, overlap, noise, folder = options.one.split(",", 3)
        draw(options.model, int(size), float(overlap), noise == "1", options.seed, folder)
        return
    found = []
    for size in options.sizes.split(","):
        for overlap in options.overlaps.split(","):
            for noise in options.noise.split(","):
                with tempfile.TemporaryDirectory() as folder:
                    one = ["--one", f"{size},{overlap},{noise},{folder}", "--seed", str(options.seed)]
                    command = [sys.executable, __file__, options.model, *one]
                    done = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append(json.loads(done.stdout.strip().splitlines()[-1]))
                shown = {key: value for key, value in found[-1].items() if not key.startswith("phases")}
                print(shown, flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
