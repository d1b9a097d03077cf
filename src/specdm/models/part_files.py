"""One part of a model on disk: `config.json` and safetensors, as diffusers writes them; nothing else is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from specdm.errors import ModelError
from specdm.models.amount_codec import AmountCodec
from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.image_codec import ImageCodec
from specdm.models.mask_codec import MaskCodec
from specdm.models.mask_reader import MaskReader
from specdm.models.pair_codec import PairCodec
from specdm.models.plain_files import CONFIG, WEIGHTS, read_json
from specdm.models.spectral_calibration import SpectralCalibration

Codecs = ImageCodec | MaskCodec | AmountCodec | PairCodec
Part = Codecs | JointDenoiser | MaskReader | CompositionPrior | SpectralCalibration
KINDS: dict[str, type[Part]] = {
    kind.__name__: kind
    for kind in get_args(Part)
}


def save_part_files(part: Part, folder: Path) -> None:
    """Write `config.json` and weights; safetensors only."""
    folder.mkdir(parents=True, exist_ok=True)
    part.save_pretrained(folder, safe_serialization=True)


def load_part_files(folder: Path) -> Part:
    """Read what `save_part_files` wrote, every weight checked by name and shape.

    Raises:
        ModelError: a file is missing, truncated or of another kind; pickled weights are refused.
    """
    path = folder / CONFIG
    config = read_json(path)
    kind = KINDS.get(str(config.get("_class_name")))
    if kind is None:
        raise ModelError(f"{path}: found part {config.get('_class_name')!r}, expected one of {', '.join(KINDS)}")
    weights = folder / WEIGHTS
    if not weights.is_file():
        others = sorted(p.name for p in folder.glob("*") if p.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"})
        refused = f" ({', '.join(others)} is there, but pickled weights are not loaded)" if others else ""
        raise ModelError(f"{weights}: the weight file is missing{refused}; save or copy the model again")
    try:
        part: Any = kind.from_config(config)
        state: dict[str, torch.Tensor] = load_file(weights)
        part.load_state_dict(state, strict=True)
    except (SafetensorError, RuntimeError, TypeError, ValueError, LookupError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{weights}: not the weights of this model or damaged ({reason}); copy it again") from error
    return part.eval()
