"""Whether parts that were loaded belong to one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from specdm.errors import ModelError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.streams import Stream


def check_parts_fit(
    folder: Path, *, streams: Sequence[Stream], parts: Mapping[str, Any], bands: int, classes: int
) -> None:
    """Raise ModelError, naming the part, unless all parts are of the kind and size that the others need.

    Args:
        folder: the model's, for the message.
        streams: what the model generates.
        parts: codecs by name, "denoiser" and "composition_prior".
        bands, classes: of the model's tiles.
    """
    if {stream.kind for stream in streams} != {"image", "classes"}:
        raise ModelError(f"{folder}: has {len(streams)} streams, expected at least an image and a mask; copy it again")
    kinds: dict[str, type] = {"denoiser": JointDenoiser, "composition_prior": CompositionPrior}
    kinds |= {stream.codec: ImageCodec if stream.kind == "image" else MaskCodec for stream in streams}
    for name, kind in kinds.items():
        if not isinstance(parts[name], kind):
            raise ModelError(
                f"{folder / name}: found a {type(parts[name]).__name__}, expected a {kind.__name__}; "
                "copy the model again"
            )
    wanted: list[tuple[str, str, Any]] = [
        ("denoiser", "conditions", classes),
        ("composition_prior", "classes", classes),
    ]
    for stream, channels in zip(streams, parts["denoiser"].stream_channels, strict=False):
        wanted.append((stream.codec, "latent_channels", channels))
        wanted.append((stream.codec, "bands", bands) if stream.kind == "image" else (stream.codec, "classes", classes))
    for name, key, expected in wanted:
        if parts[name].config[key] != expected:
            raise ModelError(
                f"{folder / name}: has {key} {parts[name].config[key]}, the rest of the model needs {expected}; "
                "copy the model again"
            )
    if len(streams) != len(parts["denoiser"].stream_channels):
        raise ModelError(f"{folder / 'denoiser'}: is not made for {len(streams)} streams; copy the model again")
