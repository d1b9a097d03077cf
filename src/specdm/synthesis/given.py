"""What is given of tiles that are to be drawn: an image, a mask, a date, part of the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn.functional import avg_pool2d

from specdm.errors import ModelError
from specdm.models.joint_model import EncodedTiles, JointModel
from specdm.models.known_latents import KnownLatents, Start
from specdm.models.pixels import Pixels
from specdm.models.streams import Stream
from specdm.synthesis.facts import TileFacts
from specdm.synthesis.holes import filled_from_nearest
from specdm.tiles.tileset import TileSet
from specdm.training.compositions import compositions
from specdm.training.tile_tensors import to_pixels

GROUPS = ("image", "mask")
"""What streams are called together: all dates, and all that masks say."""


@dataclass(frozen=True)
class Given:
    """Known parts of a batch of tiles.

    Attributes:
        pixels: the tiles, on the model's device.
        streams: `(n, streams, y, x)` boolean, pixels that are known of each stream.
        latents: what the denoiser is given of them.
        composition: `(n, parts)`: of tiles whose masks are known; NaN elsewhere.
        with_data: `(n, date, y, x)` boolean, where given images that are varied have data; None where none are.
    """

    pixels: Pixels
    streams: torch.Tensor
    latents: KnownLatents
    composition: torch.Tensor
    with_data: torch.Tensor | None = None


def known_streams(known: Sequence[str], *, streams: Sequence[Stream], where: str) -> list[int]:
    """Numbers of the streams of these names; "image" stands for all dates, "mask" for all that masks say.

    Raises:
        ModelError: an unknown name, or nothing.
    """
    if any(stream.kind == "pair" for stream in streams):
        raise ModelError(
            "this model encodes image and mask together (preset ldm), so neither can be given; train another preset"
        )
    found: set[int] = set()
    for name in known:
        numbers = [number for number, stream in enumerate(streams) if _is_called(stream, name)]
        if not numbers:
            names = ", ".join(dict.fromkeys([*GROUPS, *(stream.name for stream in streams)]))
            raise ModelError(f"{where}: no part of the model's tiles is called {name!r}; expected some of {names}")
        found.update(numbers)
    if not found:
        raise ModelError(f"{where}: nothing of it is said to be known; expected some of {', '.join(GROUPS)}")
    return sorted(found)


def _is_called(stream: Stream, name: str) -> bool:
    if name == stream.name:
        return True
    # a mask is known with its gaps
    if stream.kind == "labelled" and name == stream.name.replace("labelled", "mask", 1):
        return True
    return name == ("image" if stream.kind == "image" else "mask")


def check_given(
    tiles: TileSet, *, numbers: Sequence[int], model: JointModel, facts: TileFacts, varied: bool = False
) -> None:
    """Raise ModelError unless what counts of these tiles is such as the model's.

    Args:
        tiles: any.
        numbers: of the streams that are known.
        model, facts: who is asked.
        varied: whether images that are not known are varied.
    """
    kinds = {model.streams[number].kind for number in numbers} | ({"image"} if varied else set())
    if tiles.size != facts.size:
        raise ModelError(f"{tiles.where}: tiles of {tiles.size} px, expected {facts.size}, the model's size")
    if (difference := facts.difference(tiles, image="image" in kinds, mask=bool(kinds - {"image"}))) is not None:
        raise ModelError(f"{tiles.where}: {difference}")


def given_of(
    tiles: TileSet,
    index: np.ndarray,
    *,
    numbers: Sequence[int],
    model: JointModel,
    facts: TileFacts,
    area: np.ndarray | None = None,
    all_labelled: bool = False,
    variation: float | None = None,
) -> Given:
    """The tiles at `index` as the model is given them.

    Args:
        tiles: checked by `check_given`.
        index: positions, `(n,)`.
        numbers: of the known streams.
        model: that will draw the rest.
        facts: of the model.
        area: boolean `(tiles, y, x)`, known ground; default: all.
        all_labelled: masks shall say something everywhere, whatever the tiles say.
        variation: noise level from which images that are not known are drawn, see `Start`; None: from noise alone.
    """
    pixels = to_pixels(tiles, index).apply(lambda values: values.to(model.device))
    images = [number for number, stream in enumerate(model.streams) if stream.kind == "image"]
    looked_at = set(numbers) if variation is None else {*numbers, *images}
    if not looked_at & set(images):
        # they do not count, and may have other bands
        shape = (len(index), len(facts.dates), len(facts.band_name), *pixels.images.shape[-2:])
        pixels = replace(pixels, images=torch.full(shape, float("nan"), device=model.device))
    inside = torch.ones(len(index), *pixels.images.shape[-2:], dtype=torch.bool, device=model.device)
    if area is not None:
        inside = torch.from_numpy(area[index]).to(model.device)
    known = known_pixels(pixels, inside=inside, numbers=numbers, streams=model.streams)
    seen = known_pixels(pixels, inside=inside, numbers=sorted(looked_at), streams=model.streams)
    encoded = encoded_known(pixels, seen, model=model)
    start = None if variation is None else Start(encoded.latents, variation)
    with_data = None if variation is None else images_known(pixels, seen, model.streams)
    # nothing may look at ground that is not given
    shown = images_known(pixels, known, model.streams)
    pixels = replace(pixels, images=pixels.images.masked_fill(~shown[:, :, None], float("nan")))
    # cells at which a known mask says nothing are unknown to the denoiser, as in training
    latents, cells = encoded.latents, (avg_pool2d(known.float(), model.factor) == 1) & (encoded.known > 0)
    if all_labelled:
        latents, cells = _labelled_everywhere(latents, cells, pixels, model)
    composition = torch.full((len(index), sum(map(len, facts.parts))), float("nan"), device=model.device)
    masks = {number for number, stream in enumerate(model.streams) if stream.kind in ("classes", "amounts")}
    if masks and masks <= set(numbers) and area is None:
        closed = facts.quantities is not None and facts.quantities.sum_to_one
        found = compositions(pixels.apply(torch.Tensor.cpu), classes=len(facts.classes or ()), abundances=closed)
        composition = found.to(model.device)
    return Given(pixels, known, KnownLatents(latents, cells, start=start), composition, with_data)


def known_pixels(
    pixels: Pixels, *, inside: torch.Tensor, numbers: Sequence[int], streams: Sequence[Stream]
) -> torch.Tensor:
    """Which pixels are known of each stream, `(n, streams, y, x)` boolean.

    Args:
        pixels: tiles.
        inside: `(n, y, x)` boolean, known ground.
        numbers: of the known streams.
        streams: of the model.
    """
    known = torch.zeros(len(pixels), len(streams), *inside.shape[1:], dtype=torch.bool, device=inside.device)
    for number in numbers:
        known[:, number] = _there(pixels.of(streams[number]), streams[number]) & inside
    return known


def encoded_known(pixels: Pixels, known: torch.Tensor, *, model: JointModel) -> EncodedTiles:
    """Tiles of which these pixels `(n, streams, y, x)` are known as they are encoded; unknown ones do not count."""
    shown = images_known(pixels, known, model.streams)
    return model.encode(replace(pixels, images=filled_from_nearest(pixels.images, shown)))


def pasted(drawn: Pixels, given: Pixels, known: torch.Tensor, *, streams: Sequence[Stream]) -> Pixels:
    """Drawn tiles with the pixels that were known as they were, not as they come back from their codec.

    Args:
        drawn, given: tiles.
        known: `(n, streams, y, x)` boolean, pixels of the given tiles that are known.
        streams: of the model.
    """
    images, positions, amounts = drawn.images.clone(), drawn.positions.clone(), drawn.amounts.clone()
    target = Pixels(images, positions, amounts)
    for number, stream in enumerate(streams):
        if stream.kind == "labelled":
            continue
        there = known[:, number] if stream.kind == "classes" else known[:, number, None]
        part = target.of(stream)
        part.copy_(torch.where(there, given.of(stream), part))
    return target


def _there(values: torch.Tensor, stream: Stream) -> torch.Tensor:
    """Pixels at which a stream holds anything, `(n, y, x)` boolean; a known mask is known with its gaps."""
    if stream.kind in ("classes", "labelled"):
        return torch.ones_like(values, dtype=torch.bool)
    return values.isfinite().all(dim=1)


def images_known(pixels: Pixels, known: torch.Tensor, streams: Sequence[Stream]) -> torch.Tensor:
    """Known pixels of each date, `(n, date, y, x)` boolean."""
    found = torch.zeros(*pixels.images.shape[:2], *pixels.images.shape[-2:], dtype=torch.bool, device=known.device)
    for number, stream in enumerate(streams):
        if stream.kind == "image":
            found[:, stream.position] = known[:, number]
    return found


def _labelled_everywhere(
    latents: torch.Tensor, cells: torch.Tensor, pixels: Pixels, model: JointModel
) -> tuple[torch.Tensor, torch.Tensor]:
    parts, cells = model.split(latents), cells.clone()
    for number, stream in enumerate(model.streams):
        if stream.kind == "labelled":
            parts[number] = model.encoded(number, torch.ones_like(pixels.of(stream)))
            cells[:, number] = True
    return torch.cat(parts, dim=1), cells
