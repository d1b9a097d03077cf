"""Models of few evaluations beside the trained one that they were distilled from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from specdm.errors import ModelError
from specdm.models.denoiser import JointDenoiser
from specdm.models.few_steps import even_jumps
from specdm.models.joint_model import JointModel
from specdm.models.part_files import load_part_files
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.part_checks import check_calibration_fits

MOST_EVALUATIONS = 16
"""More are no saving over the trained model with few steps."""


@dataclass(frozen=True)
class Distilled:
    """A model distilled to a number of evaluations; shares the codecs of the trained one.

    Attributes:
        model: codecs and the distilled denoiser.
        jumps: of each stage, see `few_steps.jumps_of`.
        calibration: of what it draws; None for a model without one.
        guidance: that it has learnt to draw with.
        mask_coherence: of its masks, see `SamplingDefaults`.
    """

    model: JointModel
    jumps: tuple[int, ...]
    calibration: SpectralCalibration | None
    guidance: float
    mask_coherence: float = 0.0


def distilled_for(
    distilled: Mapping[int, Distilled], evaluations: int, *, steps: int | None = None, guidance: float | None = None
) -> Distilled:
    """The one for this number of evaluations.

    Args:
        distilled: those that there are.
        evaluations: wanted.
        steps, guidance: that are asked for too.

    Raises:
        ModelError: there is none, or it cannot draw so.
    """
    if evaluations not in distilled:
        there = ", ".join(map(str, sorted(distilled)))
        those = f"only distilled to {there}" if there else "not distilled yet"
        raise ModelError(
            f"evaluations is {evaluations}, but this model is {those}; first run: specdm distill RUN "
            f"--evaluations {evaluations}"
        )
    found = distilled[evaluations]
    if steps is not None:
        raise ModelError(
            f"steps is {steps}, but a distilled model draws in its {evaluations} evaluations; leave steps out, or "
            "evaluations"
        )
    if guidance is not None and guidance != found.guidance:
        raise ModelError(
            f"guidance is {guidance:g}, but the distilled model has learnt to draw with {found.guidance:g}; leave "
            "guidance out, or evaluations"
        )
    return found


def check_evaluations(evaluations: int) -> None:
    """Raise ModelError unless a model can be distilled to so many."""
    if not 1 <= evaluations <= MOST_EVALUATIONS:
        raise ModelError(f"evaluations is {evaluations}, expected 1 to {MOST_EVALUATIONS}")


def part_name(evaluations: int) -> str:
    """Folder of a distilled denoiser beside the other parts of a model."""
    return f"distilled_{evaluations}"


def distilled_parts(distilled: Mapping[int, Distilled]) -> dict[str, Any]:
    """Modules by the names of their folders."""
    parts: dict[str, Any] = {}
    for evaluations, one in sorted(distilled.items()):
        parts[part_name(evaluations)] = one.model.denoiser
        if one.calibration is not None:
            parts[f"{part_name(evaluations)}_calibration"] = one.calibration
    return parts


def distilled_index(distilled: Mapping[int, Distilled]) -> dict[str, dict[str, Any]]:
    """What the index of a model says of them."""
    return {
        str(evaluations): {
            "jumps": list(one.jumps),
            "calibrated": one.calibration is not None,
            "guidance": one.guidance,
            "mask_coherence": one.mask_coherence,
        }
        for evaluations, one in sorted(distilled.items())
    }


def load_distilled(
    folder: Path, index: Mapping[int, Mapping[str, Any]], *, model: JointModel, stages: int, facts: TileFacts
) -> dict[int, Distilled]:
    """Read those that the index of a model names.

    Args:
        folder: of the model.
        index: what it says of each, by number of evaluations.
        model: as it was trained.
        stages: of that.
        facts: of its tiles.

    Raises:
        ModelError: a file is missing, damaged or of another model.
    """
    found = {}
    for evaluations, record in index.items():
        place = folder / part_name(evaluations)
        denoiser: Any = load_part_files(place)
        wanted = {name: model.denoiser.config[name] for name in ("stream_channels", "conditions", "noise_reach")}
        if not isinstance(denoiser, JointDenoiser) or any(
            tuple(_listed(denoiser.config[name])) != tuple(_listed(value)) for name, value in wanted.items()
        ):
            raise ModelError(f"{place}: is not made for the streams of the rest of the model; copy the model again")
        joint = JointModel(streams=model.streams, codecs=dict(model.codecs), denoiser=denoiser)  # type: ignore[arg-type]
        calibration: Any = None
        if record["calibrated"]:
            calibration = load_part_files(place.with_name(f"{place.name}_calibration"))
            check_calibration_fits(folder, calibration, parts=model.component_counts, facts=facts)
        jumps = tuple(record.get("jumps") or even_jumps(stages, evaluations))
        if sum(jumps) != evaluations or not 1 <= len(jumps) <= stages or min(jumps) < 1:
            raise ModelError(
                f"{folder}: jumps of the model distilled to {evaluations} are {list(jumps)}, expected as many in 1 "
                f"to {stages} stages; copy the model again"
            )
        found[evaluations] = Distilled(
            joint.eval(), jumps, calibration, float(record["guidance"]), float(record.get("mask_coherence", 0.0))
        )
    return found


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
