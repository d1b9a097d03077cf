"""The simulator's own truth: unmixing gives its abundances back, its noise has the covariance asked for.

    python benchmarks/simulator.py [--size 128] [--seeds 3]

Scenes of each sensor and seed; no training. Records go to results/simulator.json, the table to results/simulator.md.
"""

from __future__ import annotations

import argparse

import numpy as np
from bars import RESULTS, Bar, bar_table, write_record

SENSORS = ("aviris", "enmap", "sentinel2")
BARS = (
    Bar("unmixing_error_max", "abundances unmixed from the noise-free image, at most off by", most=1e-4),
    Bar("sum_error_max", "true abundances off a sum of one, at most", most=1e-5),
    Bar("least_abundance", "least true abundance", least=0.0),
    Bar("noise_error_over_sampling", "error of the noise covariance over what so many draws must have", most=1.25),
)
SHOWN = (
    Bar("noise_error", "error of the noise covariance, relative Frobenius norm"),
    Bar("sampling_error", "what so many draws must have"),
)


def covariance(wavelength: np.ndarray, *, seed: int) -> np.ndarray:
    """A noise covariance to ask for: spread between 0.002 and 0.01 reflectance, bands within 30 nm related."""
    spread = np.random.default_rng(seed).uniform(0.002, 0.01, len(wavelength))
    return np.exp(-np.abs(wavelength[:, None] - wavelength) / 30.0) * np.outer(spread, spread)


def measure(sensor: str, seed: int, size: int) -> dict[str, float]:
    """One scene's figures."""
    from specdm.evaluation.unmixing import unmix
    from specdm.simulation import simulate_scene
    from specdm.simulation.bands import Bands

    asked = covariance(Bands.create(sensor=sensor).wavelength, seed=seed)
    made = simulate_scene(size=(size, size), sensor=sensor, seed=seed, noise=asked)
    bands = len(made.noise_free)
    found = unmix(made.noise_free.reshape(bands, -1).T, made.endmembers)
    truth = made.abundances.reshape(len(made.abundances), -1).T
    noise = (made.scene.dataset["image"].values[0] - made.noise_free).reshape(bands, -1)
    # the mean is known to be zero
    drawn = noise @ noise.T / noise.shape[1]
    norm = float(np.linalg.norm(asked))
    # of n normal draws: E |S - C|² = (|C|² + tr(C)²) / n
    sampling = float(np.sqrt((norm**2 + np.trace(asked) ** 2) / noise.shape[1]) / norm)
    error = float(np.linalg.norm(drawn - asked) / norm)
    return {
        "unmixing_error_max": float(np.abs(found - truth).max()),
        "sum_error_max": float(np.abs(truth.sum(axis=1) - 1).max()),
        "least_abundance": float(truth.min()),
        "noise_error": error,
        "sampling_error": sampling,
        "noise_error_over_sampling": error / sampling,
    }


def worst(all_: list[dict[str, float]]) -> dict[str, float]:
    """The worst of several scenes, figure by figure."""
    return {key: (min if key == "least_abundance" else max)(one[key] for one in all_) for key in all_[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    scenes = {
        f"{sensor}, seed {seed}": measure(sensor, seed, options.size)
        for sensor in SENSORS
        for seed in range(options.seeds)
    }
    metrics = worst(list(scenes.values()))
    about = f"{options.size} x {options.size} px, sensors {', '.join(SENSORS)}, seeds 0 to {options.seeds - 1}"
    write_record("simulator", {"about": about, "metrics": metrics, "scenes": scenes}, bars=BARS)
    lines = [
        "# Simulator",
        "",
        f"Written by `benchmarks/simulator.py`: {about}; the worst of all scenes.",
        "",
        *bar_table(metrics, (*BARS, *SHOWN)),
        "",
        "| scene | unmixing error | noise error | of sampling |",
        "|---|---|---|---|",
        *(
            f"| {name} | {one['unmixing_error_max']:.2g} | {one['noise_error']:.3f} | {one['sampling_error']:.3f} |"
            for name, one in scenes.items()
        ),
    ]
    (RESULTS / "simulator.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
