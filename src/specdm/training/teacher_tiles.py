"""What a distilled model learns from: noise, and the tile that the trained model makes of it with all its steps.

Such couples make reflow (Liu, Gong & Liu 2023, "Flow straight and fast", section 2.1): paths between them hardly cross,
so one evaluation sees where a path ends. Guidance and composition are in the tiles already (Meng et al. 2023, arXiv
2210.03142).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from specdm.errors import RunError
from specdm.models.composition_prior import CompositionPrior
from specdm.models.denoiser import JointDenoiser
from specdm.models.drawing import Drawing
from specdm.models.flow import LevelPatterns, draw_levels
from specdm.models.known_latents import KnownLatents
from specdm.models.streams import image_and_mask_streams, masks_with_gaps
from specdm.scenes.write_failures import not_written, whole_file
from specdm.training.denoiser_training import tile_chances
from specdm.training.draws import step_generator
from specdm.training.tile_tensors import LatentTiles

STAGE = 5
TENSORS = ("latents", "fixed", "compositions")
PART = 32
"""Tiles drawn at a time, and kept in a file of their own."""


@dataclass(frozen=True)
class TeacherTiles:
    """Tiles of the trained model, from noise that is drawn again rather than kept.

    Attributes:
        latents: `(n, channels, y, x)`, standardised as the denoiser has them, masks as they are known to images.
        fixed: `(n, streams, y, x)` boolean, cells that were given of a real tile.
        compositions: `(n, parts)`, NaN where none was given.
        seed: of all draws.
    """

    latents: torch.Tensor
    fixed: torch.Tensor
    compositions: torch.Tensor
    seed: int

    def __len__(self) -> int:
        return len(self.latents)

    def noise(self, index: torch.Tensor, denoiser: JointDenoiser) -> torch.Tensor:
        """What the tiles at `index` started from, `(n, channels, y, x)`, on the denoiser's device."""
        return denoiser.noise(white_of(index.tolist(), self.latents, denoiser, seed=self.seed).to(denoiser.device))


def white_of(index: Sequence[int], latents: torch.Tensor, denoiser: JointDenoiser, *, seed: int) -> torch.Tensor:
    """The white noise that tiles of these numbers, as large as `latents`, are drawn from."""
    shape = denoiser.white_shape((latents.shape[-2], latents.shape[-1]))
    return torch.stack([torch.randn(*shape, generator=step_generator(seed, STAGE, i)) for i in index])


def teacher_tiles(
    folder: Path,
    *,
    n: int,
    drawing: Drawing,
    prior: CompositionPrior,
    real: LatentTiles,
    given_share: float,
    seed: int,
    origin: str,
    callback: Callable[[int, int], None] | None = None,
) -> TeacherTiles:
    """Draw tiles in parts that are kept; called again after an interruption it goes on with the next part.

    Args:
        folder: for the parts.
        n: tiles, made up to whole parts.
        drawing: how the trained model draws.
        prior: of compositions.
        real: training tiles, of which parts are given.
        given_share: share of the tiles of which something is given: images, masks, a stream or an area.
        seed: of all draws.
        origin: of what the parts depend on; those of another origin are drawn anew.
        callback: called with (tiles drawn, all).

    Raises:
        RunError: a part cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts, numbers = [], range(-(-n // PART))
    for number in numbers:
        path = folder / f"{number:05d}.safetensors"
        found = _read(path, origin=origin, seed=seed)
        if found is None:
            found = _drawn(number, drawing=drawing, prior=prior, real=real, given_share=given_share, seed=seed)
            _write(path, found, origin=origin)
        parts.append(found)
        if callback is not None:
            callback((number + 1) * PART, len(numbers) * PART)
    return TeacherTiles(**{name: torch.cat([getattr(part, name) for part in parts]) for name in TENSORS}, seed=seed)


def _drawn(
    number: int, *, drawing: Drawing, prior: CompositionPrior, real: LatentTiles, given_share: float, seed: int
) -> TeacherTiles:
    model = drawing.model
    generator = step_generator(seed, STAGE, number, 1)
    rows = torch.stack([prior.draw(generator) for _ in range(PART)])
    chances = tile_chances(model.streams, real.encoded.known)
    chosen = torch.multinomial(chances, PART, replacement=True, generator=generator)
    known = real.encoded.known[chosen]
    latents = real.encoded.latents[chosen]
    fixed = _given(drawing, known, given_share=given_share, generator=generator)
    rows = _compositions(drawing, fixed, known, drawn=rows, real=real.compositions[chosen])
    device = model.device
    white = white_of(range(number * PART, (number + 1) * PART), latents, model.denoiser, seed=seed)
    found = drawing.latents(
        white.to(device),
        composition=rows.to(device),
        known=KnownLatents(latents.to(device), fixed.to(device)),
    )
    return TeacherTiles(found.cpu(), fixed, rows, seed)


def _given(
    drawing: Drawing, known: torch.Tensor, *, given_share: float, generator: torch.Generator
) -> torch.Tensor:
    """Cells that are given, `(n, streams, y, x)` boolean: such as users give."""
    streams = drawing.model.streams
    if len(streams) == 1:
        return torch.zeros(known.shape, dtype=torch.bool)
    patterns = LevelPatterns(
        shared=1 - given_share,
        one_known=0.8 * given_share,
        one_unknown=0.0,
        independent=0.0,
        area_known=0.2 * given_share,
        stages=0.0,
    )
    levels = draw_levels(
        len(known),
        len(streams),
        (known.shape[-2], known.shape[-1]),
        patterns=patterns,
        shift=1.0,
        generator=generator,
        groups=image_and_mask_streams(streams),
    )
    shown = levels == 0
    # an area may be all of the tile, of which nothing would be left to draw
    shown[shown.flatten(1).all(dim=1)] = False
    for mask, labelled in masks_with_gaps(streams):
        # a mask is given with its gaps
        shown[:, labelled] |= shown[:, mask]
    return shown & (known > 0)


def _compositions(
    drawing: Drawing, fixed: torch.Tensor, known: torch.Tensor, *, drawn: torch.Tensor, real: torch.Tensor
) -> torch.Tensor:
    """Rows `(n, parts)` as sampling has them: of given masks their own, none where anything else is given."""
    masks = [s for s, stream in enumerate(drawing.model.streams) if stream.kind in ("classes", "amounts")]
    whole = fixed[:, masks].flatten(1).any(dim=1)
    for s in masks:
        whole &= (fixed[:, s] == (known[:, s] > 0)).flatten(1).all(dim=1)
    own = torch.where(whole[:, None], real, float("nan"))
    return torch.where(fixed.flatten(1).any(dim=1)[:, None], own, drawn)


def _write(path: Path, part: TeacherTiles, *, origin: str) -> None:
    """Write a part, or nothing.

    Raises:
        RunError: the place is full, or not writable.
    """
    tensors = {name: getattr(part, name).contiguous() for name in TENSORS}
    try:
        with whole_file(path, SafetensorError) as partial:
            save_file(tensors, partial, metadata={"origin": origin})
    except OSError as error:
        advice = "once it can be, the same command goes on with the parts that are there"
        raise RunError(not_written(path, error, advice=advice)) from error


def _read(path: Path, *, origin: str, seed: int) -> TeacherTiles | None:
    """A part, or None if it is not there, damaged, or of another origin."""
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get("origin") != origin:
                return None
            return TeacherTiles(**{name: file.get_tensor(name) for name in TENSORS}, seed=seed)
    except (FileNotFoundError, SafetensorError):
        return None
