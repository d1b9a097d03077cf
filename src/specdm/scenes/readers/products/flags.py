"""From quality layers to what becomes no data, and what is said about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from specdm.scenes.readers.geotiff import open_quietly
from specdm.scenes.readers.products.options import KEEP, ProductOptions
from specdm.scenes.readers.products.planes import Flag

_ROWS = 1024
"""Rows of a quality layer that are counted at a time."""


def chosen_flags(options: ProductOptions, *, default: Sequence[str], there: Sequence[str]) -> tuple[str, ...]:
    """Names of the flags whose pixels become no data: those asked for, or the default, that the product has.

    Args:
        options: what the user said.
        default: of the sensor.
        there: flags that the product has layers for.
    """
    wanted = default if options.words is None else options.words
    return tuple(name for name in there if name in wanted)


def quality_facts(
    options: ProductOptions,
    *,
    taken: Sequence[str],
    there: Sequence[str],
    shares: Mapping[str, float],
    layers: str,
) -> list[str]:
    """What a user should know of the quality layers, a line or two.

    Args:
        options: what the user said.
        taken: flags whose pixels are no data.
        there: flags that the product has layers for.
        shares: flag -> share of all pixels, where it is known.
        layers: what the layers are called.
    """
    lines = []
    if taken:
        counted = [f"{_word(name)} ({shares[name]:.1%} of pixels)" if name in shares else _word(name) for name in taken]
        lines.append(f"made no data by {layers}: {', '.join(counted)}; quality={KEEP} would keep them")
    elif there:
        lines.append(f"quality layers not applied ({layers} has {', '.join(map(_word, there))})")
    else:
        lines.append(f"no quality layer was applied: {layers}")
    left = [name for name in there if name not in taken]
    if taken and left:
        lines.append(f"kept: {', '.join(map(_word, left))}")
    lacking = [name for name in options.words or () if name not in there]
    if lacking:
        lines.append(f"asked for, but the product has no layer of it: {', '.join(map(_word, lacking))}")
    return lines


def flag_shares(flags: Sequence[Flag]) -> dict[str, float]:
    """Share of all pixels that each flag of whole pixels marks; read strip by strip, each plane once for all flags."""
    whole = [flag for flag in flags if flag.band is None]
    with ExitStack() as stack:
        names = dict.fromkeys(flag.plane.file for flag in whole)
        files = {name: stack.enter_context(open_quietly(name)) for name in names}
        shares: dict[str, float] = {}
        for shape in dict.fromkeys(file.shape for file in files.values()):
            shares |= _shares([flag for flag in whole if files[flag.plane.file].shape == shape], files, shape)
    return shares


def _shares(flags: Sequence[Flag], files: Mapping[str, Any], shape: tuple[int, int]) -> dict[str, float]:
    """The same of planes of this size; a pixel that several planes mark for one flag counts once."""
    height, width = shape
    counts = dict.fromkeys((flag.name for flag in flags), 0)
    planes = dict.fromkeys(flag.plane for flag in flags)
    for top in range(0, height, _ROWS):
        window = ((top, min(top + _ROWS, height)), (0, width))
        strips = {plane: files[plane.file].read(plane.band, window=window) for plane in planes}
        for name in counts:
            marks = [flag.marks(strips[flag.plane]) for flag in flags if flag.name == name]
            counts[name] += int(np.logical_or.reduce(marks).sum())
    return {name: count / (height * width) for name, count in counts.items()}


def _word(name: str) -> str:
    return name.replace("_", " ")
