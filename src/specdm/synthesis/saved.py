"""A pipeline as files: an index and a folder for each part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from specdm.errors import MaskError, ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.part_files import load_part_files, save_part_files
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.models.streams import Stream, stages_of
from specdm.synthesis.distilled import Distilled, distilled_index, distilled_parts, load_distilled
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.folders import replacing_folder
from specdm.synthesis.model_files import INDEX, KIND, read_index
from specdm.synthesis.part_checks import check_calibration_fits, check_parts_fit, check_reader_fits
from specdm.synthesis.sampling_defaults import SamplingDefaults
from specdm.version import __version__


@dataclass(frozen=True)
class PipelineParts:
    """All that a pipeline is made of.

    Attributes:
        model: codecs and denoiser.
        prior: compositions to draw from.
        facts: what its tiles are like.
        defaults: of sampling.
        calibration: of drawn spectra; None for a model without one.
        reader: of masks; None for a model that encodes image and mask together.
        distilled: by number of evaluations, what `specdm distill` has made of it.
    """

    model: JointModel
    prior: CompositionPrior
    facts: TileFacts
    defaults: SamplingDefaults
    calibration: SpectralCalibration | None = None
    reader: MaskReader | None = None
    distilled: Mapping[int, Distilled] = field(default_factory=dict)


def save_parts(parts: PipelineParts, folder: Path) -> None:
    """Write `model_index.json` and a folder for each part (config JSON and safetensors), all or nothing.

    Raises:
        ModelError: the folder cannot be written, or holds something that is no model.
    """
    if folder.exists() and not (folder / INDEX).is_file() and (folder.is_file() or any(folder.iterdir())):
        raise ModelError(f"{folder}: holds something that is no model, so it is kept; choose another place")
    modules: dict[str, Any] = {
        **dict(parts.model.codecs), "denoiser": parts.model.denoiser, "composition_prior": parts.prior
    }  # fmt: skip
    if parts.calibration is not None:
        modules["calibration"] = parts.calibration
    if parts.reader is not None:
        modules["reader"] = parts.reader
    modules |= distilled_parts(parts.distilled)
    index = {
        "_class_name": KIND,
        "specdm_version": __version__,
        "streams": [stream.to_dict() for stream in parts.model.streams],
        "tiles": parts.facts.to_dict(),
        "calibrated": parts.calibration is not None,
        "reads_masks": parts.reader is not None,
        "distilled": distilled_index(parts.distilled),
        "sampling": asdict(parts.defaults),
    }
    with replacing_folder(folder) as partial:
        for name, module in modules.items():
            save_part_files(module, partial / name)
        (partial / INDEX).write_text(json.dumps(index, indent=1))


def load_parts(folder: Path) -> PipelineParts:
    """Read what `save_parts` wrote.

    Raises:
        ModelError: a file is missing, truncated or of another kind, or a newer version of SpecDM wrote the model.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder; expected one that SpecDM saved, such as RUN/model")
    index: Mapping[str, Any] = read_index(folder)
    try:
        streams = [Stream.from_dict(stream) for stream in index["streams"]]
        facts = TileFacts.from_dict(index["tiles"])
        defaults = SamplingDefaults(**index["sampling"])
        calibrated, reads = bool(index["calibrated"]), bool(index["reads_masks"])
        few = {int(key): dict(record) for key, record in index.get("distilled", {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError, MaskError) as error:
        raise ModelError(f"{folder / INDEX}: not written by this version of SpecDM ({error})") from error
    names = dict.fromkeys(stream.codec for stream in streams)
    codecs: dict[str, Any] = {name: load_part_files(folder / name) for name in names}
    denoiser: Any = load_part_files(folder / "denoiser")
    prior: Any = load_part_files(folder / "composition_prior")
    calibration: Any = load_part_files(folder / "calibration") if calibrated else None
    check_parts_fit(
        folder, streams=streams, parts={**codecs, "denoiser": denoiser, "composition_prior": prior}, facts=facts
    )
    model = JointModel(streams=streams, codecs=codecs, denoiser=denoiser)
    if calibrated:
        check_calibration_fits(folder, calibration, parts=model.component_counts, facts=facts)
    reader: Any = load_part_files(folder / "reader") if reads else None
    if reads:
        check_reader_fits(folder, reader, model=model, facts=facts)
    distilled = load_distilled(
        folder, few, model=model, stages=len(stages_of(streams, masks_first=defaults.masks_first)), facts=facts
    )
    return PipelineParts(model, prior, facts, defaults, calibration, reader, distilled)
