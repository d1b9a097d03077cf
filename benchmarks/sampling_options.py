"""What guidance and sensor noise do to the samples of a trained run.

    python benchmarks/sampling_options.py RUN [--tiles 128]

Samples the run's model with each setting (seed 0), evaluates against its real tiles and writes
benchmarks/results/sampling_options.md. Guidance 0.8 was chosen from such a table of version 0.1.0, when tiles were
drawn in one stage; steps are those of each stage now.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from specdm.evaluation import evaluate
from specdm.synthesis.pipeline import SpecDMPipeline
from specdm.tiles.store import open_tiles

RESULTS = Path(__file__).resolve().parent / "results"
SETTINGS: tuple[dict, ...] = (
    {"guidance": 0.0},
    {"guidance": 0.3},
    {"guidance": 0.6},
    {"guidance": 1.0},
    {"guidance": 0.6, "sensor_noise": True},
    {"guidance": 0.6, "steps": 24},
)
COLUMNS = {
    "synthetic.lda_ratio": "LDA ratio",
    "synthetic.texture_ratio_lag1": "texture 1",
    "synthetic.texture_ratio_lag4": "texture 4",
    "synthetic.texture_ratio_lag8": "texture 8",
    "synthetic.band_std_ratio": "band std",
    "synthetic.class_frequency_worst_factor": "frequency worst",
    "synthetic.class_mean_angle_deg_worst": "angle worst °",
    "synthetic.frechet_spectral": "Fréchet spectral",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--tiles", type=int, default=128)
    options = parser.parse_args()
    pipeline = SpecDMPipeline.from_pretrained(options.run / "model")
    real = open_tiles(options.run / "tiles" / "tiles.zarr")
    lines = [
        f"# Sampling options, run `{options.run.name}`, {options.tiles} tiles, seed 0",
        "",
        "Written by `benchmarks/sampling_options.py`; one seed, so differences of a few hundredths mean nothing.",
        "",
        "| setting | " + " | ".join(COLUMNS.values()) + " |",
        "|---" * (1 + len(COLUMNS)) + "|",
    ]
    for setting in SETTINGS:
        metrics = evaluate(pipeline.sample(options.tiles, seed=0, **setting), real=real, model=pipeline).metrics
        name = ", ".join(f"{key} {value}" for key, value in setting.items())
        lines.append(f"| {name} | " + " | ".join(f"{metrics[key]:.3f}" for key in COLUMNS) + " |")
        print(lines[-1], flush=True)
    lines += ["", f"Floor of the Fréchet distance, real against real: {metrics['real.frechet_spectral_floor']:.3f}."]
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sampling_options.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
