"""The data sets, methods and ablations of fidelity.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bars import SHARED

TRAINED = ("specdm", "ldm")
"""Methods that train by SpecDM's own presets."""

STOCK = "ldm-diffusers"
CONTROLS = ("shuffled_masks", "gaussian_spectra", "training_copy")
METHODS = (*TRAINED, STOCK, *CONTROLS)
PRESETS = {"specdm": "tiny", "ldm": "ldm"}
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Set:
    """A data set, as a user would name it to `specdm train`.

    Attributes:
        name: of run folders and records.
        inputs: files, folders or the name of an embedded scene.
        about: one line for the table.
        options: of `open_scene`.
        several: whether further seeds than 0 are run.
    """

    name: str
    inputs: tuple[Path, ...]
    about: str
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    several: bool = False

    @property
    def words(self) -> list[str]:
        """Arguments of `specdm train`, for records."""
        options = [part for key, value in self.options.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        return [*map(str, self.inputs), *options]

    @property
    def needs_files(self) -> bool:
        return any(SHARED in path.parents for path in self.inputs)


_PINES, _ENMAP, _S2 = SHARED / "indian_pines", SHARED / "enmap_potsdam", SHARED / "sentinel2_lulc"

SETS = (
    Set(
        "indian_pines",
        (_PINES / "Indian_pines_corrected.npy",),
        "AVIRIS, 200 bands, 16 classes, half the ground unlabelled",
        {"mask": _PINES / "Indian_pines_gt.npy"},
        several=True,
    ),
    Set("enmap_potsdam", (_ENMAP / "images",), "EnMAP, land cover", {"mask": _ENMAP / "labels"}),
    Set(
        "sentinel2_lulc",
        (_S2 / "S2L2A",),
        "Sentinel-2, land use",
        {"mask": _S2 / "LULC", "sensor": "sentinel2"},
        several=True,
    ),
    Set("jasper_ridge", (SHARED / "jasper_ridge",), "AVIRIS, abundances of 4 materials", {"dataset": "jasper-ridge"}),
    Set("samson", (SHARED / "samson",), "SAMSON, abundances of 3 materials", {"dataset": "samson"}),
    Set("taizhou", (SHARED / "landsat_taizhou",), "Landsat 7, 2000 and 2003, change", {"dataset": "taizhou"}),
    Set("indian_pines_change", (Path("indian_pines_change"),), "AVIRIS, date 2 semi-synthetic, change"),
    Set("simulated", (Path("simulated"),), "simulated landscape, AVIRIS-like, classes", several=True),
)


@dataclass(frozen=True)
class Ablation:
    """One setting of SpecDM that is not the preset's.

    Attributes:
        name: in records and the table.
        settings: of training, dotted keys.
        sampling: options of `SpecDMPipeline.sample`; with these alone the preset's own weights are drawn from.
    """

    name: str
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    sampling: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


ABLATION_SET = "indian_pines"
ABLATIONS = (
    Ablation("basis none", {"codec.basis": "none"}),
    Ablation("basis pca", {"codec.basis": "pca"}),
    Ablation("no sensor noise", sampling={"sensor_noise": False}),
    Ablation("no calibration", sampling={"calibrated": False}),
    Ablation("no guidance", sampling={"guidance": 0.0}),
    Ablation("white noise", {"denoiser.coloured_noise": False}),
    Ablation(
        "one noise level",
        {
            **{
                f"denoiser.patterns.{pattern}": float(pattern == "stages")
                for pattern in (
                    "shared",
                    "one_known",
                    "one_unknown",
                    "independent",
                    "area_known",
                    "stages",
                )
            },
            "denoiser.masks_first": False,
            "sampling.guidance": 0.0,
        },
    ),
    Ablation("factor 1", {"codec.factor": 1}),
    Ablation("factor 4", {"codec.factor": 4}),
)


@dataclass(frozen=True)
class Job:
    """One record to be made."""

    set: Set
    method: str
    seed: int
    minutes: float
    ablation: Ablation | None = None

    @property
    def name(self) -> str:
        """Of its record and its run folder."""
        method = self.method if self.ablation is None else f"{self.method}-{self.ablation.name.replace(' ', '-')}"
        return f"{self.set.name}-{method}-seed{self.seed}-{self.minutes:g}min"

    @property
    def weights(self) -> str:
        """Name of the run folder with its weights: an ablation of sampling has those of the preset."""
        own = self.ablation is None or self.ablation.settings
        return self.name if own else Job(self.set, self.method, self.seed, self.minutes).name


def jobs(*, sets: tuple[str, ...], methods: tuple[str, ...], seeds: tuple[int, ...], minutes: float) -> list[Job]:
    """Seed after seed, so that a stopped benchmark has the widest table; further seeds for some sets only."""
    return [
        Job(one, method, seed, minutes)
        for seed in seeds
        for one in SETS
        if one.name in sets and (one.several or seed == 0)
        for method in methods
    ]


def ablation_jobs(*, minutes: float) -> list[Job]:
    """The preset itself, then everything that differs from it in one thing; seed 0."""
    one = next(one for one in SETS if one.name == ABLATION_SET)
    return [Job(one, "specdm", 0, minutes, ablation) for ablation in (None, *ABLATIONS)]
