"""What a stage has drawn becomes known to the stages after it, as it will be decoded."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from specdm.models.joint_model import JointModel
from specdm.models.mask_codec import MaskCodec
from specdm.models.mask_coherence import coherent
from specdm.models.read_masks import ReadMasks
from specdm.models.streams import masks_with_gaps


def settled(
    model: JointModel,
    state: torch.Tensor,
    levels: torch.Tensor,
    group: Sequence[int],
    *,
    fixed: torch.Tensor,
    coherence: float = 0.0,
    composition: torch.Tensor | None = None,
    read: ReadMasks | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The streams of a stage known, with their levels: what is drawn next shall fit them.

    Classes as they will be decoded, coherent, and encoded again, since that is what known masks were in training.
    Amounts as they were drawn: they decode to themselves, and latents that hardly vary would come back as rounding
    errors.

    Args:
        model: whose latents these are.
        state: `(n, channels, y, x)`.
        levels: `(n, streams, y, x)`.
        group: numbers of the streams.
        fixed: `(n, streams, y, x)` boolean, cells whose levels stay.
        coherence: of class masks, see `mask_coherence`.
        composition: `(n, classes)`, shares that coherent masks keep; default: those they were drawn with.
        read: see `KnownLatents`; masks that were read off something stay as they were drawn.
    """
    parts, before = model.split(state), levels
    levels = levels.clone()
    levels[:, list(group)] = 0.0
    for s in group:
        if model.streams[s].kind in ("amounts", "image", "pair"):
            continue
        values = mask_values(model, state, s, coherence=coherence, composition=composition, read=read)
        parts[s] = model.encoded(s, values)
        levels[:, s] = 1.0 - model.codec_of(model.streams[s]).known_cells(values)[:, 0]
    return torch.cat(parts, dim=1), torch.where(fixed, before, levels)


def mask_values(
    model: JointModel,
    state: torch.Tensor,
    s: int,
    *,
    coherence: float = 0.0,
    composition: torch.Tensor | None = None,
    read: ReadMasks | None = None,
) -> torch.Tensor:
    """What a stream of masks decodes to, -1 where it says nothing; arguments as in `settled`."""
    stream, codec = model.streams[s], model.codec_of(model.streams[s])
    said = telling_pixels(model, state, s)
    if coherence > 0 and stream.kind == "classes" and isinstance(codec, MaskCodec):
        guess = codec.logits(model.split(model.denoiser.restore(state))[s]).softmax(dim=1)
        own = composition_of(model, s, composition)
        found = coherent(guess, said, strength=coherence, factor=model.factor, composition=own)
        if read is not None:
            heard = read.classes[:, stream.position].isfinite().all(dim=1, keepdim=True)
            found = torch.where(heard, guess, found)
        values = found.argmax(dim=1)
    else:
        values = model.values(state, s)
    return values.masked_fill(said == 0, -1)


def telling_pixels(model: JointModel, state: torch.Tensor, s: int) -> torch.Tensor:
    """Pixels at which a mask says something, `(n, y, x)` in 0/1."""
    gaps = dict(masks_with_gaps(model.streams))
    if s in gaps:
        return model.values(state, gaps[s]).to(state.dtype)
    return state.new_ones(len(state), *(side * model.factor for side in state.shape[-2:]))


def composition_of(model: JointModel, s: int, composition: torch.Tensor | None) -> torch.Tensor | None:
    """The part of compositions that a class mask is about, `(n, classes)`."""
    if composition is None:
        return None
    stream, codec = model.streams[s], model.codec_of(model.streams[s])
    classes = int(codec.config["classes"])  # type: ignore[attr-defined]
    return composition[:, stream.position * classes : (stream.position + 1) * classes]
