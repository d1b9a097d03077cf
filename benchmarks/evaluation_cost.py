"""What judging costs: wall time of 512 against 512 tiles of 32 x 32 px and 200 bands, memory of 50,000 tiles.

    python benchmarks/evaluation_cost.py [--work runs/evaluation_cost]

Each part runs in a process of its own, so that the peak memory is its own. Writes results/evaluation_cost.json.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from bars import RESULTS

MANY, SIZE, BANDS = 50_000, 16, 8
PARTS = ("time", "memory")


def time_part(work: Path) -> dict:
    """Indian Pines: 512 training windows against a control of 512 tiles, both from stores."""
    import torch

    from specdm.evaluation import evaluate
    from specdm.evaluation.controls import gaussian_spectra
    from specdm.scenes.samples import indian_pines
    from specdm.tiles.store import open_tiles

    real = indian_pines().tile(size=32, split="blocks", max_train_tiles=512, path=work / "real.zarr")
    gaussian_spectra(real, n=512, seed=0).save(work / "synthetic.zarr", overwrite=True)
    began = time.monotonic()
    found = evaluate(open_tiles(work / "synthetic.zarr"), real=open_tiles(work / "real.zarr"))
    return {
        "tiles": [len(real.train), 512],
        "seconds": round(time.monotonic() - began, 1),
        "threads": torch.get_num_threads(),
        "metrics": sum(value is not None for value in found.metrics.values()),
    }


def memory_part(work: Path) -> dict:
    """50,000 small tiles on either side, opened lazily."""
    from specdm.evaluation import evaluate
    from specdm.scenes.classes import Classes
    from specdm.tiles.layout import TileLayout, new_attrs
    from specdm.tiles.store import TileStoreWriter, open_tiles
    from specdm.tiles.tile_coords import tile_coords

    classes = Classes.create([1, 2, 3], ["one", "two", "three"])
    wavelength = np.linspace(450, 900, BANDS)
    layout = TileLayout(size=SIZE, n_bands=BANDS, classes=classes, wavelength=wavelength, attrs=new_attrs())
    random = np.random.default_rng(0)
    spectra = random.uniform(500, 3000, (4, BANDS))
    for name, split in (("many_real", "train"), ("many_synthetic", "synthetic")):
        if (work / f"{name}.zarr").exists():
            continue
        with TileStoreWriter(work / f"{name}.zarr", layout, MANY) as writer:
            for start in range(0, MANY, 1000):
                blocks = random.integers(1, 4, (1000, 1, 4, 4))
                masks = blocks.repeat(4, axis=-1).repeat(4, axis=-2).astype(np.int16)
                images = np.moveaxis(spectra[masks[:, 0]], -1, 1)[:, None]
                images = (images + random.normal(0, 100, images.shape)).astype(np.float32)
                place = np.arange(start, start + 1000)
                windows = {"window_y": place // 250 * SIZE, "window_x": place % 250 * SIZE} if split == "train" else {}
                coords = tile_coords(1000, split=split, source="made", index=place, seed=np.zeros(1000, int), **windows)
                writer.write(start, images, masks, coords)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.monotonic()
    evaluate(open_tiles(work / "many_synthetic.zarr"), real=open_tiles(work / "many_real.zarr"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "tiles": [MANY, MANY],
        "tile": f"{SIZE} x {SIZE} px, {BANDS} bands",
        "set_gb": round(MANY * SIZE**2 * (4 * BANDS + 2) / 1e9, 2),
        "seconds": round(time.monotonic() - began, 1),
        "peak_gb": round(peak * 1024 / 1e9, 2),
        "peak_before_gb": round(before * 1024 / 1e9, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/evaluation_cost"))
    parser.add_argument("--part", choices=PARTS, help="run this one here and print it")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.part:
        print(json.dumps({"time": time_part, "memory": memory_part}[options.part](options.work)))
        return
    found = {}
    for part in PARTS:
        command = [sys.executable, __file__, "--work", str(options.work), "--part", part]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found[part] = json.loads(done.stdout.strip().splitlines()[-1])
    RESULTS.mkdir(exist_ok=True)
    record = {"cores": os.cpu_count(), **found}
    (RESULTS / "evaluation_cost.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
