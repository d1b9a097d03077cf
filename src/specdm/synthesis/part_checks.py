"""Whether parts that were loaded belong to one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specdm.errors import ModelError
from specdm.models.codecs import CODEC_KINDS
from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.joint_model import JointModel
from specdm.models.mask_reader import MaskReader
from specdm.models.spectral_calibration import SpectralCalibration
from specdm.models.streams import Stream
from specdm.synthesis.facts import TileFacts


def check_calibration_fits(folder: Path, calibration: Any, *, parts: tuple[int, ...], facts: TileFacts) -> None:
    """Raise ModelError unless a calibration is one, of a model with these components of each date."""
    if not isinstance(calibration, SpectralCalibration):
        raise ModelError(
            f"{folder / 'calibration'}: found a {type(calibration).__name__}, expected a SpectralCalibration; "
            "copy the model again"
        )
    groups = calibration.config["groups"]
    materials = facts.quantities if facts.quantities is not None and facts.quantities.sum_to_one else ()
    wanted = len(facts.classes or ()) + 1 if facts.layers else len(materials) + 1 if materials else 1
    if tuple(calibration.config["parts"]) != parts or groups != wanted:
        raise ModelError(
            f"{folder / 'calibration'}: is made for components {tuple(calibration.config['parts'])} and {groups} kinds "
            f"of ground, the rest of the model has {parts} and {wanted}; copy the model again"
        )


def check_reader_fits(folder: Path, reader: Any, *, model: JointModel, facts: TileFacts) -> None:
    """Raise ModelError unless a reader is one, of a model with these components and masks."""
    if not isinstance(reader, MaskReader):
        raise ModelError(
            f"{folder / 'reader'}: found a {type(reader).__name__}, expected a MaskReader; copy the model again"
        )
    found = tuple(reader.config[key] for key in ("components", "layers", "classes", "quantities"))
    wanted = (sum(model.component_counts), len(facts.layers), len(facts.classes or ()), len(facts.quantities or ()))
    if found != wanted:
        raise ModelError(
            f"{folder / 'reader'}: reads {found} (components, layers, classes, quantities), the rest of the model has "
            f"{wanted}; copy the model again"
        )


def check_parts_fit(
    folder: Path, *, streams: Sequence[Stream], parts: Mapping[str, Any], facts: TileFacts
) -> None:
    """Raise ModelError, naming the part, unless all parts are of the kind and size that the others need.

    Args:
        folder: the model's, for the message.
        streams: what the model generates.
        parts: codecs by name, "denoiser" and "composition_prior".
        facts: what the model's tiles are like.
    """
    kinds = {stream.kind for stream in streams}
    if kinds != {"pair"} and ("image" not in kinds or len(kinds) < 2):
        raise ModelError(
            f"{folder}: has {len(streams)} streams, expected an image and a mask at least, or a pair; copy it again"
        )
    expected: dict[str, type] = {"denoiser": JointDenoiser, "composition_prior": CompositionPrior}
    expected |= {stream.codec: CODEC_KINDS[stream.kind] for stream in streams}
    for name, kind in expected.items():
        if not isinstance(parts[name], kind):
            raise ModelError(
                f"{folder / name}: found a {type(parts[name]).__name__}, expected a {kind.__name__}; "
                "copy the model again"
            )
    channels = parts["denoiser"].stream_channels
    if len(streams) != len(channels):
        raise ModelError(f"{folder / 'denoiser'}: is not made for {len(streams)} streams; copy the model again")
    alone, masks = list(parts["denoiser"].config["mask_streams"]), {"classes", "labelled"}
    if alone and alone != [s for s, stream in enumerate(streams) if stream.kind in masks]:
        raise ModelError(f"{folder / 'denoiser'}: its masks are streams {alone}, not those here; copy the model again")
    fractions = sum(map(len, facts.parts))
    wanted: list[tuple[str, str, Any]] = [
        ("denoiser", "conditions", fractions),
        ("composition_prior", "classes", fractions),
    ]
    sizes = {
        "image": ("bands", len(facts.band_name)),
        "classes": ("classes", len(facts.classes or ())),
        "labelled": ("classes", 2),
        "amounts": ("quantities", len(facts.quantities or ())),
        "pair": ("bands", len(facts.band_name)),
    }
    for stream, count in zip(streams, channels, strict=True):
        key, size = sizes[stream.kind]
        wanted.append((stream.codec, "latent_channels", count))
        wanted.append((stream.codec, key, stream.span[1] - stream.span[0] if stream.span else size))
    for name, key, value in wanted:
        if parts[name].config[key] != value:
            raise ModelError(
                f"{folder / name}: has {key} {parts[name].config[key]}, the rest of the model needs {value}; "
                "copy the model again"
            )
